#include "acquisition-agent/spool/spool_outbox.h"

#include <algorithm>

#include "common/link/lane_answers.h"
#include "common/record_codec.h"

namespace remora::agent {

void SpoolOutbox::OnJoined(const v1::Joined& joined) {
  session_ = Session();
  joined_ = true;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const uint64_t committed = spool_.committed_seq(lane);
    spool_.RestartAnswers(lane, NumbersOf(joined.held(), lane, committed),
                          NumbersOf(joined.refused(), lane, committed), joined.epoch() != 0);
    session_.done[lane] = spool_.held(lane);
    if (lane < kControlLaneCount) {
      session_.next[lane] = 1;
      continue;
    }
    session_.next[lane] = committed + 1;
    session_.backlog_to[lane] = committed;
  }
  CountRefused();
}

void SpoolOutbox::OnAcknowledged(const v1::Acknowledge& acknowledge) {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const uint64_t committed = spool_.committed_seq(lane);
    spool_.MarkRefused(lane, NumbersOf(acknowledge.refused(), lane, committed));
    spool_.MarkHeld(lane, NumbersOf(acknowledge.held(), lane, committed));
  }
  CountRefused();
}

void SpoolOutbox::OnRefused(const v1::RecordRefused& refused) {
  if (refused.lane() >= kLaneCount || !IsPermanentRefusal(refused.reason())) return;
  SeqRanges one;
  one.Insert(refused.origin_seq());
  spool_.MarkRefused(refused.lane(), one);
  CountRefused();
}

void SpoolOutbox::CountRefused() {
  counters_.refused_records = 0;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    counters_.refused_records += spool_.refused(lane).count();
  }
}

bool SpoolOutbox::IsOver(uint32_t lane, uint64_t seq) const {
  return session_.done[lane].Contains(seq) || spool_.refused(lane).Contains(seq) ||
         spool_.given_up(lane).Contains(seq);
}

uint64_t SpoolOutbox::NextControl(uint32_t lane) {
  uint64_t& next = session_.next[lane];
  while (next <= spool_.committed_seq(lane) && IsOver(lane, next)) ++next;
  if (next > spool_.committed_seq(lane) || !spool_.Holds(lane, next)) return 0;
  return next;
}

uint64_t SpoolOutbox::NextLive(uint32_t lane) {
  uint64_t& next = session_.next[lane];
  const uint64_t committed = spool_.committed_seq(lane);
  if (committed >= kMaxLiveRecords && next + kMaxLiveRecords <= committed) {
    // The link does not keep up. What is late goes behind what is live, and the backlog is looked
    // through from the newest again; what was given out is passed over.
    next = committed - kMaxLiveRecords + 1;
    session_.backlog_to[lane] = next - 1;
  }
  while (next <= committed && IsOver(lane, next)) ++next;
  if (next > committed || !spool_.Holds(lane, next)) return 0;
  return next;
}

uint64_t SpoolOutbox::NextBacklog(uint32_t lane) {
  uint64_t& to = session_.backlog_to[lane];
  while (to > 0 && (IsOver(lane, to) || !spool_.Holds(lane, to))) {
    // Over whole ranges at once: a day's backlog is long, and most of it is held.
    uint64_t below = to - 1;
    for (const SeqRanges::Range& range : session_.done[lane].ranges()) {
      if (range.first <= to && to <= range.last) below = range.first - 1;
    }
    to = below;
  }
  return to;
}

SpoolOutbox::Taken SpoolOutbox::Offer(uint32_t lane, uint64_t seq, size_t max_bytes,
                                      std::string* frames) {
  const absl::StatusOr<std::string> record = spool_.Read(lane, seq);
  if (!record.ok()) {
    // Gone between then and now. For control the hub will refuse what follows, and says so; bulk
    // leaves a hole.
    ++counters_.unreadable_records;
    session_.done[lane].Insert(seq);
    return Taken::kRecord;
  }
  constexpr size_t kFrameBytes = 4;  // tag and length
  if (!frames->empty() && frames->size() + record->size() + kFrameBytes > max_bytes) {
    return Taken::kFull;
  }
  AppendFrame(*record, frames);
  session_.done[lane].Insert(seq);
  ++counters_.offered_records;
  return Taken::kRecord;
}

SpoolOutbox::Taken SpoolOutbox::OfferControl(size_t max_bytes, std::string* frames) {
  const uint64_t alert = NextControl(0);
  const uint64_t event = NextControl(1);
  if (alert != 0 && (event == 0 || spool_.PlaceOf(0, alert) < spool_.PlaceOf(1, event))) {
    return Offer(0, alert, max_bytes, frames);
  }
  if (event != 0) return Offer(1, event, max_bytes, frames);
  const uint64_t measurement = NextControl(2);
  return measurement == 0 ? Taken::kNothing : Offer(2, measurement, max_bytes, frames);
}

bool SpoolOutbox::NextBatch(size_t max_bytes, std::string* frames) {
  bool backlog = false;
  if (!joined_) return backlog;
  for (;;) {
    Taken taken = backlog ? Taken::kNothing : OfferControl(max_bytes, frames);
    for (uint32_t lane = kControlLaneCount;
         lane < kLaneCount && taken == Taken::kNothing && !backlog; ++lane) {
      if (const uint64_t seq = NextLive(lane)) taken = Offer(lane, seq, max_bytes, frames);
    }
    backlog = backlog || (taken == Taken::kNothing && frames->empty());
    for (uint32_t lane = kControlLaneCount;
         lane < kLaneCount && taken == Taken::kNothing && backlog; ++lane) {
      if (const uint64_t seq = NextBacklog(lane)) taken = Offer(lane, seq, max_bytes, frames);
    }
    if (taken != Taken::kRecord || frames->size() >= max_bytes) return backlog;
  }
}

bool SpoolOutbox::HasPending() const {
  if (!joined_) return false;
  SpoolOutbox* self = const_cast<SpoolOutbox*>(this);
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (lane < kControlLaneCount) {
      if (self->NextControl(lane) != 0) return true;
    } else if (self->NextLive(lane) != 0 || self->NextBacklog(lane) != 0) {
      return true;
    }
  }
  return false;
}

}  // namespace remora::agent
