#include "tests/faults/fault_link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/check.h"
#include "common/status_macros.h"
#include "tests/faults/limits.h"

namespace remora::testing {

using Action = FaultCommand::Action;
using Kind = Bottleneck::Kind;

absl::StatusOr<std::unique_ptr<FaultLink>> FaultLink::Make(Poll& poll, Random& random,
                                                           int listen_port, int target_port) {
  std::unique_ptr<FaultLink> link(new FaultLink(poll, random));
  link->target_port_ = target_port;
  ASSIGN_OR_RETURN(link->keeper_, BoundSocket(listen_port));
  ASSIGN_OR_RETURN(link->port_, PortOf(link->keeper_));
  RETURN_IF_ERROR(link->OpenListener());
  return link;
}

FaultLink::~FaultLink() {
  poll_.Unwatch(listener_watch_);
  for (auto& [id, connection] : connections_) {
    for (const int side : {kClient, kTarget}) Close(*connection, side, /*reset=*/true);
  }
}

LinkCounts FaultLink::counts() const {
  LinkCounts counts = counts_;
  counts.open = connections_.size();
  return counts;
}

absl::Status FaultLink::OpenListener() {
  ASSIGN_OR_RETURN(listener_, BoundSocket(port_));
  RETURN_IF_ERROR(Listen(listener_));
  acceptable_ = {};
  listener_watch_ = poll_.Watch(listener_.get(), &acceptable_);
  return absl::OkStatus();
}

void FaultLink::SetListening() {
  const bool wanted = !cut_ && !refuse_;
  if (wanted && !listener_) {
    REMORA_CHECK(OpenListener().ok(), "the port was kept");
  } else if (!wanted && listener_) {
    poll_.Unwatch(listener_watch_);
    listener_.Close();
  }
}

void FaultLink::Open(Connection& connection, int side, Descriptor socket) {
  connection.sides[side].socket = std::move(socket);
  connection.sides[side].watch =
      poll_.Watch(connection.sides[side].socket.get(), &connection.sides[side].ready);
}

void FaultLink::Close(Connection& connection, int side, bool reset) {
  Side& closed = connection.sides[side];
  if (!closed.socket) return;
  poll_.Unwatch(closed.watch);
  if (reset) {
    closed.socket.Reset();
  } else {
    closed.socket.Close();
  }
  closed.ended = closed.end_written = true;
  closed.unwritten.clear();
}

// A side has failed: the other hears of it as it would, after what is under way.
void FaultLink::Gone(DeviceTime now, uint64_t id, Connection& connection, int side) {
  Close(connection, side, /*reset=*/true);
  way_[side].Enter(now, {id, Kind::kReset, ""});
}

void FaultLink::EndAll(DeviceTime now, bool reset) {
  for (auto& [id, connection] : connections_) {
    for (const int direction : {kUp, kDown}) way_[direction].Forget(id);
    for (const int side : {kClient, kTarget}) {
      if (reset || connection->sides[side].connecting) {
        Close(*connection, side, /*reset=*/true);
      } else if (connection->sides[side].socket) {
        shutdown(connection->sides[side].socket.get(), SHUT_WR);
        connection->sides[side].end_written = true;
        connection->sides[side].unwritten.clear();
      }
    }
    connection->held = false;
    connection->lingers_until = now + kLingerAfterEnd;
  }
}

void FaultLink::SetShape(DeviceTime now, int direction, const FaultCommand& command) {
  LinkShape shape = way_[direction].shape();
  command.ApplyTo(&shape);
  way_[direction].SetShape(now, shape);
}

FaultLink::Undo FaultLink::Apply(DeviceTime now, const FaultCommand& command) {
  if (command.is_shape()) {
    std::array<FaultCommand, 2> undo;
    for (const int direction : {kUp, kDown}) {
      undo[direction] = command.Restoring(way_[direction].shape());
      if (direction == kUp ? command.up : command.down) SetShape(now, direction, command);
    }
    return [undo](FaultLink& link, DeviceTime at) {
      if (undo[kUp].up) link.SetShape(at, kUp, undo[kUp]);
      if (undo[kDown].down) link.SetShape(at, kDown, undo[kDown]);
    };
  }
  Undo undo = [](FaultLink&, DeviceTime) {};
  switch (command.action) {
    case Action::kCut:
      cut_ = true;
      EndAll(now, command.reset);
      undo = [](FaultLink& link, DeviceTime) { link.cut_ = false; };
      break;
    case Action::kDrop:
      EndAll(now, command.reset);
      break;
    case Action::kRefuse:
      refuse_ = true;
      undo = [](FaultLink& link, DeviceTime) { link.refuse_ = false; };
      break;
    case Action::kStall:
    case Action::kSwallow: {
      const auto flags =
          command.action == Action::kStall ? &FaultLink::stall_ : &FaultLink::swallow_;
      (this->*flags)[kUp] |= command.up;
      (this->*flags)[kDown] |= command.down;
      undo = [flags, command](FaultLink& link, DeviceTime) {
        if (command.up) (link.*flags)[kUp] = false;
        if (command.down) (link.*flags)[kDown] = false;
      };
      break;
    }
    case Action::kReorder:
      hold_next_ = true;
      break;
    case Action::kReset:
      for (Bottleneck& way : way_) way.SetShape(now, {});
      [[fallthrough]];
    default:
      cut_ = refuse_ = hold_next_ = false;
      stall_ = swallow_ = {};
      for (auto& [id, connection] : connections_) connection->held = false;
  }
  SetListening();
  return [undo](FaultLink& link, DeviceTime at) {
    undo(link, at);
    link.SetListening();
  };
}

void FaultLink::AcceptAll(DeviceTime now) {
  while (listener_ && acceptable_.readable && connections_.size() < kMaxConnectionsOfLink) {
    std::optional<Descriptor> socket = Accept(listener_);
    if (!socket) {
      acceptable_.readable = false;
      return;
    }
    ++counts_.accepted;
    auto connection = std::make_unique<Connection>();
    Open(*connection, kClient, *std::move(socket));
    if (std::exchange(hold_next_, false)) {
      connection->held = true;
      connection->held_until = now + kMaxHold;
    }
    connections_.emplace(next_++, std::move(connection));
  }
}

void FaultLink::ConnectTarget(DeviceTime now, uint64_t id, Connection& connection) {
  Side& target = connection.sides[kTarget];
  if (connection.held && connection.held_until <= now) connection.held = false;
  const bool away = stall_[kUp] || stall_[kDown] || swallowing();
  if (!target.socket && !target.ended && !connection.held && !connection.tainted &&
      !connection.lingers_until && !away) {
    absl::StatusOr<Descriptor> socket = ConnectingSocket(target_port_);
    if (!socket.ok()) return Close(connection, kClient, /*reset=*/true);
    Open(connection, kTarget, *std::move(socket));
    target.connecting = true;
  }
  if (target.connecting && target.ready.writable) {
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(target.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    target.connecting = false;
    if (error != 0) Gone(now, id, connection, kTarget);
  }
}

// One read; false: nothing more can be read now.
bool FaultLink::ReadOnce(DeviceTime now, uint64_t id, Connection& connection, int side,
                         size_t most) {
  Side& from = connection.sides[side];
  std::string bytes(most, '\0');
  const ssize_t got = read(from.socket.get(), bytes.data(), bytes.size());
  if (got < 0 && errno == EAGAIN) {
    from.ready.readable = false;
    return false;
  }
  const bool lost = swallow_[side] || connection.lingers_until;
  if (swallow_[side]) connection.tainted = true;
  if (got > 0) {
    bytes.resize(static_cast<size_t>(got));
    if (lost) {
      counts_.swallowed_bytes += bytes.size();
    } else {
      way_[side].Enter(now, {id, Kind::kBytes, std::move(bytes)});
    }
    return true;
  }
  if (got < 0 && !lost) {
    Gone(now, id, connection, side);
    return false;
  }
  from.ended = true;
  if (got < 0) Close(connection, side, /*reset=*/true);
  if (!lost) way_[side].Enter(now, {id, Kind::kEnd, ""});
  return false;
}

// True: more can be read at once.
bool FaultLink::Read(DeviceTime now, uint64_t id, Connection& connection, int side) {
  Side& from = connection.sides[side];
  Side& to = connection.sides[1 - side];
  if (!from.socket || from.connecting || from.ended || !from.ready.readable) return false;
  if (swallow_[side] || connection.lingers_until) {
    return ReadOnce(now, id, connection, side, kReadBytes);
  }
  if (stall_[side] || !to.socket || to.connecting) return false;
  if (to.unwritten.size() >= kMaxUnwrittenBytes) return false;
  const size_t once = way_[side].shape().rate_bits_per_second == 0 ? kReadBytes : kReadBytesLimited;
  const size_t most = std::min(once, way_[side].Space(now));
  return most > 0 && ReadOnce(now, id, connection, side, most) && way_[side].Space(now) > 0;
}

void FaultLink::Arrived(Bottleneck::Packet packet, int direction) {
  const auto found = connections_.find(packet.connection);
  if (found == connections_.end()) return;
  Side& to = found->second->sides[1 - direction];
  switch (packet.kind) {
    case Kind::kBytes:
      if (to.socket) to.unwritten += packet.bytes;
      break;
    case Kind::kEnd:
      to.end_due = true;
      break;
    case Kind::kReset:
      Close(*found->second, 1 - direction, /*reset=*/true);
      break;
  }
}

// True: its sender, who may have waited for this, can be read again.
bool FaultLink::Write(DeviceTime now, uint64_t id, Connection& connection, int side) {
  Side& to = connection.sides[side];
  if (!to.socket || to.connecting || stall_[1 - side]) return false;
  size_t written = 0;
  while (to.ready.writable && written < to.unwritten.size()) {
    const ssize_t count = send(to.socket.get(), to.unwritten.data() + written,
                               to.unwritten.size() - written, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) {
      to.ready.writable = false;
    } else if (count < 0) {
      Gone(now, id, connection, side);
      return false;
    } else {
      written += static_cast<size_t>(count);
    }
  }
  to.unwritten.erase(0, written);
  (side == kTarget ? counts_.up_bytes : counts_.down_bytes) += written;
  if (side == kClient && written > 0) Answered(id);
  if (to.end_due && !to.end_written && to.unwritten.empty()) {
    shutdown(to.socket.get(), SHUT_WR);
    to.end_written = true;
  }
  return written > 0 && connection.sides[1 - side].ready.readable;
}

// A later connection has had its answer: those held for it may go on.
void FaultLink::Answered(uint64_t id) {
  for (auto& [earlier, connection] : connections_) {
    if (earlier < id) connection->held = false;
  }
}

bool FaultLink::Step(DeviceTime now) {
  bool more = false;
  AcceptAll(now);
  for (auto& [id, connection] : connections_) {
    ConnectTarget(now, id, *connection);
    for (const int side : {kClient, kTarget}) {
      if (!connection->held) more |= Read(now, id, *connection, side);
    }
  }
  for (const int direction : {kUp, kDown}) {
    while (auto packet = way_[direction].Arrive(now)) Arrived(*std::move(packet), direction);
  }
  for (auto& [id, connection] : connections_) {
    for (const int side : {kClient, kTarget}) more |= Write(now, id, *connection, side);
    if (connection->tainted && !swallowing()) connection->lingers_until = now;
    // Both ways have ended, or its time is over.
    const auto& sides = connection->sides;
    const bool over = sides[kClient].ended && sides[kClient].end_written && sides[kTarget].ended &&
                      sides[kTarget].end_written;
    const bool alone = connection->lingers_until && *connection->lingers_until <= now;
    if (over || alone) {
      for (const int side : {kClient, kTarget}) Close(*connection, side, /*reset=*/alone);
    }
  }
  std::erase_if(connections_, [&](const auto& entry) {
    const auto& [id, connection] = entry;
    if (connection->sides[kClient].socket || connection->sides[kTarget].socket) return false;
    for (const int direction : {kUp, kDown}) way_[direction].Forget(id);
    return true;
  });
  return more;
}

std::optional<DeviceTime> FaultLink::NextStep() const {
  std::optional<DeviceTime> next;
  const auto consider = [&](std::optional<DeviceTime> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  for (const Bottleneck& way : way_) consider(way.NextEvent());
  for (const auto& [id, connection] : connections_) {
    consider(connection->lingers_until);
    if (connection->held) consider(connection->held_until);
  }
  return next;
}

}  // namespace remora::testing
