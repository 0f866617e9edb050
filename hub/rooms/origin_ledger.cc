#include "hub/rooms/origin_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

const SeqRanges& NoNumbers() {
  static const SeqRanges kNone;
  return kNone;
}

}  // namespace

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
  if (state->refused.Contains(key.origin_seq)) {
    return state->durably_refused.Contains(key.origin_seq) ? Verdict::kRefused : Verdict::kRefusing;
  }
  if (state->used.Contains(key.origin_seq)) {
    const size_t slot = key.origin_seq % kRememberedDigests;
    const bool remembered =
        slot < state->digests.size() && state->digests[slot].origin_seq == key.origin_seq;
    return remembered && state->digests[slot].digest != digest ? Verdict::kReusedId
                                                               : Verdict::kDuplicate;
  }
  const bool next = key.origin_seq == state->used.contiguous() + 1;
  if (!next && state->used.ranges().size() >= kMaxHeldRanges) return Verdict::kTooMany;
  return next || key.lane >= kControlLaneCount ? Verdict::kNew : Verdict::kOutOfOrder;
}

uint64_t OriginLedger::Next(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? 1 : state->used.contiguous() + 1;
}

void OriginLedger::Accept(const RecordKey& key, uint64_t digest, const std::string& participant) {
  LaneState& state = State(key.origin, key.lane, participant);
  NoteAdvance(key.origin, key.lane, state);
  if (key.lane >= kControlLaneCount && key.origin_seq < state.largest_accepted) {
    NoteLate(key.origin_seq, &state);
  }
  state.largest_accepted = std::max(state.largest_accepted, key.origin_seq);
  state.used.Insert(key.origin_seq);
  state.advance.Insert(key.origin_seq);
  Remember(key, digest);
}

void OriginLedger::NoteLate(uint64_t origin_seq, LaneState* state) {
  ++state->counts.late;
  ++state->counts_advance.late;
  const bool joins = state->late.Contains(origin_seq - 1) || state->late.Contains(origin_seq + 1);
  if (!joins && state->late.ranges().size() >= kMaxLateRanges) return;
  state->late.Insert(origin_seq);
  state->late_advance.Insert(origin_seq);
}

void OriginLedger::Refuse(const RecordKey& key, const std::string& participant) {
  RefuseRange(key.origin, key.lane, {key.origin_seq, key.origin_seq}, participant);
}

void OriginLedger::RefuseRange(const OriginId& origin, uint32_t lane, const SeqRanges::Range& range,
                               const std::string& participant) {
  LaneState& state = State(origin, lane, participant);
  NoteAdvance(origin, lane, state);
  for (SeqRanges* numbers : {&state.used, &state.refused, &state.refused_advance}) {
    numbers->InsertRange(range.first, range.last);
  }
}

bool OriginLedger::CanRefuse(const RecordKey& key) const {
  const LaneState* state = Find(key.origin, key.lane);
  return state == nullptr || state->refused.ranges().size() < kMaxHeldRanges ||
         state->refused.Contains(key.origin_seq - 1);
}

void OriginLedger::NoteAdvance(const OriginId& origin, uint32_t lane, const LaneState& state) {
  if (state.advance.empty() && state.refused_advance.empty()) advanced_.emplace_back(origin, lane);
}

std::vector<OriginAdvance> OriginLedger::TakeAdvances() {
  std::vector<OriginAdvance> advances;
  advances.reserve(advanced_.size());
  for (const auto& [origin, lane] : advanced_) {
    OriginState& owner = origins_.at(origin);
    LaneState& state = owner.lanes[lane];
    advances.push_back({origin, lane, state.advance.ranges(), state.refused_advance.ranges(),
                        owner.participant, state.counts_advance.late,
                        state.counts_advance.duplicates, state.late_advance.ranges()});
    state.counts_advance = Counts();
    state.late_advance = SeqRanges();
    state.advance = SeqRanges();
    state.refused_advance = SeqRanges();
  }
  advanced_.clear();
  return advances;
}

