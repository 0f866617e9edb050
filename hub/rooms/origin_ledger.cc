#include "hub/rooms/origin_ledger.h"

#include <utility>

#include "absl/hash/hash.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

uint64_t OriginDigest(absl::string_view origin_bytes) {
  return absl::Hash<absl::string_view>()(origin_bytes);
}

OriginLedger::Verdict OriginLedger::Judge(const RecordKey& key, uint64_t digest) const {
  const LaneState* state = Find(key.origin, key.lane);
  if (state == nullptr) {
    if (origins_.size() >= kMaxOrigins && !origins_.contains(key.origin)) return Verdict::kTooMany;
    return key.lane < kControlLaneCount && key.origin_seq != 1 ? Verdict::kOutOfOrder
                                                               : Verdict::kNew;
  }
  if (state->accepted.Contains(key.origin_seq)) {
    const size_t slot = key.origin_seq % kRememberedDigests;
    const bool remembered =
        slot < state->digests.size() && state->digests[slot].origin_seq == key.origin_seq;
    return remembered && state->digests[slot].digest != digest ? Verdict::kReusedId
                                                               : Verdict::kDuplicate;
  }
  const bool next = key.origin_seq == state->accepted.contiguous() + 1;
  if (!next && state->accepted.ranges().size() >= kMaxHeldRanges) return Verdict::kTooMany;
  return next || key.lane >= kControlLaneCount ? Verdict::kNew : Verdict::kOutOfOrder;
}

uint64_t OriginLedger::Next(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? 1 : state->accepted.contiguous() + 1;
}

void OriginLedger::Accept(const RecordKey& key, uint64_t digest) {
  LaneState& state = State(key);
  Advance(key, &state);
  Remember(key, digest);
}

void OriginLedger::Refuse(const RecordKey& key) { Advance(key, &State(key)); }

void OriginLedger::Advance(const RecordKey& key, LaneState* state) {
  state->accepted.Insert(key.origin_seq);
  if (state->advance.empty()) advanced_.emplace_back(key.origin, key.lane);
  state->advance.Insert(key.origin_seq);
}

std::vector<OriginAdvance> OriginLedger::TakeAdvances() {
  std::vector<OriginAdvance> advances;
  advances.reserve(advanced_.size());
  for (const auto& [origin, lane] : advanced_) {
    LaneState& state = origins_.at(origin).lanes[lane];
    advances.push_back({origin, lane, state.advance.ranges()});
    state.advance = SeqRanges();
  }
  advanced_.clear();
  return advances;
}

void OriginLedger::Commit(const std::vector<OriginAdvance>& advances) {
  for (const OriginAdvance& advance : advances) {
    SeqRanges& durable = origins_.at(advance.origin).lanes[advance.lane].durable;
    for (const SeqRanges::Range& range : advance.added) {
      durable.InsertRange(range.first, range.last);
    }
  }
}

const SeqRanges& OriginLedger::Durable(const OriginId& origin, uint32_t lane) const {
  static const SeqRanges kNone;
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? kNone : state->durable;
}

uint32_t OriginLedger::IndexOf(const OriginId& origin) {
  auto [it, inserted] = origins_.try_emplace(origin);
  if (inserted) it->second.index = static_cast<uint32_t>(origins_.size() - 1);
  return it->second.index;
}

void OriginLedger::Restore(const OriginLaneHeld& held) {
  if (held.lane >= kLaneCount) return;
  IndexOf(held.origin);
  LaneState& state = origins_.at(held.origin).lanes[held.lane];
  state.accepted = held.held;
  state.durable = held.held;
}

void OriginLedger::Remember(const RecordKey& key, uint64_t digest) {
  LaneState& state = State(key);
  const size_t slot = key.origin_seq % kRememberedDigests;
  if (state.digests.size() <= slot) state.digests.resize(slot + 1);
  state.digests[slot] = {key.origin_seq, digest};
}

OriginLedger::LaneState& OriginLedger::State(const RecordKey& key) {
  IndexOf(key.origin);
  return origins_.at(key.origin).lanes[key.lane];
}

const OriginLedger::LaneState* OriginLedger::Find(const OriginId& origin, uint32_t lane) const {
  auto it = origins_.find(origin);
  return it == origins_.end() || lane >= kLaneCount ? nullptr : &it->second.lanes[lane];
}

}  // namespace remora::hub
