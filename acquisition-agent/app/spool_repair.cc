#include "acquisition-agent/app/spool_repair.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/limits.h"
#include "common/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

v1::Record DamageGap(const OriginId& origin, const ShedRange& lost, int64_t at_ns) {
  v1::Record record;
  v1::DataGap& gap = *record.mutable_data_gap();
  gap.set_cause(v1::DATA_GAP_CAUSE_SPOOL_DAMAGED);
  gap.set_origin(origin.ToString());
  gap.set_lane(lost.lane);
  gap.set_first_origin_seq(lost.first_origin_seq);
  gap.set_last_origin_seq(lost.last_origin_seq);
  gap.set_from_monotonic_ns(at_ns);
  gap.set_to_monotonic_ns(at_ns);
  return record;
}

// What stands under the number of a record that is lost: of the lane's kinds the one that claims
// least.
v1::Record Tombstone(const OriginId& origin, uint32_t lane, uint64_t seq, int64_t at_ns) {
  const std::string text =
      absl::StrCat("Record ", lane, "/", seq, " of the theatre was lost: its disk was damaged");
  v1::Record record;
  if (lane == 0) {
    v1::Message& message = *record.mutable_message();
    message.set_kind(v1::MESSAGE_KIND_SYSTEM);
    message.set_text(text);
    message.set_sender("acquisition agent");
  } else if (lane == 1) {
    return DamageGap(origin, ShedRange{lane, seq, seq}, at_ns);
  } else {
    v1::EmgActivity& activity = *record.mutable_emg_activity();
    activity.set_trace_id("spool");
    activity.set_kind(v1::EMG_ACTIVITY_KIND_ARTEFACT);
    activity.set_started_monotonic_ns(at_ns);
    activity.set_reason(text);
  }
  return record;
}

}  // namespace

LastCapture LastCaptureOf(const CaseSpool& spool) {
  LastCapture last;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    for (uint64_t seq = spool.last_seq(lane); seq > 0; --seq) {
      v1::Record record;
      const absl::StatusOr<std::string> bytes = spool.Read(lane, seq);
      if (!bytes.ok() || !record.ParseFromString(*bytes)) continue;
      if (record.captured_at().monotonic_ns() >= last.monotonic_ns) {
        last.monotonic_ns = record.captured_at().monotonic_ns();
        last.wall_unix_ns = record.captured_at().wall_unix_ns();
      }
      break;
    }
  }
  return last;
}

int64_t LastTimeNs(const CaseSpool& spool) { return LastCaptureOf(spool).monotonic_ns; }

absl::StatusOr<uint64_t> FillHoles(const CaseIdentity& identity, CaseSpool& spool,
                                   const Clock& clock, int64_t at_ns) {
  const auto put = [&](uint32_t lane, uint64_t seq, v1::Record record) {
    return spool.AppendRecord(
        lane, seq, 0,
        EncodeRecord(identity, lane, seq, at_ns, clock.WallNow().nanoseconds(), &record));
  };
  uint64_t lost = 0;
  for (const ShedRange& hole : spool.Holes()) {
    if (hole.lane >= kControlLaneCount) {
      spool.GiveUp(hole.lane, hole.first_origin_seq, hole.last_origin_seq);
      lost += hole.last_origin_seq - hole.first_origin_seq + 1;
    } else {
      for (uint64_t seq = hole.first_origin_seq; seq <= hole.last_origin_seq; ++seq) {
        RETURN_IF_ERROR(put(hole.lane, seq, Tombstone(identity.origin, hole.lane, seq, at_ns)));
        if (++lost % kTombstonesACommit == 0) RETURN_IF_ERROR(spool.Commit());
      }
    }
    // Of lane 1 each tombstone is one.
    if (hole.lane == 1) continue;
    RETURN_IF_ERROR(put(1, spool.last_seq(1) + 1, DamageGap(identity.origin, hole, at_ns)));
  }
  return lost;
}

}  // namespace remora::agent
