#include "dsp/filter/zero_phase.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Appends `samples`, mirrored through its own end: what follows if the signal turned about its last
// value. `samples` runs towards that end and holds one more than the extension.
template <typename Iterator>
std::vector<double> OddExtension(Iterator last, std::size_t pad) {
  std::vector<double> extension;
  extension.reserve(pad);
  const double pivot = *last;
  for (std::size_t i = 0; i < pad; ++i) extension.push_back(2.0 * pivot - *++last);
  return extension;
}

}  // namespace

std::size_t PadSamples(const Cascade& cascade) {
  const auto no_b2 =
      std::count_if(cascade.begin(), cascade.end(), [](const Section& s) { return s.b2 == 0.0; });
  const auto no_a2 =
      std::count_if(cascade.begin(), cascade.end(), [](const Section& s) { return s.a2 == 0.0; });
  return 3 * (2 * cascade.size() + 1 - static_cast<std::size_t>(std::min(no_b2, no_a2)));
}

absl::StatusOr<std::vector<double>> ZeroPhaseFilter(const Cascade& cascade,
                                                    std::span<const double> samples) {
  const std::size_t pad = PadSamples(cascade);
  if (samples.size() <= pad) {
    return absl::InvalidArgumentError(
        absl::StrCat("zero-phase filter: ", samples.size(), " samples, needs more than ", pad));
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!(std::abs(samples[i]) <= kLargestSample)) {
      return absl::InvalidArgumentError(
          absl::StrCat("zero-phase filter: sample ", i, " is not finite"));
    }
  }
  std::vector<double> filtered;
  filtered.reserve(samples.size());
  StreamingZeroPhase whole(cascade, samples.size() + pad, 1);
  whole.Push(samples, filtered);
  whole.Flush(filtered);
  return filtered;
}

std::size_t StreamingZeroPhase::LookAheadFor(const Cascade& cascade, double relative_error) {
  return SettlingSamples(cascade, relative_error);
}

StreamingZeroPhase::StreamingZeroPhase(Cascade cascade, std::size_t look_ahead_samples,
                                       std::size_t stride_samples)
    : cascade_(std::move(cascade)),
      look_ahead_samples_(look_ahead_samples),
      stride_samples_(std::max<std::size_t>(stride_samples, 1)),
      pad_samples_(PadSamples(cascade_)),
      forward_filter_(cascade_),
      backward_filter_(cascade_) {}

void StreamingZeroPhase::Push(std::span<const double> input, std::vector<double>& output) {
  for (std::size_t at = 0; at < input.size();) {
    const auto finite = [](double sample) { return std::abs(sample) <= kLargestSample; };
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
    const auto run = static_cast<std::size_t>(std::find_if_not(begin, input.end(), finite) - begin);
    if (run == 0) {
      Flush(output);
      output.push_back(kNaN);
      ++at;
    } else {
      PushFinite(input.subspan(at, run), output);
      at += run;
    }
  }
}

void StreamingZeroPhase::PushFinite(std::span<const double> run, std::vector<double>& output) {
  while (!run.empty()) {
    if (!started_) {
      held_input_.push_back(run.front());
      run = run.subspan(1);
      if (held_input_.size() > pad_samples_) StartStretch();
    } else {
      // Up to the next release.
      const std::size_t room = look_ahead_samples_ + stride_samples_ - forward_.size();
      const std::span<const double> piece = run.first(std::min(room, run.size()));
      run = run.subspan(piece.size());
      Remember(piece);
      const std::size_t filtered = forward_.size();
      forward_.resize(filtered + piece.size());
      forward_filter_.Process(piece, std::span<double>(forward_).subspan(filtered));
    }
    if (forward_.size() >= look_ahead_samples_ + stride_samples_) Release(output);
  }
}

void StreamingZeroPhase::Remember(std::span<const double> piece) {
  const std::size_t kept = recent_input_.size();
  if (piece.size() >= kept) {
    recent_input_.assign(piece.end() - static_cast<std::ptrdiff_t>(kept), piece.end());
    return;
  }
  recent_input_.erase(recent_input_.begin(),
                      recent_input_.begin() + static_cast<std::ptrdiff_t>(piece.size()));
  recent_input_.insert(recent_input_.end(), piece.begin(), piece.end());
}

void StreamingZeroPhase::StartStretch() {
  std::vector<double> lead_in = OddExtension(held_input_.begin(), pad_samples_);
  std::reverse(lead_in.begin(), lead_in.end());
  forward_filter_.ResetTo(lead_in.empty() ? held_input_.front() : lead_in.front());
  forward_filter_.Process(lead_in, lead_in);
  recent_input_.assign(held_input_.begin(), held_input_.end());
  forward_.resize(held_input_.size());
  forward_filter_.Process(held_input_, forward_);
  held_input_.clear();
  started_ = true;
}

// Filters `scratch` in place from its end to its start.
void StreamingZeroPhase::RunBackward(std::vector<double>& scratch) {
  std::reverse(scratch.begin(), scratch.end());
  backward_filter_.ResetTo(scratch.front());
  backward_filter_.Process(scratch, scratch);
  std::reverse(scratch.begin(), scratch.end());
}

void StreamingZeroPhase::Release(std::vector<double>& output) {
  const auto released = static_cast<std::ptrdiff_t>(forward_.size() - look_ahead_samples_);
  std::vector<double> scratch = forward_;
  RunBackward(scratch);
  output.insert(output.end(), scratch.begin(), scratch.begin() + released);
  forward_.erase(forward_.begin(), forward_.begin() + released);
}

void StreamingZeroPhase::Flush(std::vector<double>& output) {
  if (!started_) {
    output.insert(output.end(), held_input_.size(), kNaN);
    held_input_.clear();
    return;
  }
  std::vector<double> lead_out = OddExtension(recent_input_.rbegin(), pad_samples_);
  forward_filter_.Process(lead_out, lead_out);
  const auto held = static_cast<std::ptrdiff_t>(forward_.size());
  std::vector<double> scratch = std::move(forward_);
  scratch.insert(scratch.end(), lead_out.begin(), lead_out.end());
  if (!scratch.empty()) RunBackward(scratch);
  output.insert(output.end(), scratch.begin(), scratch.begin() + held);
  forward_.clear();
  recent_input_.clear();
  started_ = false;
}

}  // namespace remora::dsp
