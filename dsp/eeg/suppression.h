// How much of the last minute an EEG was suppressed: the burst-suppression ratio.
//
// One a channel, on the pipeline's sequence; thread-compatible. Input is band-passed EEG (0.5 to
// 70 Hz) in uV. Suppressed is what stays within +-5 uV for at least 0.5 s, from its first sample on
// (Rampil and Laster 1992). The ratio counts what could be judged alone: samples that are not
// finite (a gap, an artefact) are in neither part, and end a suppression. Where under half of the
// window could be judged there is no ratio. Machines' ratios read lower than a person's.
//
// Delay: a suppression counts once it has lasted 0.5 s. Memory: a byte a sample of the window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::dsp {

struct SuppressionOptions {
  double sample_rate_hz = 0.0;
  double limit_uv = 5.0;      // |x| below this is suppressed
  double shortest_ms = 500.0;
  double window_ms = 60'000.0;
};

class SuppressionRatio {
 public:
  // Errors: kInvalidArgument -> an option out of range.
  static absl::StatusOr<SuppressionRatio> Create(const SuppressionOptions& options);

  void Push(std::span<const double> samples_uv);
  // Samples that never came: neither suppressed nor not.
  void Skip(std::uint64_t samples);

  // Percent of what could be judged of the window, 0 to 100; nothing with under half of it.
  std::optional<double> percent() const;
  bool suppressed_now() const { return run_ >= shortest_samples_; }

 private:
  enum class Mark : std::uint8_t { kUnknown, kActive, kSuppressed };

  explicit SuppressionRatio(const SuppressionOptions& options);
  void Take(Mark mark);
  void Replace(std::size_t place, Mark mark);

  double limit_uv_;
  std::size_t shortest_samples_;
  std::vector<Mark> window_;  // a ring, kUnknown at first
  std::size_t next_ = 0;
  std::size_t run_ = 0;  // samples below the limit up to now
  std::size_t active_ = 0;
  std::size_t suppressed_ = 0;
};

}  // namespace remora::dsp
