#include "dsp/filter/stimulus_blanking.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Beyond this a double no longer counts single samples.
constexpr double kMaxPosition = 4503599627370496.0;  // 2^52
// Two windows that end at nearly whole samples must not grow by one for rounding.
constexpr double kPositionTolerance = 1e-6;

absl::Status CheckWindow(double sample_rate_hz, const BlankingWindow& window) {
  if (!std::isfinite(sample_rate_hz) || sample_rate_hz <= 0.0) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample rate ", sample_rate_hz, " Hz: must be positive"));
  }
  for (const double side_ms : {window.before_ms, window.after_ms}) {
    if (!(side_ms >= 0.0 && side_ms <= kMaxBlankingMs)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "blanking window ", side_ms, " ms: each side must be 0 to ", kMaxBlankingMs, " ms"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTrigger(double trigger_sample, bool has_previous, double previous_sample) {
  if (!(std::abs(trigger_sample) <= kMaxPosition)) {
    return absl::InvalidArgumentError(
        absl::StrCat("trigger at sample ", trigger_sample, ": not a position in a recording"));
  }
  if (has_previous && trigger_sample < previous_sample) {
    return absl::InvalidArgumentError(absl::StrCat("trigger at sample ", trigger_sample,
                                                   " comes after one at ", previous_sample,
                                                   ": must ascend"));
  }
  return absl::OkStatus();
}

std::int64_t FirstOf(double trigger_sample, double before_samples) {
  return static_cast<std::int64_t>(
      std::floor(trigger_sample - before_samples + kPositionTolerance));
}

std::int64_t LastOf(double trigger_sample, double after_samples) {
  return static_cast<std::int64_t>(std::ceil(trigger_sample + after_samples - kPositionTolerance));
}

// Value on the line from (first, start) to (last, end); one end not finite: the other's value.
double OnLine(std::int64_t sample, std::int64_t first, double start, std::int64_t last,
              double end) {
  if (!std::isfinite(start)) return std::isfinite(end) ? end : kNaN;
  if (!std::isfinite(end)) return start;
  const double share = static_cast<double>(sample - first) / static_cast<double>(last - first);
  return start + share * (end - start);
}

}  // namespace

absl::StatusOr<StimulusBlanking> StimulusBlanking::Create(double sample_rate_hz,
                                                          BlankingWindow window,
                                                          double announce_delay_ms) {
  absl::Status status = CheckWindow(sample_rate_hz, window);
  if (!status.ok()) return status;
  if (!(announce_delay_ms >= 0.0 && announce_delay_ms <= kMaxAnnounceDelayMs)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "announce delay ", announce_delay_ms, " ms: must be 0 to ", kMaxAnnounceDelayMs, " ms"));
  }
  const double before = window.before_ms * sample_rate_hz / 1000.0;
  const double delay = std::ceil(before + announce_delay_ms * sample_rate_hz / 1000.0) + 1.0;
  return StimulusBlanking(before, window.after_ms * sample_rate_hz / 1000.0,
                          static_cast<std::size_t>(delay));
}

StimulusBlanking::StimulusBlanking(double before_samples, double after_samples,
                                   std::size_t delay_samples)
    : window_before_samples_(before_samples),
      window_after_samples_(after_samples),
      delay_samples_(delay_samples),
      last_emitted_(kNaN) {}

absl::Status StimulusBlanking::AddTrigger(double trigger_sample) {
  absl::Status status = CheckTrigger(trigger_sample, has_trigger_, last_trigger_sample_);
  if (!status.ok()) return status;
  if (ranges_.size() >= kMaxPendingBlankings) {
    return absl::ResourceExhaustedError(absl::StrCat(
        kMaxPendingBlankings, " stimuli wait for their samples: is the signal still arriving?"));
  }
  has_trigger_ = true;
  last_trigger_sample_ = trigger_sample;
  Range range{FirstOf(trigger_sample, window_before_samples_),
              LastOf(trigger_sample, window_after_samples_)};
  // Before the first sample there is nothing to give out, so a window there is not late.
  const bool late = next_output_ > 0 && range.first < next_output_ - 1;
  range.first = std::max(range.first, next_output_ - 1);
  if (range.last > range.first) {
    if (!ranges_.empty() && range.first < ranges_.back().last) {
      ranges_.back().last = std::max(ranges_.back().last, range.last);
    } else {
      ranges_.push_back(range);
    }
  }
  if (!late) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("stimulus at sample ", trigger_sample,
                                                    " was told after its samples were given out "
                                                    "(next is ",
                                                    next_output_, ")"));
}

double StimulusBlanking::HeldOr(std::int64_t sample, double otherwise) const {
  if (sample < next_output_ || sample >= next_input_) return otherwise;
  return held_[given_out_ + static_cast<std::size_t>(sample - next_output_)];
}

void StimulusBlanking::FlattenRange(const Range& range) {
  const double before = range.first == next_output_ - 1 ? last_emitted_ : kNaN;
  const double start = HeldOr(range.first, before);
  const double end = HeldOr(range.last, kNaN);
  const std::int64_t stop = std::min(range.last, next_input_);
  for (std::int64_t k = std::max(range.first + 1, next_output_); k < stop; ++k) {
    held_[given_out_ + static_cast<std::size_t>(k - next_output_)] =
        OnLine(k, range.first, start, range.last, end);
  }
}

void StimulusBlanking::Emit(bool at_end, std::vector<double>& output) {
  while (!ranges_.empty() && (ranges_.front().last < next_input_ || at_end)) {
    const Range range = ranges_.front();
    // A window that a later trigger could still lengthen is not closed yet.
    if (!at_end && range.last >= next_input_ - static_cast<std::int64_t>(delay_samples_)) break;
    FlattenRange(range);
    ranges_.pop_front();
  }
  std::int64_t end = at_end ? next_input_ : next_input_ - static_cast<std::int64_t>(delay_samples_);
  if (!ranges_.empty()) end = std::min(end, ranges_.front().first);
  if (end <= next_output_) return;
  const auto start = held_.begin() + static_cast<std::ptrdiff_t>(given_out_);
  output.insert(output.end(), start, start + (end - next_output_));
  last_emitted_ = output.back();
  given_out_ += static_cast<std::size_t>(end - next_output_);
  next_output_ = end;
  // When less is held than was given out, so that each sample is moved once at most.
  if (2 * given_out_ < held_.size()) return;
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(given_out_));
  given_out_ = 0;
}

void StimulusBlanking::Push(std::span<const double> input, std::vector<double>& output) {
  held_.insert(held_.end(), input.begin(), input.end());
  next_input_ += static_cast<std::int64_t>(input.size());
  Emit(false, output);
}

void StimulusBlanking::Flush(std::vector<double>& output) { Emit(true, output); }

void StimulusBlanking::Restart() {
  next_input_ = 0;
  next_output_ = 0;
  has_trigger_ = false;
  last_emitted_ = kNaN;
  held_.clear();
  given_out_ = 0;
  ranges_.clear();
}

}  // namespace remora::dsp
