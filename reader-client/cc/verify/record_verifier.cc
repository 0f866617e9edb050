#include "reader-client/cc/verify/record_verifier.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/record_seal.h"
#include "reader-client/cc/verify/limits.h"

namespace remora::reader {
namespace {

std::string Text(const ChainHead& chain) {
  return std::string(reinterpret_cast<const char*>(chain.data()), chain.size());
}

std::string RangeText(uint64_t first, uint64_t last) {
  return first == last ? absl::StrCat("record ", first)
                       : absl::StrCat("records ", first, " to ", last);
}

}  // namespace

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
  Held& held = held_[{header.origin, header.lane}];
  if (header.lane >= kControlLaneCount && header.origin_seq < held.numbers.largest()) ++held.late;
  if (!held.numbers.Insert(header.origin_seq)) {
    Find(absl::StrCat("record ", stamped.stamp.seq, ": number ", header.origin_seq, " of lane ",
                      header.lane, " of origin ", header.origin.Hex(), " for the second time"));
  }
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
  if (record.has_data_gap()) told_gaps_[stamped->header.key()] = record.data_gap();
  if (!control) return;
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
  if (gap.cause() != v1::NAMED_GAP_CAUSE_DATA_GAP) return;
  const RecordKey key{OriginId::FromBytes(gap.data_gap().origin()), gap.data_gap().lane(),
                      gap.data_gap().origin_seq()};
  const auto told = told_gaps_.find(key);
  const bool says = told != told_gaps_.end() && key.origin.bytes() == head.origin() &&
                    told->second.lane() == head.lane() &&
                    told->second.first_origin_seq() <= gap.first_origin_seq() &&
                    told->second.last_origin_seq() >= gap.last_origin_seq();
  if (!says) Find(absl::StrCat(where, ": a gap is explained by a DataGap that does not say so"));
}

void RecordVerifier::CheckHead(const v1::OriginLaneHead& head, const std::string& where) {
  static const SeqRanges kNone;
  const auto it = held_.find({OriginId::FromBytes(head.origin()), head.lane()});
  const SeqRanges& held = it == held_.end() ? kNone : it->second.numbers;
  const uint64_t late = it == held_.end() ? 0 : it->second.late;
  SeqRanges named;
  for (const v1::NamedGap& gap : head.gaps()) {
    if (gap.first_origin_seq() == 0 || gap.last_origin_seq() < gap.first_origin_seq()) {
      Find(absl::StrCat(where, ": a gap that is none"));
      continue;
    }
    named.InsertRange(gap.first_origin_seq(), gap.last_origin_seq());
    CheckGap(head, gap, where);
    if (gap.cause() == v1::NAMED_GAP_CAUSE_MISSING) {
      report_.missing_count += gap.last_origin_seq() - gap.first_origin_seq() + 1;
    }
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
  if (late != head.late_count()) {
    Find(absl::StrCat(where, ": ", late, " records came late, it says ", head.late_count()));
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
  report_.missing_count = 0;
  std::set<OriginLane> named;
  uint64_t held = 0;
  for (const v1::OriginLaneHead& head : certificate.heads()) {
    const OriginId origin = OriginId::FromBytes(head.origin());
    const std::string where =
        absl::StrCat(what, ", lane ", head.lane(), " of ",
                     head.participant().empty() ? "the hub" : head.participant());
    if (!named.insert({origin, head.lane()}).second) Find(absl::StrCat(where, ": named twice"));
    CheckHead(head, where);
    held += head.held_count();
  }
  CheckLateCount(certificate, what);
  if (held != seq_) {
    Find(absl::StrCat(what, ": its origins hold ", held, " records of ", seq_));
  }
  if (certificate.complete() && report_.missing_count > 0) {
    Find(absl::StrCat(what, ": complete, and ", report_.missing_count, " records are missing"));
  }
  if (report_.findings.size() + report_.more_findings != before) return;
  report_.certificate_index = certificate.certificate_index();
  report_.certified_seq = seq_;
  report_.complete = certificate.complete();
}

VerifyReport RecordVerifier::Finish() {
  report_.chain = Text(chain_);
  for (const auto& [id, used] : key_ids_) report_.key_ids.push_back(id);
  return report_;
}

}  // namespace remora::reader
