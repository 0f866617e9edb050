// Power by frequency. A value; no transform is needed to read it.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace remora::dsp {

// From the first frequency on, up to but without the second.
struct FrequencyBand {
  double from_hz = 0.0;
  double to_hz = 0.0;
};

struct Spectrum {
  double resolution_hz = 0.0;             // between two bins; bin 0 is 0 Hz
  std::vector<double> density_uv2_per_hz;  // one-sided: its integral is the mean square

  std::size_t bins() const { return density_uv2_per_hz.size(); }
  double FrequencyHz(std::size_t bin) const { return resolution_hz * static_cast<double>(bin); }
  // The first bin at or above a frequency; bins() when it lies beyond.
  std::size_t BinAtOrAbove(double frequency_hz) const {
    constexpr double kTolerance = 1e-9;  // of a bin: 0.5 Hz is bin 1 of 0.5 Hz
    const double bin = std::ceil(frequency_hz / resolution_hz - kTolerance);
    if (!(bin > 0.0)) return 0;
    return bin < static_cast<double>(bins()) ? static_cast<std::size_t>(bin) : bins();
  }
};

}  // namespace remora::dsp
