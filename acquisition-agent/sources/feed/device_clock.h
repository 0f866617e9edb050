// A device's clock against the agent's, from one side only: when a device says that it sent a
// message, and when that arrived (docs/time.md, "Feeds").
//
//   arrived - sent = offset + delay,   delay >= the way's least, which nobody can know from here
//
// The offset moves as a straight line, as two oscillators drift apart; every message lies on that
// line or above it. So the line is the edge of the lower convex hull of what was seen in the last
// two minutes that lies under the middle (Moon, Skelly and Towsley 1999: the line below all points
// with the least sum of distances), over the quickest message of each second. A late message
// changes nothing; two quick ones fix the line.
//
// The offset in use moves towards the line by at most kMaxSlewPpb, so converted times stay in
// order.
//
// What cannot be seen from one side is the way's least delay: it stays in the offset, some 0.1 ms
// on a wired network, and falls out between two devices on the same one. Where a way is slow
// (radio, USB bridges of 16 ms) a device gives its times as if it had none.
//
// Thread-compatible value. Accuracy, with 50 messages a second delayed by 0 to 20 ms (exponential,
// mean 3 ms) and 50 ppm of drift: within 0.1 ms after 30 s; device_clock_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace remora::agent::feed {

// Two oscillators, 100 ppm each, and as much for a daemon that steers one of them, and for
// temperature. A line that is steeper is noise of few messages.
inline constexpr double kMaxClockSlope = 500e-6;
inline constexpr int64_t kMaxSlewPpb = 500'000;
// The quickest message of each second, for two minutes: short against changes of temperature.
inline constexpr int64_t kClockBinNs = 1'000'000'000;
inline constexpr size_t kMaxClockBins = 120;
// Before so much was seen there is no slope.
inline constexpr int64_t kSlopeFromNs = 4'000'000'000;
// A message that comes so much too early was sent by a clock that has stepped.
inline constexpr int64_t kClockStepNs = 100'000'000;
// And so do messages that are all so much too late, the quickest of so many seconds, for so long of
// the agent's time too: a bridge that slept, whose clock stood still. What only waited on its way
// comes in one go.
inline constexpr int kLateStepBins = 3;
inline constexpr int64_t kLateStepNs = 3'000'000'000;

class DeviceClock {
 public:
  enum class Outcome {
    kTaken,
    kStepped,  // taken, and all before it dropped: converted times jump
  };

  // Nothing that was known holds: another session.
  void Reset();
  // Times within kMaxTimeNs (limits.h); `sent` in device time, `arrived` in the agent's.
  Outcome Add(int64_t sent_ns, int64_t arrived_ns);
  // From here on the offset in use is slewed; until then it follows the line at once.
  void Settle() { settled_ = true; }

  bool known() const { return !bins_.empty(); }
  // Any device time, before or after what was seen. 0 before the first message.
  int64_t ToAgent(int64_t device_ns) const;
  // How far the quickest messages of the seconds lie above the line on average, and how far the
  // offset in use still is from it: what the conversion is uncertain by, but for the way's least
  // delay.
  int64_t BoundNs() const;
  // The agent's clock against the device's: positive where the device's is slow.
  double DriftPpm() const { return line_.slope * 1e6; }

 private:
  struct Seen {
    int64_t sent_ns = 0;
    int64_t offset_ns = 0;  // arrived - sent
  };
  // offset = at_ns + slope * (time - from_ns)
  struct Line {
    int64_t from_ns = 0;
    double at_ns = 0;
    double slope = 0;
    double At(int64_t device_ns) const {
      return at_ns + slope * static_cast<double>(device_ns - from_ns);
    }
  };

  void Fit();
  double OffsetInUse(int64_t device_ns) const;
  // By how much a message is before, or after, what is expected of it.
  double EarlyNs(const Seen& seen) const;
  double LateNs(const Seen& seen) const;
  // Counts a second that is over. True: so many were late that the clock has stepped.
  bool IsLateStep(const Seen& newest, int64_t arrived_ns);

  std::deque<Seen> bins_;
  std::vector<Seen> hull_;  // kept for its memory
  Line line_;
  // Offset in use less the line, at that time; shrinks from there on.
  int64_t behind_from_ns_ = 0;
  double behind_ns_ = 0;
  bool settled_ = false;
  // Seconds in a row whose quickest message was too late, and when the first of them came.
  int late_bins_ = 0;
  std::optional<int64_t> late_since_ns_;
};

}  // namespace remora::agent::feed
