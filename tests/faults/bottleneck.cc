#include "tests/faults/bottleneck.h"

#include <algorithm>
#include <utility>

namespace remora::testing {

Duration Bottleneck::Transmission(size_t bytes) const {
  if (shape_.rate_bits_per_second == 0) return Duration();
  return Duration::Nanoseconds(
      static_cast<int64_t>(bytes * 8 * 1'000'000'000ull / shape_.rate_bits_per_second));
}

DeviceTime Bottleneck::LeavesAt() const {
  const Waiting& first = waiting_.front();
  // An idle time is made good, up to the bucket.
  const DeviceTime begins =
      std::max(busy_until_, first.entered - Transmission(shape_.bucket_bytes));
  return std::max(first.entered, begins + Transmission(first.packet.bytes.size()));
}

void Bottleneck::Advance(DeviceTime now) {
  while (!waiting_.empty()) {
    const DeviceTime leaves = LeavesAt();
    if (leaves > now) return;
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    busy_until_ = std::max(busy_until_, first.entered - Transmission(shape_.bucket_bytes)) +
                  Transmission(first.packet.bytes.size());
    waiting_bytes_ -= first.packet.bytes.size();
    flying_bytes_ += first.packet.bytes.size();
    const int64_t jitter_ns = shape_.jitter.nanoseconds();
    const Duration jitter =
        Duration::Nanoseconds(jitter_ns > 0 ? static_cast<int64_t>(random_.Below(jitter_ns)) : 0);
    DeviceTime& last = last_arrival_[first.packet.connection];
    last = std::max(last, leaves + shape_.delay + jitter);
    flying_.emplace(last, std::move(first.packet));
  }
}

void Bottleneck::SetShape(DeviceTime now, const LinkShape& shape) {
  Advance(now);
  shape_ = shape;
  busy_until_ = now;
  for (Waiting& waiting : waiting_) waiting.entered = now;
}

size_t Bottleneck::Space(DeviceTime now) {
  Advance(now);
  if (flying_bytes_ >= kMaxFlyingBytes) return 0;
  const size_t limit = shape_.rate_bits_per_second == 0 ? kReadBytes : shape_.buffer_bytes;
  return limit > waiting_bytes_ ? limit - waiting_bytes_ : 0;
}

void Bottleneck::Enter(DeviceTime now, Packet packet) {
  const size_t size = shape_.rate_bits_per_second == 0 ? packet.bytes.size() : kPacketBytes;
  waiting_bytes_ += packet.bytes.size();
  if (packet.bytes.size() <= size) {
    waiting_.push_back({now, std::move(packet)});
  } else {
    for (size_t begin = 0; begin < packet.bytes.size(); begin += size) {
      waiting_.push_back({now, {packet.connection, packet.kind, packet.bytes.substr(begin, size)}});
    }
  }
  Advance(now);
}

std::optional<Bottleneck::Packet> Bottleneck::Arrive(DeviceTime now) {
  Advance(now);
  if (flying_.empty() || flying_.begin()->first > now) return std::nullopt;
  Packet packet = std::move(flying_.begin()->second);
  flying_.erase(flying_.begin());
  flying_bytes_ -= packet.bytes.size();
  if (packet.kind != Kind::kBytes) last_arrival_.erase(packet.connection);
  return packet;
}

std::optional<DeviceTime> Bottleneck::NextEvent() const {
  std::optional<DeviceTime> next;
  if (!waiting_.empty()) next = LeavesAt();
  if (!flying_.empty() && (!next || flying_.begin()->first < *next)) next = flying_.begin()->first;
  return next;
}

void Bottleneck::Forget(uint64_t connection) {
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.packet.connection != connection) return false;
    waiting_bytes_ -= waiting.packet.bytes.size();
    return true;
  });
  std::erase_if(flying_, [&](const auto& flying) {
    if (flying.second.connection != connection) return false;
    flying_bytes_ -= flying.second.bytes.size();
    return true;
  });
  last_arrival_.erase(connection);
}

}  // namespace remora::testing
