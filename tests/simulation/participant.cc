#include "tests/simulation/participant.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"

namespace remora::simulation {
namespace {

// A state is said by a timer: as soon as the process runs again.
constexpr Duration kTolerance = Duration::Milliseconds(20);

v1::LinkCondition ConditionAt(Duration age) {
  if (age >= kUnsupervisedAge) return v1::LINK_CONDITION_UNSUPERVISED;
  if (age >= kLostAge) return v1::LINK_CONDITION_LOST;
  if (age >= kStaleAge) return v1::LINK_CONDITION_STALE;
  return v1::LINK_CONDITION_LIVE;
}

}  // namespace

void AckChecker::OnHeld(const CaseId& case_id, const OriginId& origin,
                        const google::protobuf::RepeatedPtrField<v1::LaneRanges>& held) {
  for (const v1::LaneRanges& lane : held) {
    if (lane.lane() >= kLaneCount) return context_.fail(who_ + ": a lane that there is not");
    SeqRanges& known = acknowledged_[lane.lane()];
    for (const v1::SeqRange& range : lane.ranges()) {
      for (const SeqRanges::Range& fresh : known.Missing(range.first(), range.last())) {
        for (uint64_t number = fresh.first; number <= fresh.last; ++number) {
          if (context_.oracle.WasCommitted(case_id, RecordKey{origin, lane.lane(), number})) {
            continue;
          }
          return context_.fail(absl::StrCat(who_, ": record ", lane.lane(), "/", number,
                                            " is acknowledged, and not on disk"));
        }
      }
      known.InsertRange(range.first(), range.last());
    }
  }
}

std::string AckChecker::Lack(const CaseId& case_id, const OriginId& origin) const {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    for (const SeqRanges::Range& range : acknowledged_[lane].ranges()) {
      for (uint64_t number = range.first; number <= range.last; ++number) {
        if (context_.oracle.SeqOf(case_id, RecordKey{origin, lane, number}) == 0) {
          return absl::StrCat("record ", lane, "/", number,
                              " was acknowledged, and is not on disk any more");
        }
      }
    }
  }
  return "";
}

uint64_t AckChecker::count() const {
  uint64_t count = 0;
  for (const SeqRanges& lane : acknowledged_) count += lane.count();
  return count;
}

void LinkWatch::Check(const ParticipantLink& link) {
  if (link.state() == LinkState::kStopped || process_.paused()) return;
  const bool just_resumed = process_.resumed_at() != Duration() &&
                            context_.loop.now() - process_.resumed_at() < kTolerance;
  if (just_resumed) return;
  const v1::LinkCondition said = link.condition();
  const v1::LinkCondition late = ConditionAt(link.age() - kTolerance);
  if (late != v1::LINK_CONDITION_LIVE && said < late) {
    context_.fail(absl::StrCat(process_.name(), ": ", link.age().seconds(),
                               " s without a sign of life, and the link is said to be ",
                               v1::LinkCondition_Name(said)));
  }
}

void LinkWatch::OnStart() {
  heard_at_ = context_.loop.now();
  away_from_.reset();
}

void LinkWatch::CheckOutage(Duration told) {
  context_.counters.Count("check: an outage is as long as it was");
  const Duration wrong = told > outage_ ? told - outage_ : outage_ - told;
  if (wrong > kTolerance) {
    context_.fail(absl::StrCat(process_.name(), ": an outage of ", outage_.seconds(),
                               " s is said to have been ", told.seconds(), " s"));
  }
}

void LinkWatch::OnCondition(const ParticipantLink& link, v1::LinkCondition condition) {
  if (condition != v1::LINK_CONDITION_LIVE) {
    if (!away_from_) away_from_ = heard_at_;
  } else if (away_from_) {
    outage_ = context_.loop.now() - *std::exchange(away_from_, std::nullopt);
  }
  context_.counters.Add(absl::StrCat("told ", v1::LinkCondition_Name(condition)), 1);
  if (condition > ConditionAt(link.age())) {
    context_.fail(absl::StrCat(process_.name(), ": said ", v1::LinkCondition_Name(condition),
                               " after ", link.age().seconds(), " s"));
  }
}

void LinkWatch::CheckHubTime(const ParticipantLink& link, DeviceTime at, int64_t hub_unix_ns) {
  const auto estimate = link.clock_model().ToHub(at);
  if (!estimate) return;
  context_.counters.Count("check: hub time within its bound");
  const int64_t wrong_ns = hub_unix_ns - estimate->time.nanoseconds();
  if (std::abs(wrong_ns) > estimate->bound.nanoseconds()) {
    context_.fail(absl::StrCat(process_.name(), ": its estimate of the hub's time is wrong by ",
                               wrong_ns / 1000, " us, its bound is ",
                               estimate->bound.nanoseconds() / 1000, " us"));
  }
}

void LinkWatch::CheckLatency(const ParticipantLink& link, int64_t recorded_unix_ns) {
  const auto now = link.clock_model().ToHub(process_.clock().Now());
  if (!now) return;
  context_.counters.Count("check: latency is not negative");
  if ((now->time + now->bound).nanoseconds() < recorded_unix_ns) {
    context_.fail(absl::StrCat(process_.name(), ": a record from the future, by ",
                               (recorded_unix_ns - now->time.nanoseconds()) / 1000, " us"));
  }
}

std::string EncodeRecord(const CaseId& case_id, const OriginId& origin, uint64_t origin_seq,
                         const Clock& clock, v1::Record body) {
  body.set_case_id(case_id.ToString());
  body.set_origin(origin.ToString());
  body.set_lane(LaneOfKind(static_cast<uint32_t>(body.body_case())));
  body.set_origin_seq(origin_seq);
  body.mutable_captured_at()->set_boot_id(clock.boot_id());
  body.mutable_captured_at()->set_monotonic_ns(clock.Now().nanoseconds());
  body.mutable_captured_at()->set_wall_unix_ns(clock.WallNow().nanoseconds());
  return body.SerializeAsString();
}

}  // namespace remora::simulation
