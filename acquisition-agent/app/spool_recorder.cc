#include "acquisition-agent/app/spool_recorder.h"

#include <utility>

#include "common/record_codec.h"

namespace remora::agent {

SpoolRecorder::SpoolRecorder(const CaseIdentity& identity, CaseSpool& spool, const Clock& clock,
                             std::function<void(const v1::Record&, int64_t at_ns)> on_new)
    : identity_(identity), spool_(spool), clock_(clock), on_new_(std::move(on_new)) {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    recovered_ordinals_[lane] = spool.last_ordinal(lane);
    recovered_seqs_[lane] = spool.last_seq(lane);
  }
}

bool SpoolRecorder::caught_up() const {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (ordinals_[lane] < recovered_ordinals_[lane]) return false;
  }
  return true;
}

RecordKey SpoolRecorder::Append(uint32_t lane, uint64_t seq, uint32_t ordinal, v1::Record* record,
                                int64_t at_ns, bool is_new) {
  const std::string bytes =
      EncodeRecord(identity_, lane, seq, at_ns, clock_.WallNow().nanoseconds(), record);
  const absl::Status status = spool_.AppendRecord(lane, seq, ordinal, bytes);
  if (status_.ok() && !status.ok()) status_ = status;
  if (is_new && on_new_) on_new_(*record, at_ns);
  return RecordKey{identity_.origin, lane, seq};
}

RecordKey SpoolRecorder::PutOnce(v1::Record* record, int64_t at_ns) {
  const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
  return Append(lane, spool_.last_seq(lane) + 1, 0, record, at_ns, /*is_new=*/true);
}

RecordKey SpoolRecorder::Put(v1::Record* record, int64_t at_ns) {
  const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
  const uint32_t ordinal = ++ordinals_[lane];
  if (const uint64_t seq = spool_.SeqOfOrdinal(lane, ordinal); seq != 0) {
    if (spool_.Holds(lane, seq)) {
      Compare(lane, seq, record, at_ns);
    } else if (!spool_.given_up(lane).Contains(seq) && seq <= recovered_seqs_[lane]) {
      return Append(lane, seq, ordinal, record, at_ns, /*is_new=*/false);  // damaged: made again
    }
    return RecordKey{identity_.origin, lane, seq};
  }
  if (ordinal <= recovered_ordinals_[lane]) {
    if (const uint64_t hole = TakeHole(lane); hole != 0) {
      return Append(lane, hole, ordinal, record, at_ns, /*is_new=*/false);
    }
  }
  return Append(lane, spool_.last_seq(lane) + 1, ordinal, record, at_ns, /*is_new=*/true);
}

uint64_t SpoolRecorder::TakeHole(uint32_t lane) {
  uint64_t& next = next_hole_[lane];
  while (++next <= recovered_seqs_[lane]) {
    if (!spool_.Holds(lane, next) && !spool_.given_up(lane).Contains(next)) return next;
  }
  return 0;
}

void SpoolRecorder::Compare(uint32_t lane, uint64_t seq, v1::Record* record, int64_t at_ns) {
  const absl::StatusOr<std::string> kept = spool_.Read(lane, seq);
  v1::Record old;
  if (!kept.ok() || !old.ParseFromString(*kept)) {
    ++mismatches_;
    return;
  }
  const std::string again =
      EncodeRecord(identity_, lane, seq, at_ns, old.captured_at().wall_unix_ns(), record);
  if (again != *kept) ++mismatches_;
}

}  // namespace remora::agent
