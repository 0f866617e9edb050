// Cuts a channel into windows for its spectrum: 4 s long, each step_ms a new one, none across a
// gap or over a sample that is not finite. Thread-compatible; on the pipeline's sequence. Memory is
// one window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace remora::dsp {

inline constexpr double kMaxEegWindowMs = 30'000.0;

struct EegWindowOptions {
  double sample_rate_hz = 0.0;
  double window_ms = 4'000.0;
  double step_ms = 2'000.0;  // at most window_ms
};

class EegWindows {
 public:
  // Position of the window's first sample, and its samples: valid during the call.
  using OnWindow =
      absl::FunctionRef<void(std::uint64_t first_sample, std::span<const double> samples_uv)>;

  // Errors: kInvalidArgument -> an option out of range.
  static absl::StatusOr<EegWindows> Create(const EegWindowOptions& options);

  // A block whose first sample has this position in the stream. Behind a gap, and behind samples
  // that are not finite, the next window begins anew. What lies before the last block's end is not
  // taken again.
  void Push(std::uint64_t first_sample, std::span<const double> samples_uv, OnWindow on_window);

  std::size_t window_samples() const { return window_samples_; }
  // Samples that are in no window and never will be, because a gap or a bad sample came.
  std::uint64_t left_out() const { return left_out_; }

 private:
  explicit EegWindows(const EegWindowOptions& options);
  void Restart();

  std::size_t window_samples_;
  std::size_t step_samples_;
  std::vector<double> held_;
  std::uint64_t next_sample_ = 0;
  // Of held_, from the front: already in a window.
  std::size_t used_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace remora::dsp
