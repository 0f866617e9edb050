// The clock of a stream: which moment of LSL time a sample of it was, and which sample a moment is.
//
// Samples are counted on the stream's own grid, missing ones too. Time stamps of a stream are not
// to be taken one by one: they jitter by how chunks travel, and the sender's crystal drifts. This
// is a straight line through them, each weighing half as much after kHalfLifeS, with the nominal
// rate as its slope until kSettleS of samples are known and never farther from it than
// kMostDeviation.
//
// Thread-compatible. Delay: none; the line follows a drift that changes with a lag of about
// kHalfLifeS. Accuracy: with stamps that jitter by s (independent), the standard error of the line
// at its end is about 2 s / sqrt(n), n = stamps within kHalfLifeS.
//
// Source: weighted least squares in the running form of West 1979, with exponential forgetting.
#pragma once

#include <cstdint>

namespace remora::agent::lsl {

class StreamClock {
 public:
  static constexpr double kHalfLifeS = 30;
  static constexpr double kSettleS = 10;
  static constexpr double kMostDeviation = 0.02;  // of the nominal rate

  explicit StreamClock(double nominal_rate_hz);

  bool started() const { return weight_ > 0; }
  // Enough is known for its slope to be believed.
  bool settled() const { return last_index_ - first_index_ >= kSettleS * rate_hz_; }

  // Forgets all: sample `index` was at `time_s`.
  void Restart(double index, double time_s);
  // Sample `index`, not before the last one, was stamped `time_s`; both finite.
  void Add(double index, double time_s);

  double TimeOf(double index) const { return mean_time_ + slope() * (index - mean_index_); }
  double IndexOf(double time_s) const { return mean_index_ + (time_s - mean_time_) / slope(); }
  double slope() const;  // seconds a sample

 private:
  double rate_hz_;
  double keep_;  // of a weight, a sample later
  double weight_ = 0;
  double mean_index_ = 0;
  double mean_time_ = 0;
  double index_index_ = 0;  // weighted sums of products, about the means
  double index_time_ = 0;
  double first_index_ = 0;
  double last_index_ = 0;
};

}  // namespace remora::agent::lsl
