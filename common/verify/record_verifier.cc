#include "common/verify/record_verifier.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/fold/case_life.h"
#include "common/origin_seq.h"
#include "common/record_seal.h"
#include "common/verify/limits.h"

namespace remora {
namespace {

std::string Text(const ChainHead& chain) {
  return std::string(reinterpret_cast<const char*>(chain.data()), chain.size());
}

std::string RangeText(uint64_t first, uint64_t last) {
  return first == last ? absl::StrCat("record ", first)
                       : absl::StrCat("records ", first, " to ", last);
}

}  // namespace

LaneCounts VerifyReport::Total() const {
  LaneCounts total;
  for (const LaneCounts& lane : lanes) {
    total.held += lane.held;
    total.missing += lane.missing;
    total.given_up += lane.given_up;
    total.refused += lane.refused;
  }
  return total;
}

bool VerifyReport::IsWhole() const {
  if (stage < v1::CASE_STAGE_CLOSED) return true;
  return certificate_index > 0 && unsigned_count == 0;
}

RecordVerifier::RecordVerifier(const CaseId& case_id, std::vector<std::string> public_keys)
    : case_id_(case_id), fold_(case_id) {
  report_.case_id = case_id;
  for (std::string& key : public_keys) {
    std::string id = KeyIdOf(key);
    keys_.emplace(std::move(id), std::move(key));
  }
}

void RecordVerifier::Find(std::string finding) {
  if (report_.findings.size() < kMaxFindings) {
    report_.findings.push_back(std::move(finding));
  } else {
    ++report_.more_findings;
  }
}

void RecordVerifier::AddWitness(const HeadWitness& witness) {
  const v1::SignedHead& head = witness.head;
  if (witness.case_id != case_id_) return Find("a witness of another case");
  const auto key = keys_.find(head.key_id());
  if (key == keys_.end() || !IsSigned(case_id_, head, key->second)) {
    return Find(absl::StrCat("the witness of record ", head.seq(),
                             ": not signed for this case with a key that is trusted"));
  }
  witnesses_.push_back(head);
}

void RecordVerifier::CheckWitnesses() {
  for (const v1::SignedHead& head : witnesses_) {
    if (head.seq() != seq_) continue;
    if (head.chain() == Text(chain_)) {
      ++report_.witnessed_heads;
    } else {
      Find(absl::StrCat("records 1 to ", seq_,
                        " are not what a witness was shown: they were changed since"));
    }
  }
}

bool RecordVerifier::CheckPlace(const StampedRecord& stamped) {
  const RecordStamp& stamp = stamped.stamp;
  if (stamped.header.case_id != case_id_) {
    Find(absl::StrCat("after record ", seq_, ": a record of another case"));
    return false;
  }
  if (stamp.seq != seq_ + 1) {
    Find(stamp.seq > seq_ + 1 ? absl::StrCat(RangeText(seq_ + 1, stamp.seq - 1), ": not there")
                              : absl::StrCat("after record ", seq_, ": record ", stamp.seq,
                                             " out of its place (put in, doubled or moved)"));
    if (stamp.seq <= seq_) return false;
  }
  if (stamp.epoch < epoch_) {
    Find(absl::StrCat("record ", stamp.seq, ": of epoch ", stamp.epoch, ", behind epoch ", epoch_));
  }
  if (stamp.recorded_at.nanoseconds() < recorded_unix_ns_) {
    Find(absl::StrCat("record ", stamp.seq, ": recorded before the one before it"));
  }
  return true;
}

void RecordVerifier::Account(const StampedRecord& stamped) {
  const RecordHeader& header = stamped.header;
  SeqRanges& held = held_[{header.origin, header.lane}];
  if (header.lane >= kControlLaneCount && header.origin_seq < held.largest()) {
    late_[{header.origin, header.lane}].Insert(header.origin_seq);
  }
  if (!held.Insert(header.origin_seq)) {
    Find(absl::StrCat("record ", stamped.stamp.seq, ": number ", header.origin_seq, " of lane ",
                      header.lane, " of origin ", header.origin.Hex(), " for the second time"));
  }
  gaps_.Note(stamped, held);
  if (header.kind != v1::Record::kCaseLifecycle) ++since_certificate_[header.origin];
}

void RecordVerifier::Take(absl::string_view bytes_untrusted) {
  ++report_.record_count;
  const absl::StatusOr<StampedRecord> stamped = WalkStamped(bytes_untrusted);
  if (!stamped.ok() || stamped->stamp.unrecorded) {
    return Find(
        absl::StrCat("after record ", seq_, ": not a record: ",
                     stamped.ok() ? "without a number" : std::string(stamped.status().message())));
  }
  if (!CheckPlace(*stamped)) return;
  v1::Record record;
  const bool control = stamped->header.lane < kControlLaneCount;
  if (control &&
      !record.ParseFromArray(bytes_untrusted.data(), static_cast<int>(bytes_untrusted.size()))) {
    Find(absl::StrCat("record ", stamped->stamp.seq, ": its body cannot be read"));
  }
  // Signatures speak of what is before them.
  if (stamped->header.lane == 1) TakeEvent(record);
  seq_ = stamped->stamp.seq;
  epoch_ = std::max(epoch_, stamped->stamp.epoch);
  recorded_unix_ns_ = std::max(recorded_unix_ns_, stamped->stamp.recorded_at.nanoseconds());
  chain_ = ExtendChain(chain_, bytes_untrusted);
  Account(*stamped);
  CheckWitnesses();
  if (!control) return;
  told_.Note(stamped->header.key(), record, stamped->stamp.recorded_at.nanoseconds());
  if (record.has_clock_estimate()) {
    gaps_.NoteClock(stamped->header.origin, record.clock_estimate());
  }
  FoldedRecord folded;
  folded.bytes.frame = SharedBytes(std::string(bytes_untrusted));
  folded.seq = seq_;
  folded.recorded_unix_ns = stamped->stamp.recorded_at.nanoseconds();
  folded.lane = stamped->header.lane;
  fold_.Apply(folded);
}

void RecordVerifier::TakeEvent(const v1::Record& record) {
  if (record.has_signed_head()) {
    ++report_.signed_heads;
    CheckSeal(record.signed_head(), "signed head");
  } else if (record.has_certificate()) {
    ++report_.certificates;
    CheckCertificate(record.certificate());
    since_certificate_.clear();
  }
}

template <typename Seal>
bool RecordVerifier::CheckSeal(const Seal& seal, const char* what) {
  const std::string where = absl::StrCat(what, " at record ", seq_ + 1);
  const auto key = keys_.find(seal.key_id());
  if (key == keys_.end()) {
    Find(absl::StrCat(where, ": signed with key ", seal.key_id(), ", which is not trusted"));
    return false;
  }
  if (!IsSigned(case_id_, seal, key->second)) {
    Find(absl::StrCat(where, ": its signature does not hold"));
    return false;
  }
  key_ids_[seal.key_id()] = true;
  const size_t before = report_.findings.size() + report_.more_findings;
  if (seal.seq() != seq_) {
    Find(absl::StrCat(where, ": it covers records up to ", seal.seq(), ", but record ", seq_,
                      " is before it"));
  }
  if (seal.epoch() < epoch_) Find(absl::StrCat(where, ": of an epoch that was over"));
  if (seal.chain() != Text(chain_)) {
    Find(absl::StrCat(where, ": ", RangeText(proved_from_, seq_),
                      " are not what was signed: something in them was changed, put in, taken out "
                      "or moved"));
    // From here on the signed chain counts, so that what comes is judged by itself.
    if (seal.chain().size() == chain_.size()) {
      std::copy(seal.chain().begin(), seal.chain().end(), chain_.begin());
    }
  } else if (seal.fold_version() != kFoldVersion) {
    ++report_.states_not_compared;
  } else if (seal.state_digest() != Blake2b256(fold_.EncodeCheckpoint())) {
    Find(absl::StrCat(where, ": the state of the case, folded from record 1, is another"));
  }
  proved_from_ = seq_ + 1;
  if (report_.findings.size() + report_.more_findings != before) return false;
  if (report_.ok()) report_.proved_seq = seq_;
  return true;
}

// A late annex is what publishers sent since the certificate before; a closing has none.
void RecordVerifier::CheckLateCount(const v1::Certificate& certificate, const std::string& what) {
  if (certificate.late_count() == 0) return;
  uint64_t late = 0;
  for (const auto& [origin, count] : since_certificate_) late += count;
  for (const v1::OriginLaneHead& head : certificate.heads()) {
    const auto own = since_certificate_.find(OriginId::FromBytes(head.origin()));
    if (!head.participant().empty() || own == since_certificate_.end()) continue;
    late -= own->second;
    since_certificate_.erase(own);
  }
  if (late != certificate.late_count()) {
    Find(absl::StrCat(what, ": a late annex of ", certificate.late_count(), " records; there are ",
                      late));
  }
}

void RecordVerifier::CheckGap(const v1::OriginLaneHead& head, const v1::NamedGap& gap,
                              const std::string& where) {
  LaneCounts& counts = report_.lanes[head.lane()];
  const uint64_t count = gap.last_origin_seq() - gap.first_origin_seq() + 1;
  const OriginLane lane{OriginId::FromBytes(head.origin()), head.lane()};
  switch (gap.cause()) {
    case v1::NAMED_GAP_CAUSE_MISSING:
      counts.missing += count;
      return;
    case v1::NAMED_GAP_CAUSE_REFUSED:
      counts.refused += count;
      return;
    case v1::NAMED_GAP_CAUSE_DATA_GAP: {
      counts.given_up += count;
      const bool named = !gap.has_data_gap() || told_.Tells(FromProto(gap.data_gap()), lane);
      if (!named || !told_.HasTold(lane, gap.first_origin_seq(), gap.last_origin_seq())) {
        Find(absl::StrCat(where, ": a gap is explained by a DataGap that does not say so"));
      }
      return;
    }
    default:
      Find(absl::StrCat(where, ": a gap without a cause that is known"));
  }
}

void RecordVerifier::CheckHead(const v1::OriginLaneHead& head, const std::string& where) {
  static const SeqRanges kNone;
  const auto it = held_.find({OriginId::FromBytes(head.origin()), head.lane()});
  const SeqRanges& held = it == held_.end() ? kNone : it->second;
  SeqRanges named;
  for (const v1::NamedGap& gap : head.gaps()) {
    if (gap.first_origin_seq() == 0 || gap.last_origin_seq() < gap.first_origin_seq() ||
        gap.last_origin_seq() > kMaxOriginSeq) {
      Find(absl::StrCat(where, ": a gap that is none"));
      continue;
    }
    named.InsertRange(gap.first_origin_seq(), gap.last_origin_seq());
    CheckGap(head, gap, where);
  }
  if (head.last_origin_seq() > kMaxOriginSeq) {
    Find(absl::StrCat(where, ": no number can be ", head.last_origin_seq()));
  }
  report_.lanes[head.lane()].held += held.count();
  const OriginId origin = OriginId::FromBytes(head.origin());
  if (head.last_origin_seq() < told_.TotalOf(origin, head.lane())) {
    Find(absl::StrCat(where, ": its publisher has made ", told_.TotalOf(origin, head.lane()),
                      " by its own total, it certifies ", head.last_origin_seq()));
  }
  if (head.total_given() && !told_.HasTotal(origin, held_)) {
    Find(absl::StrCat(where, ": no total of its publisher counts, and it says that one does"));
  }
  SeqRanges missing;
  if (head.last_origin_seq() > 0) {
    for (const SeqRanges::Range& hole : held.Missing(1, head.last_origin_seq())) {
      missing.InsertRange(hole.first, hole.last);
    }
  }
  if (held.count() != head.held_count() || held.largest() > head.last_origin_seq()) {
    Find(absl::StrCat(where, ": it certifies ", head.held_count(), " records up to number ",
                      head.last_origin_seq(), ", on record are ", held.count(), " up to ",
                      held.largest()));
  } else if (!(missing == named)) {
    Find(absl::StrCat(where, ": its gaps are not the numbers that are not on record"));
  }
  CheckLate(head, where);
}

// The list may be shorter than the count, never other.
void RecordVerifier::CheckLate(const v1::OriginLaneHead& head, const std::string& where) {
  static const SeqRanges kNone;
  const auto it = late_.find({OriginId::FromBytes(head.origin()), head.lane()});
  const SeqRanges& late = it == late_.end() ? kNone : it->second;
  if (late.count() != head.late_count()) {
    Find(
        absl::StrCat(where, ": ", late.count(), " records came late, it says ", head.late_count()));
  }
  SeqRanges listed;
  for (const v1::OriginSeqRange& range : head.late()) {
    if (range.first_origin_seq() <= listed.largest() ||
        range.last_origin_seq() < range.first_origin_seq()) {
      return Find(absl::StrCat(where, ": a list of late records that is none"));
    }
    listed.InsertRange(range.first_origin_seq(), range.last_origin_seq());
  }
  if (!listed.Without(late).empty()) {
    Find(absl::StrCat(where, ": its list of late records is not of those that came late"));
  }
}

void RecordVerifier::CheckClose(const v1::Certificate& certificate, const std::string& what) {
  const v1::CaseStage stage = fold_.life().stage;
  if (stage < v1::CASE_STAGE_CLOSED) {
    Find(absl::StrCat(what, ": of a case that is ", StageName(stage)));
  }
  const v1::CaseLifecycle none;
  const v1::CaseLifecycle& close = certificate.complete() ? none : told_.closed_with_gaps();
  if (certificate.reason() != close.reason() || certificate.actor() != close.actor()) {
    Find(absl::StrCat(what, ": reason or actor are not those of who closed the case with gaps"));
  }
  if (!certificate.complete()) return;
  if (const uint64_t missing = report_.Total().missing; missing > 0) {
    Find(absl::StrCat(what, ": complete, and ", missing, " records are missing"));
  }
  std::set<std::string> agents;
  for (const v1::ParticipantSummary& participant : fold_.Participants()) {
    if (participant.role() == v1::ROLE_AGENT) agents.insert(participant.participant());
  }
  std::set<std::string> unsaid;
  for (const v1::OriginLaneHead& head : certificate.heads()) {
    const bool agent = head.lane() >= kControlLaneCount || agents.contains(head.participant());
    if (agent && !head.total_given()) unsaid.insert(head.participant());
  }
  for (const std::string& name : unsaid) {
    Find(absl::StrCat(what, ": complete, and ", name, " has not said what it made"));
  }
}

void RecordVerifier::CheckCertificate(const v1::Certificate& certificate) {
  const std::string what = absl::StrCat("certificate ", certificate.certificate_index());
  const size_t before = report_.findings.size() + report_.more_findings;
  const bool sealed = CheckSeal(certificate, what.c_str());
  if (!sealed) return;
  if (certificate.record_count() != seq_) {
    Find(absl::StrCat(what, ": it counts ", certificate.record_count(), " records of ", seq_));
  }
  if (certificate.certificate_index() != report_.certificate_index + 1) {
    Find(absl::StrCat(what, ": comes after certificate ", report_.certificate_index));
  }
  report_.lanes = {};
  std::set<OriginLane> named;
  uint64_t held = 0;
  for (const v1::OriginLaneHead& head : certificate.heads()) {
    const OriginId origin = OriginId::FromBytes(head.origin());
    const std::string where =
        absl::StrCat(what, ", lane ", head.lane(), " of ",
                     head.participant().empty() ? "the hub" : head.participant());
    if (head.lane() >= kLaneCount) {
      Find(absl::StrCat(where, ": there is no such lane"));
      continue;
    }
    if (!named.insert({origin, head.lane()}).second) Find(absl::StrCat(where, ": named twice"));
    CheckHead(head, where);
    held += head.held_count();
  }
  CheckLateCount(certificate, what);
  if (held != seq_) {
    Find(absl::StrCat(what, ": its origins hold ", held, " records of ", seq_));
  }
  CheckClose(certificate, what);
  if (report_.findings.size() + report_.more_findings != before) return;
  report_.certificate_index = certificate.certificate_index();
  report_.certified_seq = seq_;
  report_.complete = certificate.complete();
  report_.gaps = gaps_.List(certificate, told_);
}

VerifyReport RecordVerifier::Finish() {
  for (const v1::SignedHead& head : witnesses_) {
    if (head.seq() <= seq_) continue;
    Find(absl::StrCat("the record ends at ", seq_, ", and a witness was shown ", head.seq(),
                      ": it was cut, or has gone back to a backup"));
  }
  report_.stage = fold_.life().stage;
  // A signature proves the record that it is in itself.
  const uint64_t proved = report_.proved_seq == 0 ? 0 : report_.proved_seq + 1;
  report_.unsigned_count = report_.record_count - std::min(report_.record_count, proved);
  report_.chain = Text(chain_);
  for (const auto& [id, used] : key_ids_) report_.key_ids.push_back(id);
  return report_;
}

}  // namespace remora
