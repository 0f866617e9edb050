#include "dsp/filter/butterworth.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

using Complex = std::complex<double>;

struct ZeroPoleGain {
  std::vector<Complex> zeros;
  std::vector<Complex> poles;
  double gain = 1.0;
};

// The bilinear transform is done at this rate (as SciPy does with normalised corners), so that
// coefficients round alike whatever the real rate is.
constexpr double kPrototypeRateHz = 2.0;

absl::Status CheckDesign(int order, double sample_rate_hz) {
  if (order < 1 || order > kMaxButterworthOrder) {
    return absl::InvalidArgumentError(
        absl::StrCat("filter order ", order, ": must be 1 to ", kMaxButterworthOrder));
  }
  if (!std::isfinite(sample_rate_hz) || sample_rate_hz <= 0.0) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample rate ", sample_rate_hz, " Hz: must be positive"));
  }
  return absl::OkStatus();
}

absl::Status CheckCorner(const char* name, double corner_hz, double sample_rate_hz) {
  const double nyquist_hz = sample_rate_hz / 2.0;
  if (std::isfinite(corner_hz) && corner_hz > 0.0 && corner_hz < nyquist_hz) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(name, " corner ", corner_hz,
                                                 " Hz: must be above 0 and below ", nyquist_hz,
                                                 " Hz, half of the sample rate"));
}

absl::Status CheckBand(int order, double low_hz, double high_hz, double sample_rate_hz) {
  absl::Status status = CheckDesign(order, sample_rate_hz);
  if (status.ok()) status = CheckCorner("low", low_hz, sample_rate_hz);
  if (status.ok()) status = CheckCorner("high", high_hz, sample_rate_hz);
  if (status.ok() && low_hz >= high_hz) {
    status = absl::InvalidArgumentError(
        absl::StrCat("low corner ", low_hz, " Hz: must be below the high corner ", high_hz, " Hz"));
  }
  return status;
}

// Analogue angular frequency that the bilinear transform maps onto `corner_hz`.
double Prewarp(double corner_hz, double sample_rate_hz) {
  const double normalised = 2.0 * corner_hz / sample_rate_hz;
  return 2.0 * kPrototypeRateHz * std::tan(std::numbers::pi * normalised / kPrototypeRateHz);
}

// Analogue low-pass with its -3 dB point at 1 rad/s.
ZeroPoleGain Prototype(int order) {
  ZeroPoleGain prototype;
  for (int m = -order + 1; m < order; m += 2) {
    prototype.poles.push_back(-std::polar(1.0, std::numbers::pi * m / (2.0 * order)));
  }
  return prototype;
}

Complex Product(const std::vector<Complex>& factors) {
  Complex product = 1.0;
  for (const Complex& factor : factors) product *= factor;
  return product;
}

std::vector<Complex> Negated(const std::vector<Complex>& values) {
  std::vector<Complex> negated;
  for (const Complex& value : values) negated.push_back(-value);
  return negated;
}

ZeroPoleGain ToLowPass(const ZeroPoleGain& prototype, double corner) {
  ZeroPoleGain filter = prototype;
  for (Complex& pole : filter.poles) pole *= corner;
  filter.gain *= std::pow(corner, static_cast<double>(prototype.poles.size()));
  return filter;
}

ZeroPoleGain ToHighPass(const ZeroPoleGain& prototype, double corner) {
  ZeroPoleGain filter;
  filter.gain = prototype.gain * (1.0 / Product(Negated(prototype.poles))).real();
  for (const Complex& pole : prototype.poles) {
    filter.poles.push_back(corner / pole);
    filter.zeros.push_back(0.0);
  }
  return filter;
}

// s -> (s^2 + centre^2) / (bandwidth s): each pole becomes two.
void SplitAround(const Complex& pole, double centre, std::vector<Complex>& upper,
                 std::vector<Complex>& lower) {
  const Complex root = std::sqrt(pole * pole - centre * centre);
  upper.push_back(pole + root);
  lower.push_back(pole - root);
}

