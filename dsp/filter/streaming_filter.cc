#include "dsp/filter/streaming_filter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace remora::dsp {

StreamingFilter::StreamingFilter(Cascade cascade)
    : cascade_(std::move(cascade)),
      steady_state_(SteadyState(cascade_)),
      state_(cascade_.size(), SectionState{}) {}

void StreamingFilter::Reset() {
  std::fill(state_.begin(), state_.end(), SectionState{});
  start_at_next_sample_ = false;
}

void StreamingFilter::ResetTo(double value) {
  Reset();
  if (!(std::abs(value) <= kLargestSample)) return;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    state_[i] = {steady_state_[i][0] * value, steady_state_[i][1] * value};
  }
}

void StreamingFilter::ResetToNextSample() { start_at_next_sample_ = true; }

double StreamingFilter::Step(double sample) {
  for (std::size_t i = 0; i < cascade_.size(); ++i) {
    const Section& s = cascade_[i];
    SectionState& z = state_[i];
    const double output = s.b0 * sample + z[0];
    z[0] = s.b1 * sample - s.a1 * output + z[1];
    z[1] = s.b2 * sample - s.a2 * output;
    sample = output;
  }
  return sample;
}

FilterReport StreamingFilter::Process(std::span<const double> input, std::span<double> output) {
  FilterReport report;
  const std::size_t samples = std::min(input.size(), output.size());
  for (std::size_t i = 0; i < samples; ++i) {
    const double sample = input[i];
    double filtered = std::numeric_limits<double>::quiet_NaN();
    if (std::abs(sample) <= kLargestSample) {
      if (start_at_next_sample_) {
        ResetTo(sample);
        ++report.restarts;
      }
      filtered = Step(sample);
    }
    // The second half catches a cascade that is not stable and was built by hand.
    if (!std::isfinite(filtered)) {
      if (report.non_finite_samples++ == 0) report.first_non_finite = i;
      filtered = std::numeric_limits<double>::quiet_NaN();
      start_at_next_sample_ = true;
    }
    output[i] = filtered;
  }
  total_non_finite_samples_ += report.non_finite_samples;
  return report;
}

}  // namespace remora::dsp
