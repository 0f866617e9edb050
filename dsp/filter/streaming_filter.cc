#include "dsp/filter/streaming_filter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace remora::dsp {
namespace {

// The state in registers: through memory, each section waits for its own last store. Goes on until
// an input that is none or too large, or behind an output that is none.
template <std::size_t kSections>
std::size_t StepMany(const Cascade& sections, std::vector<SectionState>& state,
                     std::span<const double> input, std::span<double> output, std::size_t at) {
  double z[kSections][2];
  for (std::size_t k = 0; k < kSections; ++k) {
    z[k][0] = state[k][0];
    z[k][1] = state[k][1];
  }
  bool goes_on = true;
  for (; goes_on && at < output.size() && std::abs(input[at]) <= kLargestSample; ++at) {
    double sample = input[at];
    for (std::size_t k = 0; k < kSections; ++k) {
      const Section& s = sections[k];
      const double filtered = s.b0 * sample + z[k][0];
      z[k][0] = s.b1 * sample - s.a1 * filtered + z[k][1];
      z[k][1] = s.b2 * sample - s.a2 * filtered;
      sample = filtered;
    }
    output[at] = sample;
    goes_on = std::isfinite(sample);
  }
  for (std::size_t k = 0; k < kSections; ++k) state[k] = {z[k][0], z[k][1]};
  return at;
}

}  // namespace

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

std::size_t StreamingFilter::StepWhileFinite(std::span<const double> input,
                                             std::span<double> output, std::size_t at) {
  switch (cascade_.size()) {
    case 1:
      return StepMany<1>(cascade_, state_, input, output, at);
    case 2:
      return StepMany<2>(cascade_, state_, input, output, at);
    case 3:
      return StepMany<3>(cascade_, state_, input, output, at);
    case 4:
      return StepMany<4>(cascade_, state_, input, output, at);
    default:
      break;
  }
  for (; at < output.size() && std::abs(input[at]) <= kLargestSample;) {
    output[at] = Step(input[at]);
    if (!std::isfinite(output[at++])) break;
  }
  return at;
}

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
  output = output.first(samples);
  const auto drop = [&](std::size_t at) {
    if (report.non_finite_samples++ == 0) report.first_non_finite = at;
    output[at] = std::numeric_limits<double>::quiet_NaN();
    start_at_next_sample_ = true;
  };
  for (std::size_t i = 0; i < samples;) {
    if (!(std::abs(input[i]) <= kLargestSample)) {
      drop(i++);
      continue;
    }
    if (start_at_next_sample_) {
      ResetTo(input[i]);
      ++report.restarts;
    }
    i = StepWhileFinite(input, output, i);
    // A cascade that is not stable and was built by hand.
    if (!std::isfinite(output[i - 1])) drop(i - 1);
  }
  total_non_finite_samples_ += report.non_finite_samples;
  return report;
}

}  // namespace remora::dsp