ZeroPoleGain ToBandPass(const ZeroPoleGain& prototype, double centre, double bandwidth) {
  ZeroPoleGain filter;
  std::vector<Complex> lower;
  for (const Complex& pole : prototype.poles) {
    SplitAround(pole * (bandwidth / 2.0), centre, filter.poles, lower);
    filter.zeros.push_back(0.0);
  }
  filter.poles.insert(filter.poles.end(), lower.begin(), lower.end());
  filter.gain = prototype.gain * std::pow(bandwidth, static_cast<double>(prototype.poles.size()));
  return filter;
}

ZeroPoleGain ToBandStop(const ZeroPoleGain& prototype, double centre, double bandwidth) {
  ZeroPoleGain filter;
  std::vector<Complex> lower;
  for (const Complex& pole : prototype.poles) {
    SplitAround((bandwidth / 2.0) / pole, centre, filter.poles, lower);
    filter.zeros.emplace_back(0.0, centre);
    filter.zeros.emplace_back(0.0, -centre);
  }
  filter.poles.insert(filter.poles.end(), lower.begin(), lower.end());
  filter.gain = prototype.gain * (1.0 / Product(Negated(prototype.poles))).real();
  return filter;
}

ZeroPoleGain Bilinear(const ZeroPoleGain& analogue) {
  const double rate = 2.0 * kPrototypeRateHz;
  ZeroPoleGain digital;
  Complex numerator = 1.0;
  Complex denominator = 1.0;
  for (const Complex& zero : analogue.zeros) {
    digital.zeros.push_back((rate + zero) / (rate - zero));
    numerator *= rate - zero;
  }
  for (const Complex& pole : analogue.poles) {
    digital.poles.push_back((rate + pole) / (rate - pole));
    denominator *= rate - pole;
  }
  digital.zeros.resize(digital.poles.size(), Complex(-1.0));  // zeros at infinity fall on Nyquist
  digital.gain = analogue.gain * (numerator / denominator).real();
  return digital;
}

bool IsReal(const Complex& value) { return value.imag() == 0.0; }

// One of each conjugate pair (positive imaginary part) by real part, then the real ones ascending.
std::vector<Complex> HalfPlane(const std::vector<Complex>& values) {
  const double tolerance = 100.0 * std::numeric_limits<double>::epsilon();
  std::vector<Complex> complex_values;
  std::vector<Complex> real_values;
  for (const Complex& value : values) {
    if (std::abs(value.imag()) <= tolerance * std::abs(value)) {
      real_values.emplace_back(value.real(), 0.0);
    } else if (value.imag() > 0.0) {
      complex_values.push_back(value);
    }
  }
  const auto by_real_part = [](const Complex& a, const Complex& b) { return a.real() < b.real(); };
  std::stable_sort(complex_values.begin(), complex_values.end(), by_real_part);
  std::stable_sort(real_values.begin(), real_values.end(), by_real_part);
  complex_values.insert(complex_values.end(), real_values.begin(), real_values.end());
  return complex_values;
}

// Removes and returns the value with the least `distance`, of the real ones only if asked.
template <typename Distance>
Complex TakeNearest(std::vector<Complex>& values, bool only_real, const Distance& distance) {
  std::size_t best = values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (only_real && !IsReal(values[i])) continue;
    if (best == values.size() || distance(values[i]) < distance(values[best])) best = i;
  }
  const Complex taken = values[best];
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(best));
  return taken;
}

double DistanceFromCircle(const Complex& value) { return std::abs(1.0 - std::abs(value)); }

Section MakeSection(const Complex& zero1, const Complex& zero2, const Complex& pole1,
                    const Complex& pole2) {
  return {1.0, -(zero1 + zero2).real(), (zero1 * zero2).real(), -(pole1 + pole2).real(),
          (pole1 * pole2).real()};
}

// The zeros for a pole pair. Nearest to the pole; a complex zero brings its conjugate.
std::pair<Complex, Complex> TakeZeros(std::vector<Complex>& zeros, const Complex& pole) {
  const auto distance = [&](const Complex& zero) { return std::abs(zero - pole); };
  const Complex first = TakeNearest(zeros, false, distance);
  if (!IsReal(first)) return {first, std::conj(first)};
  return {first, TakeNearest(zeros, true, distance)};
}

