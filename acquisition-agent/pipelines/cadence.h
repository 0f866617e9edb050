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

  // Stimuli are waited for from now on; later calls change nothing.
  void Start(int64_t now_ns);
  // A stimulus came. Returns how many should have come since the one before it and did not.
  int OnStimulus(int64_t time_ns, std::optional<double> stated_rate_hz);
  // None has come for so long (three periods, at least 2 s) that they are missing; from the start
  // on they may take longer.
  bool IsMissing(int64_t now_ns) const;
  // Whether that many are missing between two stimuli.
  bool IsPause(int64_t from_ns, int64_t to_ns) const;
  // Since the start there has been none.
  bool never_came() const { return !any_; }
  int64_t start_ns() const { return start_ns_.value_or(0); }
  // Stimuli since the last pause: three in a row are a cadence again.
  int in_a_row() const { return in_a_row_; }
  int64_t last_ns() const { return last_ns_; }
  // 0: not known.
  double rate_hz() const;

 private:
  const double planned_rate_hz_;
  std::optional<double> stated_rate_hz_;
  std::deque<int64_t> intervals_ns_;
  std::optional<int64_t> start_ns_;
  bool any_ = false;
  int64_t last_ns_ = 0;
  int in_a_row_ = 0;
};

}  // namespace remora::agent
