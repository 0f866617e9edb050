// Does stimulation run at its cadence? One a trace; the rate is the plan's, the source's, or what
// was seen. Thread-compatible value.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace remora::agent {

class Cadence {
 public:
  // `planned_rate_hz` 0: not known.
  explicit Cadence(double planned_rate_hz) : planned_rate_hz_(planned_rate_hz) {}

  // A stimulus came. Returns how many should have come since the one before it and did not.
  int OnStimulus(int64_t time_ns, std::optional<double> stated_rate_hz);
  // None has come for so long (three periods, at least 2 s) that they are missing. Before the first
  // stimulus there is no cadence to miss: stimulation has not begun.
  bool IsMissing(int64_t now_ns) const;
  // Stimuli since the last pause: three in a row are a cadence again.
  int in_a_row() const { return in_a_row_; }
  int64_t last_ns() const { return last_ns_; }
  // 0: not known.
  double rate_hz() const;

 private:
  const double planned_rate_hz_;
  std::optional<double> stated_rate_hz_;
  std::deque<int64_t> intervals_ns_;
  bool any_ = false;
  int64_t last_ns_ = 0;
  int in_a_row_ = 0;
};

}  // namespace remora::agent
