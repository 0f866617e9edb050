#include "tests/simulation/follow_checker.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/proof.h"

namespace remora::simulation {

FollowChecker::FollowChecker(const Oracle& oracle, const v1::Follow& follow, bool version1,
                             Fail fail)
    : oracle_(oracle),
      follow_(follow),
      case_id_(CaseId::FromBytes(follow.case_id())),
      complete_(follow.delivery() == v1::DELIVERY_COMPLETE),
      version1_(version1),
      fail_(std::move(fail)),
      traces_(follow.trace_ids().begin(), follow.trace_ids().end()) {
  if (follow.lanes().empty()) lanes_.fill(true);
  for (const uint32_t lane : follow.lanes()) lanes_[lane] = true;
}

bool FollowChecker::WantsEntry(const Oracle::Entry& entry) const {
  if (!Wants(entry.key.lane)) return false;
  return complete_ || traces_.empty() || entry.key.lane < 2 || traces_.contains(entry.trace_id);
}

uint64_t FollowChecker::NextAfter(uint64_t seq) const {
  const Oracle::Case* one = oracle_.Find(case_id_);
  if (one == nullptr) return 0;
  for (uint64_t next = seq + 1; next <= one->head(); ++next) {
    const Oracle::Entry& entry = one->entries[next - 1];
    if (complete_ ? WantsEntry(entry) : entry.is_control() && Wants(entry.key.lane)) return next;
  }
  return 0;
}

void FollowChecker::OnRecord(const DeliveredRecord& delivered) {
  ++records_;
  const StampedRecord& record = delivered.record;
  if (record.header.case_id != case_id_) return fail_("a record of another case");
  if (!Wants(record.header.lane)) fail_("a record of a lane that was not asked for");
  if (!complete_ && !oracle_.WasSentLive(record.header.key())) fail_("late bulk is shown as live");
  if (record.stamp.unrecorded) return OnUnrecorded(delivered);
  if (!oracle_.WasCommitted(case_id_, record.stamp.seq, delivered.bytes)) {
    return fail_(
        absl::StrCat("seq ", record.stamp.seq, " is shown as recorded, and is not on disk so"));
  }
  if (complete_ || record.header.lane <= 1) return OnInOrder(delivered);
  OnBulk(delivered);
}

void FollowChecker::OnUnrecorded(const DeliveredRecord& delivered) {
  ++unrecorded_;
  const StampedRecord& record = delivered.record;
  if (version1_) fail_("an unrecorded record is shown to one who speaks version 1");
  if (complete_) fail_("an unrecorded record in a COMPLETE follow");
  if (!oracle_.WasWritten(record.header.key(), record.origin_bytes)) {
    fail_("an unrecorded record that nobody wrote so");
  }
}

void FollowChecker::OnInOrder(const DeliveredRecord& delivered) {
  const uint64_t seq = delivered.record.stamp.seq;
  if (!complete_ && !has_snapshot_) return fail_("live records before the first snapshot");
  const uint64_t expected = NextAfter(at_seq_);
  if (seq != expected) {
    // What was on its way while the journal went back is of before.
    const Oracle::Case* one = oracle_.Find(case_id_);
    const bool of_now = seq <= one->head() && one->entries[seq - 1].bytes == delivered.bytes;
    if (of_now || oracle_.times_gone_back() == 0) {
      return fail_(absl::StrCat("seq ", seq, " comes after ", at_seq_, ", expected ", expected));
    }
  }
  at_seq_ = seq;
  at_hash_ = BytesHash(delivered.bytes);
}

uint64_t FollowChecker::CountLate(uint32_t lane, uint64_t from, uint64_t to) const {
  const Oracle::Case& one = *oracle_.Find(case_id_);
  uint64_t count = 0;
  for (const uint64_t seq : one.lane_seqs[lane]) {
    const Oracle::Entry& entry = one.entries[seq - 1];
    count += seq >= from && seq <= to && WantsEntry(entry) && oracle_.WasSentLate(entry.key);
  }
  return count;
}

uint64_t FollowChecker::CountTo(uint32_t lane, uint64_t seq) {
  BulkLane& bulk = bulk_[lane];
  const Oracle::Case& one = *oracle_.Find(case_id_);
  const std::vector<uint64_t>& seqs = one.lane_seqs[lane];
  while (bulk.next < seqs.size() && seqs[bulk.next] <= seq) {
    const Oracle::Entry& entry = one.entries[seqs[bulk.next++] - 1];
    bulk.there += WantsEntry(entry);
  }
  return bulk.there;
}

uint64_t FollowChecker::CountBetween(uint32_t lane, uint64_t from, uint64_t to) const {
  const Oracle::Case& one = *oracle_.Find(case_id_);
  const std::vector<uint64_t>& seqs = one.lane_seqs[lane];
  const auto first = std::lower_bound(seqs.begin(), seqs.end(), from);
  return static_cast<uint64_t>(
      std::count_if(first, std::upper_bound(first, seqs.end(), to),
                    [&](uint64_t seq) { return WantsEntry(one.entries[seq - 1]); }));
}

void FollowChecker::OnBulk(const DeliveredRecord& delivered) {
  const uint64_t seq = delivered.record.stamp.seq;
  const uint32_t lane = delivered.record.header.lane;
  const Oracle::Case& one = *oracle_.Find(case_id_);
  // Of before the journal went back.
  if (seq > one.head() || one.entries[seq - 1].bytes != delivered.bytes) return;
  BulkLane& bulk = bulk_[lane];
  if (!has_snapshot_ || seq <= live_from_) return fail_("live bulk that the snapshot stands for");
  if (seq <= bulk.last_seq) return fail_("bulk of a lane goes back");
  if (!WantsEntry(one.entries[seq - 1])) return fail_("bulk of a trace that was not asked for");
  ++bulk.came;
  bulk.last_seq = seq;
  bulk.known.Insert(seq);
  const uint64_t there = CountTo(lane, seq);
  if (bulk.came + bulk.told < there) {
    fail_(absl::StrCat("lane ", lane, ": at seq ", seq, " there are ", there, " records, ",
                       bulk.came, " came and ", bulk.told, " were told as gaps"));
  }
}

void FollowChecker::OnGap(const v1::Gap& gap) {
  const uint32_t lane = gap.lane();
  if (complete_) return fail_("a gap in a COMPLETE follow");
  if (lane < 2 || lane >= kLaneCount || !Wants(lane)) return fail_("a gap of a wrong lane");
  if (version1_ && gap.cause() > v1::GAP_CAUSE_BUDGET) {
    return fail_("a gap of a cause that version 1 does not know");
  }
  // That it begins.
  if (gap.cause() == v1::GAP_CAUSE_SLOW_LINK && gap.count() == 0) return;
  const Oracle::Case* one = oracle_.Find(case_id_);
  if (one == nullptr || gap.from_seq() > gap.to_seq() || gap.to_seq() > one->head()) {
    if (oracle_.times_gone_back() > 0) return;
    return fail_("a gap that is not within the journal");
  }
  BulkLane& bulk = bulk_[lane];
  bulk.known.InsertRange(gap.from_seq(), gap.to_seq());
  if (gap.cause() == v1::GAP_CAUSE_WAS_AWAY) return;  // its count is of the lane, or not counted
  if (gap.count() > CountBetween(lane, gap.from_seq(), gap.to_seq())) {
    fail_("a gap counts more than there is");
  }
  if (gap.cause() == v1::GAP_CAUSE_LATE &&
      gap.count() > CountLate(lane, gap.from_seq(), gap.to_seq())) {
    fail_("a gap calls late what was not");
  }
  bulk.told += gap.count();
  gap_records_ += gap.count();
}

void FollowChecker::CheckRecordsOf(const v1::Snapshot& snapshot) const {
  const auto check = [this](const std::string& bytes) {
    const absl::StatusOr<StampedRecord> record = WalkStamped(bytes);
    if (!record.ok()) return fail_("a snapshot has a record that cannot be read");
    if (record->stamp.unrecorded) {
      if (version1_) fail_("an unrecorded record is shown to one who speaks version 1");
      return;
    }
    if (!oracle_.WasCommitted(case_id_, record->stamp.seq, bytes)) {
      fail_("a snapshot shows as recorded what is not on disk");
    }
  };
  for (const std::string& bytes : snapshot.records()) check(bytes);
  for (const std::string& bytes : snapshot.state().alerts()) check(bytes);
  for (const std::string& bytes : snapshot.state().messages()) check(bytes);
  for (const std::string& bytes : snapshot.state().alert_actions()) check(bytes);
  for (const std::string& bytes : snapshot.state().lifecycle()) check(bytes);
}

void FollowChecker::OnSnapshot(const v1::Snapshot& snapshot) {
  if (complete_) return fail_("a snapshot in a COMPLETE follow");
  CheckRecordsOf(snapshot);
  const Oracle::Case* one = oracle_.Find(case_id_);
  if (one == nullptr || snapshot.head_seq() > one->head()) {
    if (oracle_.times_gone_back() == 0) fail_("a snapshot of more than there is");
    return;
  }
  if (const std::string wrong = CheckSnapshotState(case_id_, *one, snapshot); !wrong.empty()) {
    return fail_(wrong);
  }
  const bool resumed = snapshot.cause() == "resumed";
  uint64_t control_seq = 0;
  for (const v1::LaneCursor& lane : snapshot.cursor().lanes()) {
    if (lane.lane() > 1 || !Wants(lane.lane())) continue;
    control_seq = std::max<uint64_t>(control_seq, lane.seq());
  }
  if (resumed) {
    const uint64_t next = NextAfter(at_seq_);
    if (next != 0 && next <= control_seq && oracle_.times_gone_back() == 0) {
      fail_(absl::StrCat("resumed at ", control_seq, ", but seq ", next, " has not come"));
    }
  } else if (has_snapshot_ && !fresh_start_allowed_ && oracle_.times_gone_back() == 0) {
    fail_(absl::StrCat("the follow starts anew for no reason: ", snapshot.cause()));
  }
  if (!resumed || control_seq > at_seq_) {
    at_seq_ = control_seq;
    at_hash_ = 0;
  }
  BeginLive(snapshot, resumed);
}

void FollowChecker::BeginLive(const v1::Snapshot& snapshot, bool resumed) {
  for (const v1::LaneCursor& lane : snapshot.cursor().lanes()) {
    if (lane.lane() < 2 || lane.lane() >= kLaneCount) continue;
    BulkLane& bulk = bulk_[lane.lane()];
    // It stands for the time away: from where this follower was to where it is now.
    SeqRanges known = resumed ? std::move(bulk.known) : SeqRanges();
    const uint64_t from = resumed ? std::max(bulk.last_seq, live_from_) : 0;
    known.InsertRange(from + 1, std::max<uint64_t>(lane.seq(), snapshot.head_seq()));
    bulk = BulkLane();
    bulk.known = std::move(known);
    bulk.counted_seq = snapshot.head_seq();
  }
  live_from_ = snapshot.head_seq();
  has_snapshot_ = true;
  // Only what comes behind it counts.
  const Oracle::Case& one = *oracle_.Find(case_id_);
  for (uint32_t lane = 2; lane < kLaneCount; ++lane) {
    const std::vector<uint64_t>& seqs = one.lane_seqs[lane];
    bulk_[lane].next =
        static_cast<size_t>(std::upper_bound(seqs.begin(), seqs.end(), live_from_) - seqs.begin());
  }
}

void FollowChecker::OnEnded(const v1::FollowEnded& ended) {
  // Version 1 cannot be shown what is not recorded.
  const bool blind = version1_ && absl::StrContains(ended.cause(), "cannot record this case");
  // Over, archived and taken out while its follower was away.
  const Oracle::Case* one = oracle_.Find(case_id_);
  const bool purged =
      one != nullptr && one->purged && absl::StrContains(ended.cause(), "the case is archived");
  if (!blind && !purged && !fresh_start_allowed_ && oracle_.times_gone_back() == 0) {
    fail_(absl::StrCat("the hub ends a follow for no reason: ", ended.cause()));
  }
  at_seq_ = at_hash_ = 0;
  live_from_ = 0;
  has_snapshot_ = false;
  bulk_ = {};
}

std::string FollowChecker::LackOfLane(uint32_t lane) const {
  const Oracle::Case& one = *oracle_.Find(case_id_);
  const BulkLane& bulk = bulk_[lane];
  const uint64_t there = CountBetween(lane, live_from_ + 1, one.head());
  if (bulk.came + bulk.told != there) {
    return absl::StrCat("lane ", lane, ": since seq ", live_from_, " there are ", there,
                        " records, ", bulk.came, " came and ", bulk.told, " were told as gaps");
  }
  for (const uint64_t seq : one.lane_seqs[lane]) {
    if (WantsEntry(one.entries[seq - 1]) && !bulk.known.Contains(seq)) {
      return absl::StrCat("lane ", lane, ": seq ", seq, " neither came nor lies in a gap");
    }
  }
  return "";
}

std::string FollowChecker::Lack() const {
  const Oracle::Case* one = oracle_.Find(case_id_);
  if (one == nullptr || one->head() == 0) return "";
  if (!complete_ && !has_snapshot_) return "no snapshot";
  if (at_seq_ > one->head() ||
      (at_hash_ != 0 && at_hash_ != BytesHash(one->entries[at_seq_ - 1].bytes))) {
    return absl::StrCat("its place, seq ", at_seq_, ", is of a journal that is no more");
  }
  if (const uint64_t next = NextAfter(at_seq_); next != 0) {
    return absl::StrCat("seq ", next, " has not come, the last one is ", at_seq_);
  }
  for (uint32_t lane = 2; lane < kLaneCount && !complete_; ++lane) {
    if (!Wants(lane)) continue;
    if (std::string lack = LackOfLane(lane); !lack.empty()) return lack;
  }
  return "";
}

void FollowChecker::CheckCursor(const v1::Cursor& cursor) const {
  const Oracle::Case* one = oracle_.Find(case_id_);
  // Of a case that a journal has lost nobody can be told.
  if (one == nullptr || one->head() == 0) return;
  for (const v1::LaneCursor& lane : cursor.lanes()) {
    if (lane.seq() == 0) continue;
    if (lane.seq() > one->head()) return fail_("a cursor beyond the journal");
    const Oracle::Entry& entry = one->entries[lane.seq() - 1];
    if (lane.digest() != 0 && lane.digest() != RecordDigest(entry.bytes)) {
      return fail_("a cursor's digest is not that of the record");
    }
  }
}

}  // namespace remora::simulation