void OriginLedger::Commit(const std::vector<OriginAdvance>& advances) {
  for (const OriginAdvance& advance : advances) {
    LaneState& state = origins_.at(advance.origin).lanes[advance.lane];
    for (const SeqRanges::Range& range : advance.added) {
      state.durable.InsertRange(range.first, range.last);
    }
    for (const SeqRanges::Range& range : advance.refused) {
      state.durably_refused.InsertRange(range.first, range.last);
    }
  }
}

const SeqRanges& OriginLedger::Durable(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? NoNumbers() : state->durable;
}

const SeqRanges& OriginLedger::DurablyRefused(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? NoNumbers() : state->durably_refused;
}

const SeqRanges& OriginLedger::Used(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? NoNumbers() : state->used;
}

const SeqRanges& OriginLedger::Refused(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? NoNumbers() : state->refused;
}

std::vector<OriginId> OriginLedger::Origins() const {
  std::vector<OriginId> origins;
  for (const auto& [origin, state] : origins_) origins.push_back(origin);
  std::sort(origins.begin(), origins.end());
  return origins;
}

const std::string& OriginLedger::ParticipantOf(const OriginId& origin) const {
  static const std::string kNobody;
  const auto it = origins_.find(origin);
  return it == origins_.end() ? kNobody : it->second.participant;
}

OriginLedger::Counts OriginLedger::CountsOf(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? Counts() : state->counts;
}

const SeqRanges& OriginLedger::Late(const OriginId& origin, uint32_t lane) const {
  const LaneState* state = Find(origin, lane);
  return state == nullptr ? NoNumbers() : state->late;
}

// Goes to disk with the lane's next record: for itself it is not worth a commit.
void OriginLedger::CountDuplicate(const RecordKey& key) {
  const auto it = origins_.find(key.origin);
  if (it == origins_.end()) return;
  ++it->second.lanes[key.lane].counts.duplicates;
  ++it->second.lanes[key.lane].counts_advance.duplicates;
}

uint32_t OriginLedger::IndexOf(const OriginId& origin) {
  auto [it, inserted] = origins_.try_emplace(origin);
  if (inserted) it->second.index = static_cast<uint32_t>(origins_.size() - 1);
  return it->second.index;
}

void OriginLedger::Restore(const OriginLaneHeld& held) {
  if (held.lane >= kLaneCount) return;
  LaneState& state = State(held.origin, held.lane, held.participant);
  state.used = held.held;
  for (const SeqRanges::Range& range : held.refused.ranges()) {
    state.used.InsertRange(range.first, range.last);
  }
  state.durable = held.held;
  state.largest_accepted = held.held.largest();
  state.refused = held.refused;
  state.durably_refused = held.refused;
  state.counts = {held.late_count, held.duplicate_count};
  state.late = held.late;
}

void OriginLedger::Remember(const RecordKey& key, uint64_t digest) {
  IndexOf(key.origin);
  LaneState& state = origins_.at(key.origin).lanes[key.lane];
  const size_t slot = key.origin_seq % kRememberedDigests;
  if (state.digests.size() <= slot) state.digests.resize(slot + 1);
  state.digests[slot] = {key.origin_seq, digest};
}

OriginLedger::LaneState& OriginLedger::State(const OriginId& origin, uint32_t lane,
                                             const std::string& participant) {
  IndexOf(origin);
  OriginState& state = origins_.at(origin);
  if (state.participant.empty()) state.participant = participant;
  return state.lanes[lane];
}

const OriginLedger::LaneState* OriginLedger::Find(const OriginId& origin, uint32_t lane) const {
  auto it = origins_.find(origin);
  return it == origins_.end() || lane >= kLaneCount ? nullptr : &it->second.lanes[lane];
}

}  // namespace remora::hub
