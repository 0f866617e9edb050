// A cascade that runs on one channel, block after block, as samples arrive.
//
// Owned by one pipeline and used on its sequence (thread-compatible). Transposed direct form II in
// double. Delay: none by itself; the group delay is the design's.
//
// Invariants:
// 1. Splitting an input into blocks in any way gives bit-identical outputs.
// 2. One output sample an input sample; an input that is not finite gives a quiet NaN there.
// 3. A non-finite input never outlives its own sample: the state is dropped and starts again in
//    steady state at the next finite input. A magnitude over kLargestSample counts as infinite, so
//    that no state overflows. The caller sees it in the report and treats SettlingSamples() after
//    it as a transient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/filter/sos.h"

namespace remora::dsp {

// Beyond any physical signal in any unit, far from overflow in any stable cascade.
inline constexpr double kLargestSample = 1e30;

// What Process met in one block.
struct FilterReport {
  std::size_t non_finite_samples = 0;  // inputs that were NaN or infinite, or that overflowed
  std::size_t first_non_finite = 0;    // index in the block; meaningful when the count is not zero
  std::size_t restarts = 0;            // times the state began anew inside this block
};

class StreamingFilter {
 public:
  // Starts as after Reset(). An empty cascade copies its input.
  explicit StreamingFilter(Cascade cascade);

  // Zero state: silence came before. The first block shows the step of the electrode's offset.
  void Reset();
  // As if the input had been `value` for ever (SciPy: zi * value). Not finite: same as Reset().
  void ResetTo(double value);
  // Steady state for the next finite sample, whatever it is. The usual start of a live channel.
  void ResetToNextSample();

  // Filters `input` into `output`, which has the same length and may be the same memory.
  FilterReport Process(std::span<const double> input, std::span<double> output);

  const Cascade& cascade() const { return cascade_; }
  const std::vector<SectionState>& state() const { return state_; }
  // Non-finite inputs since construction.
  std::uint64_t total_non_finite_samples() const { return total_non_finite_samples_; }

 private:
  double Step(double sample);
  // Filters from `at` on, of finite samples; returns the position behind the last one. An output
  // that is not finite is the last.
  std::size_t StepWhileFinite(std::span<const double> input, std::span<double> output,
                              std::size_t at);

  Cascade cascade_;
  std::vector<SectionState> steady_state_;
  std::vector<SectionState> state_;
  bool start_at_next_sample_ = false;
  std::uint64_t total_non_finite_samples_ = 0;
};

}  // namespace remora::dsp
