#include "common/link/memory_outbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace remora {

absl::StatusOr<RecordKey> MemoryOutbox::Publish(v1::Record record) {
  const auto kind = static_cast<uint32_t>(record.body_case());
  const uint32_t lane_number = LaneOfKind(kind);
  if (lane_number == kLaneCount) return absl::InvalidArgumentError("a record needs a body");
  Lane& lane = lanes_[lane_number];
  const RecordKey key = {origin_, lane_number, lane.last_seq + 1};
  record.set_case_id(case_id_.ToString());
  record.set_origin(origin_.ToString());
  record.set_lane(lane_number);
  record.set_origin_seq(key.origin_seq);
  record.clear_stamp();
  record.mutable_captured_at()->set_boot_id(clock_.boot_id());
  record.mutable_captured_at()->set_monotonic_ns(clock_.Now().nanoseconds());
  record.mutable_captured_at()->set_wall_unix_ns(clock_.WallNow().nanoseconds());

  std::string bytes = record.SerializeAsString();
  absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
  if (!header.ok()) return header.status();
  v1::Record scratch;
  if (absl::Status status = ValidateBody(*header, bytes, &scratch); !status.ok()) return status;
  if (!MakeRoom(bytes.size())) {
    return absl::ResourceExhaustedError(
        absl::StrCat(waiting_records(), " records wait for the hub; no more fit"));
  }
  ++records_;
  bytes_ += bytes.size();
  ++lane.last_seq;
  lane.entries.emplace(key.origin_seq, Entry{next_order_++, std::move(bytes)});
  return key;
}

bool MemoryOutbox::MakeRoom(size_t bytes) {
  if (bytes > kMaxMemoryOutboxBytes) return false;
  for (Lane& lane : lanes_) {
    auto it = lane.entries.begin();
    while (records_ >= kMaxMemoryOutboxRecords || bytes_ + bytes > kMaxMemoryOutboxBytes) {
      if (it == lane.entries.end()) break;
      if (lane.answers.IsOpen(it->first)) {
        ++it;
        continue;
      }
      bytes_ -= it->second.bytes.size();
      --records_;
      it = lane.entries.erase(it);
    }
  }
  return records_ < kMaxMemoryOutboxRecords && bytes_ + bytes <= kMaxMemoryOutboxBytes;
}

void MemoryOutbox::OnJoined(const v1::Joined& joined) {
  for (uint32_t number = 0; number < kLaneCount; ++number) {
    Lane& lane = lanes_[number];
    lane.given_out = 0;
    lane.answers.Restart(NumbersOf(joined.held(), number, lane.last_seq),
                         NumbersOf(joined.refused(), number, lane.last_seq), joined.epoch() != 0);
    std::erase_if(lane.reasons, [&lane](const auto& reason) {
      return !lane.answers.refused().Contains(reason.first);
    });
  }
}

void MemoryOutbox::OnAcknowledged(const v1::Acknowledge& acknowledge) {
  for (uint32_t number = 0; number < kLaneCount; ++number) {
    Lane& lane = lanes_[number];
    lane.answers.AddRefused(NumbersOf(acknowledge.refused(), number, lane.last_seq));
    lane.answers.AddHeld(NumbersOf(acknowledge.held(), number, lane.last_seq));
  }
}

void MemoryOutbox::OnRefused(const v1::RecordRefused& refused) {
  if (refused.lane() >= kLaneCount || !IsPermanentRefusal(refused.reason())) return;
  Lane& lane = lanes_[refused.lane()];
  const uint64_t seq = refused.origin_seq();
  if (seq == 0 || seq > lane.last_seq) return;
  SeqRanges one;
  one.Insert(seq);
  lane.answers.AddRefused(one);
  if (lane.reasons.size() >= kMaxMemoryOutboxRecords) lane.reasons.erase(lane.reasons.begin());
  // The first one stays: a hub that was started since no longer knows why.
  lane.reasons.try_emplace(
      seq, refused.text().empty() ? v1::RefusalReason_Name(refused.reason()) : refused.text());
}

std::map<uint64_t, MemoryOutbox::Entry>::const_iterator MemoryOutbox::Next(const Lane& lane) const {
  auto it = lane.entries.upper_bound(lane.given_out);
  while (it != lane.entries.end() && !lane.answers.IsOpen(it->first)) ++it;
  return it;
}

int MemoryOutbox::NextLane() const {
  const auto alert = Next(lanes_[0]);
  const auto event = Next(lanes_[1]);
  if (alert != lanes_[0].entries.end() && event != lanes_[1].entries.end()) {
    return alert->second.order < event->second.order ? 0 : 1;
  }
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (Next(lanes_[lane]) != lanes_[lane].entries.end()) return static_cast<int>(lane);
  }
  return -1;
}

bool MemoryOutbox::NextBatch(size_t max_bytes, std::string* frames) {
  const size_t before = frames->size();
  for (int number = NextLane(); number >= 0; number = NextLane()) {
    Lane& lane = lanes_[static_cast<size_t>(number)];
    const auto next = Next(lane);
    std::string frame;
    AppendFrame(next->second.bytes, &frame);
    if (frames->size() > before && frames->size() - before + frame.size() > max_bytes) break;
    frames->append(frame);
    lane.given_out = next->first;
  }
  return false;
}

bool MemoryOutbox::HasPending() const { return NextLane() >= 0; }

bool MemoryOutbox::IsAcknowledged(const RecordKey& key) const {
  return key.origin == origin_ && key.lane < kLaneCount &&
         lanes_[key.lane].answers.held().Contains(key.origin_seq);
}

std::string MemoryOutbox::RefusalText(const RecordKey& key) const {
  if (key.origin != origin_ || key.lane >= kLaneCount) return "";
  const Lane& lane = lanes_[key.lane];
  if (!lane.answers.refused().Contains(key.origin_seq)) return "";
  const auto it = lane.reasons.find(key.origin_seq);
  return it == lane.reasons.end() ? "the hub refused it for good" : it->second;
}

size_t MemoryOutbox::waiting_records() const {
  size_t waiting = 0;
  for (const Lane& lane : lanes_) {
    for (const auto& [seq, entry] : lane.entries) waiting += lane.answers.IsOpen(seq);
  }
  return waiting;
}

uint64_t MemoryOutbox::refused_records() const {
  uint64_t refused = 0;
  for (const Lane& lane : lanes_) refused += lane.answers.refused().count();
  return refused;
}

}  // namespace remora