// Values that HalfPlane's `half` stands for.
std::size_t FullCount(const std::vector<Complex>& half) {
  std::size_t count = 0;
  for (const Complex& value : half) count += IsReal(value) ? 1 : 2;
  return count;
}

// Poles nearest the unit circle go into the last section, each with the zeros nearest to it: the
// gain between sections stays small, and SciPy does the same. Real values are even in number, since
// the others come in conjugate pairs: a real one always finds its partner. Empty when rounding has
// destroyed the pairs.
Cascade PairIntoSections(ZeroPoleGain filter) {
  if (filter.poles.size() % 2 == 1) {
    filter.poles.emplace_back(0.0);
    filter.zeros.emplace_back(0.0);
  }
  const std::size_t sections = filter.poles.size() / 2;
  std::vector<Complex> zeros = HalfPlane(filter.zeros);
  std::vector<Complex> poles = HalfPlane(filter.poles);
  if (FullCount(zeros) != 2 * sections || FullCount(poles) != 2 * sections) return {};
  Cascade cascade(sections);
  for (std::size_t i = sections; i-- > 0;) {
    const Complex pole = TakeNearest(poles, false, DistanceFromCircle);
    const Complex partner =
        IsReal(pole) ? TakeNearest(poles, true, DistanceFromCircle) : std::conj(pole);
    const auto [zero1, zero2] = TakeZeros(zeros, pole);
    cascade[i] = MakeSection(zero1, zero2, pole, partner);
  }
  cascade.front().b0 *= filter.gain;
  cascade.front().b1 *= filter.gain;
  cascade.front().b2 *= filter.gain;
  return cascade;
}

absl::StatusOr<Cascade> Finish(const ZeroPoleGain& analogue) {
  const ZeroPoleGain digital = Bilinear(analogue);
  Cascade cascade = PairIntoSections(digital);
  // Corners within rounding of 0, of Nyquist or of each other leave poles on the circle, or no
  // gain.
  if (cascade.empty() || !IsStable(cascade) || !std::isnormal(digital.gain)) {
    return absl::InvalidArgumentError(
        "corners too near to 0, to half of the sample rate or to each other: the filter would not "
        "be "
        "stable; use a lower order or move the corner");
  }
  return cascade;
}

}  // namespace

absl::StatusOr<Cascade> ButterworthLowPass(int order, double corner_hz, double sample_rate_hz) {
  absl::Status status = CheckDesign(order, sample_rate_hz);
  if (status.ok()) status = CheckCorner("low-pass", corner_hz, sample_rate_hz);
  if (!status.ok()) return status;
  return Finish(ToLowPass(Prototype(order), Prewarp(corner_hz, sample_rate_hz)));
}

absl::StatusOr<Cascade> ButterworthHighPass(int order, double corner_hz, double sample_rate_hz) {
  absl::Status status = CheckDesign(order, sample_rate_hz);
  if (status.ok()) status = CheckCorner("high-pass", corner_hz, sample_rate_hz);
  if (!status.ok()) return status;
  return Finish(ToHighPass(Prototype(order), Prewarp(corner_hz, sample_rate_hz)));
}

absl::StatusOr<Cascade> ButterworthBandPass(int order, double low_corner_hz, double high_corner_hz,
                                            double sample_rate_hz) {
  absl::Status status = CheckBand(order, low_corner_hz, high_corner_hz, sample_rate_hz);
  if (!status.ok()) return status;
  const double low = Prewarp(low_corner_hz, sample_rate_hz);
  const double high = Prewarp(high_corner_hz, sample_rate_hz);
  return Finish(ToBandPass(Prototype(order), std::sqrt(low * high), high - low));
}

absl::StatusOr<Cascade> ButterworthBandStop(int order, double low_corner_hz, double high_corner_hz,
                                            double sample_rate_hz) {
  absl::Status status = CheckBand(order, low_corner_hz, high_corner_hz, sample_rate_hz);
  if (!status.ok()) return status;
  const double low = Prewarp(low_corner_hz, sample_rate_hz);
  const double high = Prewarp(high_corner_hz, sample_rate_hz);
  return Finish(ToBandStop(Prototype(order), std::sqrt(low * high), high - low));
}

}  // namespace remora::dsp
