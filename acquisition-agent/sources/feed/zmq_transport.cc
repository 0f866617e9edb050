#include "acquisition-agent/sources/feed/zmq_transport.h"

#include <pthread.h>
#include <signal.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/feed/address.h"
#include "acquisition-agent/sources/feed/limits.h"
#include "common/mutex.h"
#include "common/status_macros.h"

namespace remora::agent::feed {
namespace {

// Nothing waits at the end.
constexpr int kLingerMs = 0;
// After a device went away: soon again, and then each two seconds.
constexpr int kReconnectMs = 100;
constexpr int kMaxReconnectMs = 2'000;
// TCP's own probes: a cable that was pulled is noticed in 8 s, and connected anew when it is back.
// Not ZeroMQ's pings: older libraries do not know them.
constexpr int kProbeAfterS = 5;
constexpr int kProbeEachS = 1;
constexpr int kProbes = 3;
constexpr int kHandshakeMs = 5'000;
// So often the thread sees that it is to stop, or that there is room again.
constexpr long kLookMs = 20;

std::string LastError() { return zmq_strerror(zmq_errno()); }

struct CloseSocket {
  void operator()(void* socket) const { zmq_close(socket); }
};
struct EndContext {
  void operator()(void* context) const { zmq_ctx_term(context); }
};
using Socket = std::unique_ptr<void, CloseSocket>;

// One frame of a message, released at the end of its scope.
class Frame {
 public:
  Frame() { zmq_msg_init(&message_); }
  ~Frame() { zmq_msg_close(&message_); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  bool Receive(void* socket) { return zmq_msg_recv(&message_, socket, ZMQ_DONTWAIT) >= 0; }
  bool more() const { return zmq_msg_more(&message_) != 0; }
  std::string text() {
    return std::string(static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_));
  }

