#pragma once

// One direction of a link as what limits it: a bounded buffer, a rate, a way that takes time. Bytes
// of all connections of the link share it and leave in the order they entered; the order within a
// connection is kept whatever the jitter.
//
//   Enter --> [buffer: waits for its turn at the rate] --> [under way: delay + jitter] --> Arrive
//
// Knows no sockets; time is handed in, and never goes back. Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "common/random.h"
#include "common/time.h"
#include "tests/faults/limits.h"

namespace remora::testing {

struct LinkShape {
  Duration delay = Duration();
  // Uniform between nothing and this, for each packet.
  Duration jitter = Duration();
  // 0: no limit.
  uint64_t rate_bits_per_second = 0;
  size_t buffer_bytes = kDefaultBufferBytes;
  size_t bucket_bytes = kDefaultBucketBytes;
};

class Bottleneck {
 public:
  enum class Kind { kBytes, kEnd, kReset };
  struct Packet {
    uint64_t connection = 0;
    Kind kind = Kind::kBytes;
    std::string bytes;
  };

  explicit Bottleneck(Random& random) : random_(random) {}

  // For what begins to leave from now on.
  void SetShape(DeviceTime now, const LinkShape& shape);
  const LinkShape& shape() const { return shape_; }

  // How many bytes it takes now; who offers more than this loses nothing by waiting.
  size_t Space(DeviceTime now);
  // Ends and resets take no space. Bytes beyond Space() are taken as well.
  void Enter(DeviceTime now, Packet packet);
  // The next packet that has arrived by `now`.
  std::optional<Packet> Arrive(DeviceTime now);
  // When Space() or Arrive() will next have more to give.
  std::optional<DeviceTime> NextEvent() const;
  // What of this connection waits or is under way is lost.
  void Forget(uint64_t connection);

 private:
  struct Waiting {
    DeviceTime entered;
    Packet packet;
  };
  Duration Transmission(size_t bytes) const;
  // When the first packet that waits has left.
  DeviceTime LeavesAt() const;
  // Moves what has left by `now` onto the way.
  void Advance(DeviceTime now);

  Random& random_;
  LinkShape shape_;
  DeviceTime busy_until_;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  std::multimap<DeviceTime, Packet> flying_;
  size_t flying_bytes_ = 0;
  std::map<uint64_t, DeviceTime> last_arrival_;
};

}  // namespace remora::testing
