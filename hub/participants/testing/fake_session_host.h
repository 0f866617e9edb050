#pragma once

// A hub's core for the tests of transports. What a session is sent, as text:
//
//   echo TEXT    TEXT comes back to the sender
//   all TEXT     TEXT goes to every session, as slices that all of them share
//   large N      N bytes come back as one message
//   bulk N       N KiB come back, as slices of 1 KiB each
//   close CODE   the session ends with that absl::StatusCode
//
// Sequence-bound like the real one; counts are read after the sequence stopped or through atomics.

#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hub/participants/authenticator.h"
#include "hub/participants/session.h"
#include "hub/participants/transport_observer.h"

namespace remora::hub {

class FakeSessionHost final : public SessionHost {
 public:
  FakeSessionHost();
  ~FakeSessionHost() override;
  std::unique_ptr<Session> Open(const Identity& identity, Peer* peer) override;
  void EndOfDrain() override;
  // Offers `bytes` to every session.
  void Broadcast(const SharedBytes& bytes);

  int open_sessions() const { return open_sessions_; }
  int opened() const { return opened_; }
  // Bytes that TakeBatch gave away.
  size_t bytes_taken() const { return bytes_taken_; }
  // The most owners that one shared slice of "all" had when it was handed to a transport.
  long most_owners() const { return most_owners_; }

 private:
  friend class FakeSession;
  std::set<class FakeSession*> sessions_;
  std::set<class FakeSession*> dirty_;
  std::atomic<int> open_sessions_{0};
  std::atomic<int> opened_{0};
  std::atomic<size_t> bytes_taken_{0};
  std::atomic<long> most_owners_{0};
};

// Knows "token-NAME" for every NAME but "nobody"; a name that starts with "agent" is an agent.
class FakeAuthenticator final : public Authenticator {
 public:
  absl::StatusOr<Identity> Authenticate(absl::string_view token) override;
};

class CountingObserver final : public TransportObserver {
 public:
  void OnSessionOpened(Transport, v1::Role) override { ++opened; }
  void OnSessionClosed(Transport, v1::Role, const absl::Status&) override { ++closed; }
  void OnRefused(Transport, TransportRefusal refusal) override {
    ++refused[static_cast<int>(refusal)];
  }
  void OnMessageReceived(Transport, size_t) override { ++messages; }
  void OnBatchWritten(Transport, size_t, size_t) override { ++batches; }
  void OnHttpResponse(int) override { ++responses; }
  void OnDrain(int, Duration) override { ++drains; }
  int refusals(TransportRefusal refusal) const { return refused[static_cast<int>(refusal)]; }

  std::atomic<int> opened{0}, closed{0}, messages{0}, batches{0}, responses{0}, drains{0};
  std::atomic<int> refused[kTransportRefusalCount]{};
};

}  // namespace remora::hub
