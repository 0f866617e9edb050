#include "tests/simulation/network.h"

#include <algorithm>

#include "common/check.h"
#include "common/limits.h"
#include "remora/v1/room.pb.h"

namespace remora::simulation {
namespace {

// A dead peer is found by the transport's keepalive within so long (10 s and 5 s, hub/participants/
// limits.h).
constexpr Duration kKeepalive = Duration::Seconds(10);
constexpr Duration kKeepaliveTimeout = Duration::Seconds(5);
constexpr char kRecordsTag = 0x0a;

// As a participant, or towards a hub, of version 1.
std::string AsVersion1(std::string bytes, Speaks speaks) {
  v1::Up up;
  if (!up.ParseFromString(bytes)) return bytes;
  if (up.has_hello()) {
    up.mutable_hello()->set_maximum_version(1);
  } else if (speaks != Speaks::kVersion1) {
    return bytes;
  } else if (up.has_follow() && up.follow().has_cursor()) {
    up.mutable_follow()->mutable_cursor()->clear_complete_seq();
    up.mutable_follow()->mutable_cursor()->clear_complete_digest();
  } else if (up.backlog()) {
    up.clear_backlog();
  } else {
    return bytes;
  }
  return up.SerializeAsString();
}

}  // namespace

class SimulatedStream final : public Stream {
 public:
  explicit SimulatedStream(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~SimulatedStream() override { connection_->ClientGone(); }
  void Write(std::string up) override { connection_->ClientWrite(std::move(up)); }
  bool writable() const override { return connection_->ClientWritable(); }
  void Close() override { connection_->ClientGone(); }

 private:
  const std::shared_ptr<Connection> connection_;
};

ClientPort::ClientPort(Process& process, HubPort& hub, WireTap& tap, Counters& counters,
                       hub::Identity identity, const LinkPlan& plan, Speaks speaks, Planted planted,
                       uint64_t seed)
    : process_(process),
      hub_(hub),
      tap_(tap),
      counters_(counters),
      identity_(std::move(identity)),
      plan_(plan),
      speaks_(speaks),
      planted_(planted),
      random_(MakeSeededRandom(seed)) {}

ClientPort::~ClientPort() = default;

std::unique_ptr<Stream> ClientPort::Dial(Stream::Listener& listener) {
  std::erase_if(connections_, [](const auto& connection) { return connection.expired(); });
  auto connection = std::make_shared<Connection>(*this, ++dials_, listener);
  connections_.push_back(connection);
  connection->Open();
  return std::make_unique<SimulatedStream>(std::move(connection));
}

bool ClientPort::Cut() {
  const auto connection = connections_.empty() ? nullptr : connections_.back().lock();
  if (connection != nullptr) connection->Cut();
  return connection != nullptr;
}

bool ClientPort::Swallow(bool up, bool down) {
  const auto connection = connections_.empty() ? nullptr : connections_.back().lock();
  if (connection != nullptr) connection->Swallow(up, down);
  return connection != nullptr;
}

bool ClientPort::IsConnected() const {
  if (connections_.empty()) return false;
  const auto connection = connections_.back().lock();
  return connection != nullptr && connection->is_open();
}

void ClientPort::LosePower() {
  for (const auto& weak : connections_) {
    if (const auto connection = weak.lock()) connection->Swallow(true, true);
  }
}

void ClientPort::Heal() { stands_still_until_ = Duration(); }

bool ClientPort::RepeatJoin(absl::string_view case_id, const std::string& theatre) {
  const auto connection = connections_.empty() ? nullptr : connections_.back().lock();
  if (connection == nullptr || !connection->ClientWritable()) return false;
  v1::Up up;
  up.mutable_join()->set_case_id(std::string(case_id));
  up.mutable_join()->set_theatre(theatre);
  connection->ClientWrite(up.SerializeAsString());
  return true;
}

void ClientPort::SetReading(bool reads, Duration interval) {
  reads_ = reads;
  read_interval_ = interval;
  for (const auto& weak : connections_) {
    if (const auto connection = weak.lock()) connection->ResumeReading();
  }
}

Connection::Connection(ClientPort& client, uint64_t number, Stream::Listener& listener)
    : client_(client),
      number_(number),
      client_process_(client.process_),
      hub_process_(client.hub_.process()),
      listener_(&listener) {}

Connection::~Connection() = default;

Duration Connection::Jitter(Duration up_to) {
  if (up_to == Duration()) return up_to;
  return Duration::Nanoseconds(
      static_cast<int64_t>(client_.random_->Below(static_cast<uint64_t>(up_to.nanoseconds()))));
}

void Connection::Open() {
  EventLoop& loop = client_process_.loop();
  const Duration there = client_.plan_.latency + Jitter(client_.plan_.jitter);
  loop.After(there, [self = shared_from_this()] {
    EventLoop& world = self->client_process_.loop();
    if (self->listener_ == nullptr || world.now() < self->client_.stands_still_until_) return;
    if (self->client_.hub_.host() == nullptr) {
      return self->EndAtClient(self->client_.plan_.latency,
                               absl::UnavailableError("connection refused"));
    }
    self->client_.hub_.OnConnection(self);
    self->hub_process_.Post([self] { self->Accept(); });
  });
}

void Connection::Accept() {
  if (client_.hub_.host() == nullptr) return;
  session_ = client_.hub_.host()->Open(client_.identity_, this);
  const Duration back = client_.plan_.latency + Jitter(client_.plan_.jitter);
  client_process_.loop().After(back, [self = shared_from_this()] {
    if (self->listener_ == nullptr) return;
    self->client_open_ = true;
    self->OfferWritable();
  });
}

void Connection::Send(Pipe* pipe, Message message) {
  pipe->buffered_bytes += message.bytes.size();
  if (pipe->swallows) return;
  EventLoop& loop = client_process_.loop();
  const double seconds = static_cast<double>(message.bytes.size()) / client_.plan_.bytes_per_second;
  pipe->free_at = std::max(loop.now(), pipe->free_at) + Duration::FromSeconds(seconds);
  Duration arrival = pipe->free_at + client_.plan_.latency + Jitter(client_.plan_.jitter);
  if (arrival < client_.stands_still_until_) {
    arrival = client_.stands_still_until_ + client_.plan_.latency;
  }
  pipe->last_arrival = std::max(arrival, pipe->last_arrival + Duration::Nanoseconds(1));
  loop.At(pipe->last_arrival, [self = shared_from_this(), pipe, message = std::move(message)] {
    self->OnArrival(pipe, std::move(message));
  });
}

void Connection::OnArrival(Pipe* pipe, Message message) {
  if (pipe->swallows) return;
  pipe->arrived.push_back(std::move(message));
  if (pipe->reading) return;
  pipe->reading = true;
  if (pipe == &up_) {
    hub_process_.Post([self = shared_from_this()] { self->ReadAtHub(); });
  } else {
    client_process_.Post([self = shared_from_this()] { self->ReadAtClient(); });
  }
}

void Connection::ReadAtHub() {
  up_.reading = false;
  while (!up_.arrived.empty() && session_ != nullptr && !closing_) {
    const Message message = std::move(up_.arrived.front());
    up_.arrived.pop_front();
    up_.buffered_bytes -= message.bytes.size();
    if (message.ends) {
      DropSession();
      break;
    }
    client_.tap_.OnHubRead(*this, message.bytes);
    session_->OnMessage(message.bytes);
  }
  client_.hub_.OnInput();
  if (client_wants_room_ && up_.HasRoom(client_.plan_.buffer_bytes)) {
    client_wants_room_ = false;
    OfferWritable();
  }
}

void Connection::ClientWrite(std::string up) {
  REMORA_CHECK(ClientWritable(), "one write is outstanding at a time, and only on an open stream");
  client_told_writable_ = false;
  if (client_.speaks_ != Speaks::kAll) up = AsVersion1(std::move(up), client_.speaks_);
  if (client_.honest) client_.tap_.OnUp(*this, up);
  Send(&up_, {std::move(up), false, absl::OkStatus()});
  if (up_.HasRoom(client_.plan_.buffer_bytes)) {
    OfferWritable();
  } else {
    client_wants_room_ = true;
  }
}

bool Connection::ClientWritable() const {
  return listener_ != nullptr && client_open_ && client_told_writable_;
}

void Connection::OfferWritable() {
  client_process_.Post([self = shared_from_this()] {
    if (self->listener_ == nullptr || self->client_told_writable_) return;
    self->client_told_writable_ = true;
    self->listener_->OnWritable();
  });
}

void Connection::ClientGone() {
  if (listener_ == nullptr) return;
  listener_ = nullptr;
  down_.arrived.clear();
  if (up_.swallows) return EndAtHub(kKeepalive + Jitter(kKeepaliveTimeout));
  // A reset overtakes what was sent; an orderly end comes behind it.
  if (client_.random_->Below(3) == 0) {
    EndAtHub(client_.plan_.latency);
  } else {
    client_.counters_.Count("messages of a connection given up still arrive");
    Send(&up_, {"", true, absl::OkStatus()});
  }
  EndAtHub(kKeepalive + Jitter(kKeepaliveTimeout) + client_.plan_.latency);
}

void Connection::WantWrite() {
  if (pump_posted_) return;
  pump_posted_ = true;
  hub_process_.Post([self = shared_from_this()] { self->PumpDown(); });
}

void Connection::CloseAfterWrites(absl::Status status) {
  closing_ = true;
  close_status_ = std::move(status);
  WantWrite();
}

void Connection::PumpDown() {
  pump_posted_ = false;
  if (session_ == nullptr) return;
  const bool unbounded = client_.planted_ == Planted::kUnboundedQueue;
  while (unbounded || down_.HasRoom(client_.plan_.buffer_bytes)) {
    const hub::WriteBatch batch = session_->TakeBatch(kMaxBatchBytes);
    if (batch.empty()) {
      if (!closing_) return;
      Send(&down_, {"", true, close_status_});
      return DropSession();
    }
    std::string bytes;
    bytes.reserve(batch.bytes);
    for (const SharedBytes& slice : batch.slices) {
      bytes.append(slice.view().data(), slice.view().size());
    }
    if (bytes.size() != batch.bytes) client_.tap_.Fail("a batch does not say how large it is");
    GiveDown(std::move(bytes));
    if (!batch.more && !closing_) return;
  }
}

void Connection::GiveDown(std::string bytes) {
  client_.tap_.OnDown(*this, bytes);
  overfull_ |= !down_.HasRoom(client_.plan_.buffer_bytes);
  const bool records = !bytes.empty() && bytes.front() == kRecordsTag;
  if (client_.planted_ == Planted::kSkippedGap && !records) {
    v1::Down down;
    if (down.ParseFromString(bytes) && down.has_gap()) return;
  }
  if (client_.planted_ == Planted::kSwappedOrder && records) {
    // Each fourth message lets the next one overtake it.
    if (held_back_.empty() && client_.random_->Below(4) == 0) {
      held_back_ = std::move(bytes);
      return;
    }
    Send(&down_, {std::move(bytes), false, absl::OkStatus()});
    if (!held_back_.empty()) Send(&down_, {std::exchange(held_back_, ""), false, {}});
    return;
  }
  Send(&down_, {std::move(bytes), false, absl::OkStatus()});
}

void Connection::ReadAtClient() {
  down_.reading = false;
  if (listener_ == nullptr || down_.arrived.empty() || !client_.reads_) return;
  const Duration now = client_process_.loop().now();
  if (now < next_read_at_) {
    down_.reading = true;
    client_process_.loop().At(next_read_at_, [self = shared_from_this()] {
      self->client_process_.Post([self] { self->ReadAtClient(); });
    });
    return;
  }
  next_read_at_ = now + client_.read_interval_;
  Message message = std::move(down_.arrived.front());
  down_.arrived.pop_front();
  down_.buffered_bytes -= message.bytes.size();
  if (!down_.arrived.empty()) {
    down_.reading = true;
    client_process_.Post([self = shared_from_this()] { self->ReadAtClient(); });
  }
  if (session_ != nullptr && down_.HasRoom(client_.plan_.buffer_bytes)) WantWrite();
  if (message.ends) {
    Stream::Listener* listener = std::exchange(listener_, nullptr);
    return listener->OnClosed(message.status);
  }
  client_.tap_.OnClientRead(*this);
  listener_->OnMessage(SharedBytes(std::move(message.bytes)));
}

void Connection::ResumeReading() {
  if (down_.reading || down_.arrived.empty()) return;
  down_.reading = true;
  client_process_.Post([self = shared_from_this()] { self->ReadAtClient(); });
}

void Connection::EndAtClient(Duration delay, absl::Status status) {
  client_process_.loop().After(delay, [self = shared_from_this(), status = std::move(status)] {
    self->client_process_.Post([self, status] {
      Stream::Listener* listener = std::exchange(self->listener_, nullptr);
      if (listener != nullptr) listener->OnClosed(status);
    });
  });
}

void Connection::EndAtHub(Duration delay) {
  client_process_.loop().After(delay, [self = shared_from_this()] {
    self->hub_process_.Post([self] {
      self->DropSession();
      self->client_.hub_.OnInput();
    });
  });
}

void Connection::DropSession() { session_.reset(); }

void Connection::HubDied(bool silently) {
  if (session_ != nullptr) DropSession();
  pump_posted_ = false;
  up_.swallows = down_.swallows = true;
  if (!silently) EndAtClient(client_.plan_.latency, absl::UnavailableError("connection reset"));
}

void Connection::Cut() {
  up_.swallows = down_.swallows = true;
  const bool hub_first = client_.random_->Below(2) == 0;
  EndAtHub(hub_first ? client_.plan_.latency : kKeepalive + Jitter(kKeepaliveTimeout));
  // The participant may have to find out by itself.
  if (!hub_first || client_.random_->Below(2) == 0) {
    EndAtClient(client_.plan_.latency, absl::UnavailableError("connection reset"));
  }
}

void Connection::Swallow(bool up, bool down) {
  up_.swallows |= up;
  down_.swallows |= down;
  EndAtHub(kKeepalive + Jitter(kKeepaliveTimeout));
}

}  // namespace remora::simulation
