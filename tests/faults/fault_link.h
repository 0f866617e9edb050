#pragma once

// A listening port whose connections are forwarded to a target, with a link's faults between the
// two. Driven by its owner: Step() does all that can be done now. Sequence-bound by its owner.
//
//          client --> [read] --> up   Bottleneck --> [unwritten] --> target
//          client <-- [unwritten] <-- Bottleneck down <-- [read] <-- target
//
// All connections of a link share its two bottlenecks.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/random.h"
#include "tests/faults/bottleneck.h"
#include "tests/faults/fault_command.h"
#include "tests/faults/sockets.h"

namespace remora::testing {

struct LinkCounts {
  uint64_t accepted = 0;
  uint64_t open = 0;
  uint64_t up_bytes = 0;    // written to the target
  uint64_t down_bytes = 0;  // written to who connected
  uint64_t swallowed_bytes = 0;
};

class FaultLink {
 public:
  // Listens on 127.0.0.1:`listen_port`, 0 for any; forwards to 127.0.0.1:`target_port`.
  static absl::StatusOr<std::unique_ptr<FaultLink>> Make(Poll& poll, Random& random,
                                                         int listen_port, int target_port);
  ~FaultLink();

  int port() const { return port_; }
  LinkCounts counts() const;

  // What undoes the command, for `for`.
  using Undo = std::function<void(FaultLink&, DeviceTime)>;
  Undo Apply(DeviceTime now, const FaultCommand& command);

  // Does what can be done. True: there is more to do at once.
  bool Step(DeviceTime now);
  // When Step() has something to do even if no socket has.
  std::optional<DeviceTime> NextStep() const;

 private:
  static constexpr int kUp = 0, kDown = 1;        // directions
  static constexpr int kClient = 0, kTarget = 1;  // sides; direction d goes from side d to 1 - d
  struct Side {
    Descriptor socket;
    Readiness ready;
    uint64_t watch = 0;
    bool connecting = false;
    bool ended = false;    // nothing more comes from it
    bool end_due = false;  // its end goes out after what is unwritten
    bool end_written = false;
    std::string unwritten;
  };
  struct Connection {
    std::array<Side, 2> sides;
    bool held = false;
    DeviceTime held_until;
    bool tainted = false;  // bytes were swallowed: it can never go on
    std::optional<DeviceTime> lingers_until;
  };
  using Connections = std::map<uint64_t, std::unique_ptr<Connection>>;

  FaultLink(Poll& poll, Random& random)
      : poll_(poll), way_{Bottleneck(random), Bottleneck(random)} {}

  absl::Status OpenListener();
  void SetShape(DeviceTime now, int direction, const FaultCommand& command);
  void Open(Connection& connection, int side, Descriptor socket);
  void Close(Connection& connection, int side, bool reset);
  void Gone(DeviceTime now, uint64_t id, Connection& connection, int side);
  void AcceptAll(DeviceTime now);
  void ConnectTarget(DeviceTime now, uint64_t id, Connection& connection);
  bool Read(DeviceTime now, uint64_t id, Connection& connection, int side);
  bool ReadOnce(DeviceTime now, uint64_t id, Connection& connection, int side, size_t most);
  void Arrived(Bottleneck::Packet packet, int direction);
  bool Write(DeviceTime now, uint64_t id, Connection& connection, int side);
  void Answered(uint64_t id);
  void EndAll(DeviceTime now, bool reset);
  void SetListening();
  bool swallowing() const { return swallow_[kUp] || swallow_[kDown]; }

  Poll& poll_;
  int port_ = 0;
  int target_port_ = 0;
  Descriptor keeper_;  // keeps the port while nobody listens
  Descriptor listener_;
  Readiness acceptable_;
  uint64_t listener_watch_ = 0;
  std::array<Bottleneck, 2> way_;
  Connections connections_;
  uint64_t next_ = 1;
  bool cut_ = false, refuse_ = false, hold_next_ = false;
  std::array<bool, 2> stall_{}, swallow_{};
  LinkCounts counts_;
};

}  // namespace remora::testing