 private:
  zmq_msg_t message_;
};

size_t BytesOf(const std::vector<std::string>& frames) {
  size_t bytes = 0;
  for (const std::string& frame : frames) bytes += frame.size();
  return bytes;
}

// The frames of the next message, the first kMaxFrames of them; empty: there is none.
std::vector<std::string> ReceiveFrames(void* socket) {
  std::vector<std::string> frames;
  bool more = true;
  while (more) {
    Frame frame;
    if (!frame.Receive(socket)) return {};
    more = frame.more();
    if (frames.size() < kMaxFrames) frames.push_back(frame.text());
  }
  return frames;
}

class ZmqTransport : public Transport {
 public:
  explicit ZmqTransport(std::shared_ptr<const Clock> clock)
      : clock_(std::move(clock)), context_(zmq_ctx_new()) {}
  ~ZmqTransport() override {
    stopping_.store(true);
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Connect(const FeedAddress& address, const CurveKey& own);
  // After the last Connect: from now on the sockets are the thread's.
  void Start();
  const std::vector<std::string>& addresses() const override { return addresses_; }
  std::optional<Arrival> Receive(Duration wait) override;
  bool all_received() const override;

 private:
  struct Connection {
    Socket feed;
    Socket monitor;
    bool up = false;
    std::string said;  // what was last said of it: not again
  };

  void Run();
  // Takes one message or notice of each connection. False: there was none.
  bool Look();
  // What the monitor has seen, where a person should know.
  std::string NoticeOf(Connection* connection);
  void Put(size_t device, std::vector<std::string> frames, std::string notice);
  // False, too: ZeroMQ may hold more of it, which all_received tells until it does not.
  bool HasRoom(size_t device);
  void TookAll(size_t device);

  const std::shared_ptr<const Clock> clock_;
  std::unique_ptr<void, EndContext> context_;
  std::vector<std::string> addresses_;
  std::vector<Connection> connections_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  ConditionVariable has_arrived_;
  std::deque<Arrival> waiting_ ABSL_GUARDED_BY(mutex_);
  // Of each device.
  struct Load {
    size_t messages = 0;
    size_t bytes = 0;
    bool held_back = false;  // in ZeroMQ, for lack of room here
  };
  std::vector<Load> load_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

absl::Status Set(void* socket, int option, int value) {
  if (zmq_setsockopt(socket, option, &value, sizeof value) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("ZeroMQ: option ", option, ": ", LastError()));
}

absl::Status SetText(void* socket, int option, const std::string& text) {
  if (zmq_setsockopt(socket, option, text.data(), text.size()) == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("ZeroMQ: keys cannot be used: ", LastError(),
                   zmq_has("curve") == 0 ? " (this libzmq was built without CURVE)" : ""));
}

absl::Status SetKeys(void* socket, const std::string& server_key, const CurveKey& own) {
  // ZeroMQ takes a key of 40 characters with the zero that ends it.
  const auto ended = [](const std::string& key) {
    return std::string(key.c_str(), key.size() + 1);
  };
  RETURN_IF_ERROR(SetText(socket, ZMQ_CURVE_SERVERKEY, ended(server_key)));
  RETURN_IF_ERROR(SetText(socket, ZMQ_CURVE_PUBLICKEY, ended(own.public_key)));
  return SetText(socket, ZMQ_CURVE_SECRETKEY, ended(own.secret_key));
}

absl::Status ZmqTransport::Connect(const FeedAddress& address, const CurveKey& own) {
  Connection connection;
  connection.feed.reset(zmq_socket(context_.get(), ZMQ_SUB));
  if (connection.feed == nullptr)
    return absl::UnavailableError(absl::StrCat("ZeroMQ: no socket: ", LastError()));
  void* feed = connection.feed.get();
  RETURN_IF_ERROR(Set(feed, ZMQ_RCVHWM, kReceiveQueueMessages));
  RETURN_IF_ERROR(Set(feed, ZMQ_LINGER, kLingerMs));
  RETURN_IF_ERROR(Set(feed, ZMQ_RECONNECT_IVL, kReconnectMs));
  RETURN_IF_ERROR(Set(feed, ZMQ_RECONNECT_IVL_MAX, kMaxReconnectMs));
  RETURN_IF_ERROR(Set(feed, ZMQ_TCP_KEEPALIVE, 1));
  RETURN_IF_ERROR(Set(feed, ZMQ_TCP_KEEPALIVE_IDLE, kProbeAfterS));
  RETURN_IF_ERROR(Set(feed, ZMQ_TCP_KEEPALIVE_INTVL, kProbeEachS));
  RETURN_IF_ERROR(Set(feed, ZMQ_TCP_KEEPALIVE_CNT, kProbes));
  RETURN_IF_ERROR(Set(feed, ZMQ_HANDSHAKE_IVL, kHandshakeMs));
  RETURN_IF_ERROR(Set(feed, ZMQ_IPV6, 1));
  const int64_t most_bytes = kMaxMessageBytes;
  zmq_setsockopt(feed, ZMQ_MAXMSGSIZE, &most_bytes, sizeof most_bytes);
  zmq_setsockopt(feed, ZMQ_SUBSCRIBE, "", 0);
  if (!address.server_key.empty()) RETURN_IF_ERROR(SetKeys(feed, address.server_key, own));

  const std::string monitor = absl::StrCat("inproc://monitor-", connections_.size());
  connection.monitor.reset(zmq_socket(context_.get(), ZMQ_PAIR));
  if (connection.monitor == nullptr ||
      zmq_socket_monitor(feed, monitor.c_str(), ZMQ_EVENT_ALL) != 0 ||
      zmq_connect(connection.monitor.get(), monitor.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("ZeroMQ: no monitor: ", LastError()));
  }
  RETURN_IF_ERROR(Set(connection.monitor.get(), ZMQ_LINGER, kLingerMs));
  if (zmq_connect(feed, address.endpoint.c_str()) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(address.endpoint, ": ZeroMQ cannot use it: ", LastError()));
  }
  addresses_.push_back(address.endpoint);
  connections_.push_back(std::move(connection));
  return absl::OkStatus();
}

std::string ZmqTransport::NoticeOf(Connection* connection) {
  const std::vector<std::string> frames = ReceiveFrames(connection->monitor.get());
  if (frames.empty() || frames[0].size() < 6) return "";
  uint16_t event = 0;
  std::memcpy(&event, frames[0].data(), sizeof event);
  switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      connection->up = true;
      return "connected";
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      return "the device refused this agent's key: give it the agent's .key file (key=FILE here "
             "names the secret one)";
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      return "the two sides did not agree on security: the device's key is not the one in "
             "server_key=FILE, it refuses this agent's key, or one of the two uses keys and the "
             "other none";
    case ZMQ_EVENT_DISCONNECTED:
      // After a refusal too, which says more.
      return std::exchange(connection->up, false) ? "the connection was lost" : "";
    default:
      return "";
  }
}

void ZmqTransport::Put(size_t device, std::vector<std::string> frames, std::string notice) {
  const DeviceTime now = clock_->Now();
  MutexLock lock(&mutex_);
  ++load_[device].messages;
  load_[device].bytes += BytesOf(frames);
  waiting_.push_back({device, now, std::move(frames), std::move(notice)});
  has_arrived_.NotifyOne();
}

bool ZmqTransport::HasRoom(size_t device) {
  MutexLock lock(&mutex_);
  Load& load = load_[device];
  if (load.messages < kMaxTakenMessages && load.bytes < kMaxTakenBytes) return true;
  load.held_back = true;
  return false;
}

void ZmqTransport::TookAll(size_t device) {
  MutexLock lock(&mutex_);
  load_[device].held_back = false;
}

bool ZmqTransport::all_received() const {
  MutexLock lock(&mutex_);
  return waiting_.empty() &&
         std::none_of(load_.begin(), load_.end(), [](const Load& load) { return load.held_back; });
}

bool ZmqTransport::Look() {
  bool any = false;
  for (size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    std::string notice = NoticeOf(&connection);
    if (!notice.empty() && notice != connection.said) {
      connection.said = notice;
      any = true;
      Put(i, {}, std::move(notice));
    }
    if (!HasRoom(i)) continue;
    std::vector<std::string> frames = ReceiveFrames(connection.feed.get());
    if (frames.empty()) {
      TookAll(i);
      continue;
    }
    any = true;
    Put(i, std::move(frames), "");
  }
  return any;
}

void ZmqTransport::Start() {
  {
    MutexLock lock(&mutex_);
    load_.resize(connections_.size());
  }
  thread_ = std::thread([this] { Run(); });
}

void ZmqTransport::Run() {
  // Signals are the main thread's.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::vector<zmq_pollitem_t> items;
  while (!stopping_.load()) {
    items.clear();
    for (size_t i = 0; i < connections_.size(); ++i) {
      items.push_back({connections_[i].monitor.get(), 0, ZMQ_POLLIN, 0});
      if (HasRoom(i)) items.push_back({connections_[i].feed.get(), 0, ZMQ_POLLIN, 0});
    }
    zmq_poll(items.data(), static_cast<int>(items.size()), kLookMs);
    while (!stopping_.load() && Look()) continue;
  }
}

std::optional<Arrival> ZmqTransport::Receive(Duration wait) {
  MutexLock lock(&mutex_);
  if (waiting_.empty() && wait > Duration()) {
    has_arrived_.WaitFor(&mutex_, std::chrono::nanoseconds(wait.nanoseconds()));
  }
  if (waiting_.empty()) return std::nullopt;
  Arrival arrival = std::move(waiting_.front());
  waiting_.pop_front();
  --load_[arrival.device].messages;
  load_[arrival.device].bytes -= BytesOf(arrival.frames);
  return arrival;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> OpenZmqTransport(
    const std::vector<FeedAddress>& addresses, const CurveKey& own,
    std::shared_ptr<const Clock> clock) {
  auto transport = std::make_unique<ZmqTransport>(std::move(clock));
  for (const FeedAddress& address : addresses) {
    RETURN_IF_ERROR(CheckEndpoint(address.endpoint));
    if (address.server_key.empty() && !IsLocal(address.endpoint)) {
      return absl::InvalidArgumentError(
          absl::StrCat(address.endpoint,
                       ": a device on another machine needs keys: key=FILE and "
                       "server_key=FILE. `remora-agent feed-keys DIR` makes them"));
    }
    if (!address.server_key.empty() && (!IsKey(address.server_key) || !IsKey(own.secret_key))) {
      return absl::InvalidArgumentError(absl::StrCat(
          address.endpoint, ": needs key=FILE (this agent's) and server_key=FILE (the device's)"));
    }
    RETURN_IF_ERROR(transport->Connect(address, own));
  }
  transport->Start();
  return transport;
}

absl::StatusOr<CurveKey> MakeCurveKey() {
  char public_key[kKeyCharacters + 1] = {};
  char secret_key[kKeyCharacters + 1] = {};
  if (zmq_curve_keypair(public_key, secret_key) != 0) {
    return absl::UnavailableError(absl::StrCat("ZeroMQ: no keys: ", LastError()));
  }
  return CurveKey{public_key, secret_key};
}

}  // namespace remora::agent::feed
