#pragma once

// The network between participants and the hub, and the transport at both of its ends: the link's
// Stream on one, the hub's Session and Peer on the other.
//
// A connection is a byte stream each way, in order, with latency, jitter, a rate and a buffer:
// whoever writes waits while the buffer is full, and it empties only as the other end reads. It
// can stand still for a time and go on, swallow everything without a word (half open), and be cut,
// which the two ends hear of at different times. What was on its way in a connection that was given
// up may still arrive, after the next connection has begun. Sequence-bound to the simulation.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/link/stream.h"
#include "common/random.h"
#include "hub/participants/session.h"
#include "tests/simulation/counters.h"
#include "tests/simulation/event_loop.h"

namespace remora::simulation {

// Defects of the transport, for the checkers to find.
enum class Planted {
  kNone,
  kLostSync,
  kSwappedOrder,
  kUnboundedQueue,
  kSkippedGap,
  kUnkeptArchive
};

struct LinkPlan {
  Duration latency = Duration::Milliseconds(5);
  Duration jitter;
  double bytes_per_second = 10e6;
  size_t buffer_bytes = 64 * 1024;
};

// What a participant speaks: all, or as one of version 1, or as if the hub were of version 1.
enum class Speaks { kAll, kVersion1, kVersion1ToHub };

class Connection;

// The hub as the network finds it.
class HubPort {
 public:
  virtual ~HubPort() = default;
  virtual Process& process() = 0;
  // Null while no hub runs.
  virtual hub::SessionHost* host() = 0;
  // Input came: EndOfDrain is due when all that waits is taken.
  virtual void OnInput() = 0;
  virtual void OnConnection(std::shared_ptr<Connection> connection) = 0;
};

// What the world wants to see of what goes over the wire.
class WireTap {
 public:
  virtual ~WireTap() = default;
  // An honest participant writes a message.
  virtual void OnUp(const Connection& connection, absl::string_view up) = 0;
  // The hub gives a message to the network.
  virtual void OnDown(const Connection& connection, absl::string_view down) = 0;
  // A participant reads a message.
  virtual void OnClientRead(const Connection& connection) = 0;
  // The hub reads a message of this participant.
  virtual void OnHubRead(const Connection& connection, absl::string_view up) = 0;
  virtual void Fail(const std::string& what) = 0;
};

// A participant's network card.
class ClientPort final : public Dialer {
 public:
  ClientPort(Process& process, HubPort& hub, WireTap& tap, Counters& counters,
             hub::Identity identity, const LinkPlan& plan, Speaks speaks, Planted planted,
             uint64_t seed);
  ~ClientPort() override;

  std::unique_ptr<Stream> Dial(Stream::Listener& listener) override;

  // Faults. The newest connection is reset: both ends hear of it, sooner or later. False: there is
  // none.
  bool Cut();
  // The newest connection swallows what is sent: up, down or both.
  bool Swallow(bool up, bool down);
  // Nothing gets through until then; what was sent arrives afterwards.
  void StandStillUntil(Duration when) { stands_still_until_ = when; }
  // The participant's machine is gone without a word to anybody.
  void LosePower();
  // The network is well, from the next connection on; old ones that swallow stay so.
  void Heal();
  // The hub is asked to join once more, as by an impatient participant.
  bool RepeatJoin(absl::string_view case_id, const std::string& theatre);

  // Both ends have its newest connection, and nothing that is sent over it is swallowed.
  bool IsConnected() const;

  // How the participant reads: not at all, or one message at a time, so far apart.
  void SetReading(bool reads, Duration interval);

  Process& process() { return process_; }
  const hub::Identity& identity() const { return identity_; }
  const LinkPlan& plan() const { return plan_; }
  Speaks speaks() const { return speaks_; }
  // A liar's bytes are not those of a link: the tap does not look at them.
  bool honest = true;

 private:
  friend class Connection;
  friend class SimulatedStream;

  Process& process_;
  HubPort& hub_;
  WireTap& tap_;
  Counters& counters_;
  const hub::Identity identity_;
  const LinkPlan plan_;
  const Speaks speaks_;
  const Planted planted_;
  const std::unique_ptr<Random> random_;
  Duration stands_still_until_;
  bool reads_ = true;
  Duration read_interval_;
  std::vector<std::weak_ptr<Connection>> connections_;
  uint64_t dials_ = 0;
};

class Connection final : public hub::Peer, public std::enable_shared_from_this<Connection> {
 public:
  Connection(ClientPort& client, uint64_t number, Stream::Listener& listener);
  ~Connection() override;

  // The client's end.
  void Open();
  void ClientWrite(std::string up);
  bool ClientWritable() const;
  // The participant is done with it: with a last word to the hub, or without.
  void ClientGone();
  void ResumeReading();

  // The hub's end.
  void WantWrite() override;
  void CloseAfterWrites(absl::Status status) override;
  // The process died: with a reset from its kernel, or with its machine.
  void HubDied(bool silently);
  bool is_open() const {
    return session_ != nullptr && !closing_ && listener_ != nullptr && !up_.swallows &&
           !down_.swallows;
  }

  void Cut();
  void Swallow(bool up, bool down);
  // More was given to a stream that had no room.
  bool is_overfull() const { return overfull_; }
  const ClientPort& client() const { return client_; }
  // Of all connections of its participant, from 1.
  uint64_t number() const { return number_; }

 private:
  struct Message {
    std::string bytes;
    bool ends = false;
    absl::Status status;
  };
  struct Pipe {
    std::deque<Message> arrived;
    size_t buffered_bytes = 0;  // written and not read
    Duration free_at;
    Duration last_arrival;
    bool swallows = false;
    bool reading = false;
    bool HasRoom(size_t limit) const { return buffered_bytes == 0 || buffered_bytes < limit; }
  };

  Duration Jitter(Duration up_to);
  void Send(Pipe* pipe, Message message);
  void OnArrival(Pipe* pipe, Message message);
  void Accept();
  void ReadAtHub();
  void PumpDown();
  void GiveDown(std::string bytes);
  void ReadAtClient();
  void OfferWritable();
  // Ends one end after `delay`, as its kernel tells it.
  void EndAtClient(Duration delay, absl::Status status);
  void EndAtHub(Duration delay);
  void DropSession();

  ClientPort& client_;
  const uint64_t number_;
  Process& client_process_;
  Process& hub_process_;
  Stream::Listener* listener_;  // null: the participant is done with it, or has been told
  bool client_open_ = false;
  bool client_wants_room_ = false;
  bool client_told_writable_ = false;
  Pipe up_;
  Pipe down_;
  std::unique_ptr<hub::Session> session_;
  bool closing_ = false;
  bool pump_posted_ = false;
  bool overfull_ = false;
  absl::Status close_status_;
  Duration next_read_at_;
  std::string held_back_;  // a swapped message
};

}  // namespace remora::simulation
