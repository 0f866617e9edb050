#include "hub/rooms/case_seal.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/rooms/folded_frame.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

// In their common order: a total counts only behind the newest CLOSING.
void NoteAll(std::initializer_list<const RecordShelf*> shelves, CaseBooks* books) {
  std::map<uint64_t, RecordShelf::Entry> by_seq;
  for (const RecordShelf* shelf : shelves) {
    by_seq.insert(shelf->records().begin(), shelf->records().end());
  }
  for (const auto& [seq, entry] : by_seq) {
    v1::Record record;
    const absl::string_view bytes = entry.bytes.view();
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    books->Note({OriginId::FromBytes(record.origin()), record.lane(), record.origin_seq()}, record);
  }
}

// Whether it adds to what a closed case holds: not who looks at it, nor how links and clocks are.
bool MakesAnnex(uint32_t kind) {
  return kind != v1::Record::kViewSeen && kind != v1::Record::kClockEstimate &&
         kind != v1::Record::kPresence && kind != v1::Record::kLinkState;
}

std::string ChainText(const CaseHead& head) {
  return std::string(reinterpret_cast<const char*>(head.chain.data()), head.chain.size());
}

}  // namespace

CaseSeal::CaseSeal(Parts parts) : parts_(std::move(parts)), signed_at_(parts_.clock->Now()) {}

void CaseSeal::Restore() {
  NoteAll({&parts_.fold->gaps(), &parts_.fold->publisher_totals(), &parts_.fold->lifecycle()},
          &books_);
  signed_at_ = parts_.clock->Now();
  signed_seq_ = parts_.fold->signed_head().seq() + 1;
  const v1::Certificate& certificate = parts_.fold->certificate();
  certificate_index_ = certificate.certificate_index();
  reason_ = actor_ = "";
  for (const auto& [seq, entry] : parts_.fold->lifecycle().records()) {
    v1::Record record;
    const absl::string_view bytes = entry.bytes.view();
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    const v1::CaseLifecycle& step = record.case_lifecycle();
    if (step.transition() != v1::CASE_TRANSITION_CLOSED &&
        step.transition() != v1::CASE_TRANSITION_ABANDONED) {
      continue;
    }
    reason_ = step.with_gaps() ? step.reason() : "";
    actor_ = step.with_gaps() ? step.actor() : "";
  }
  const bool closed = parts_.fold->life().stage >= v1::CASE_STAGE_CLOSED;
  was_closed_ = closed || certificate_index_ > 0;
  const bool uncertified = closed && certificate_index_ == 0;
  if (uncertified || (certificate_index_ > 0 && LateCount() > 0)) {
    annex_at_ = annex_since_ = parts_.clock->Now();
  }
}

CaseBooks::People CaseSeal::MakePeople() const {
  std::set<std::string> agents;
  for (const v1::ParticipantSummary& participant : parts_.fold->Participants()) {
    if (participant.role() == v1::ROLE_AGENT) agents.insert(participant.participant());
  }
  return {[agents = std::move(agents)](const std::string& name) { return agents.contains(name); },
          parts_.is_here};
}

CaseBooks::Balance CaseSeal::Strike() const { return books_.Strike(*parts_.ledger, MakePeople()); }

bool CaseSeal::TakesLate(const RecordKey& key) const {
  return books_.Expects(*parts_.ledger, MakePeople(), key);
}

absl::Status CaseSeal::CheckClose(const v1::CaseLifecycle& step) const {
  const CaseBooks::Balance balance = Strike();
  if (step.with_gaps()) return absl::OkStatus();
  if (!balance.fits) {
    return absl::FailedPreconditionError(
        "more origins or gaps than a certificate can name: close it with gaps and a reason; its "
        "record is then proved by its signed heads alone");
  }
  if (balance.complete) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "not all is on record: ", balance.missing, "; wait, or close with named gaps and a reason"));
}

void CaseSeal::OnTaken(const RecordHeader& header, const v1::Record* record) {
  if (record != nullptr) books_.Note(header.key(), *record);
  if (header.origin == parts_.hub) return;
  if (record != nullptr && record->has_case_lifecycle()) return OnStep(record->case_lifecycle());
  if (!was_closed_ || !MakesAnnex(header.kind)) return;
  const DeviceTime now = parts_.clock->Now();
  if (!annex_at_) annex_since_ = now;
  annex_at_ = now;
}

void CaseSeal::OnStep(const v1::CaseLifecycle& step) {
  switch (step.transition()) {
    case v1::CASE_TRANSITION_CLOSED:
      // Only who closed with gaps has accepted any.
    case v1::CASE_TRANSITION_ABANDONED:
      was_closed_ = true;
      reason_ = step.with_gaps() ? step.reason() : "";
      actor_ = step.with_gaps() ? step.actor() : "";
      return Certify(reason_, actor_, 0);
    case v1::CASE_TRANSITION_SEALED:
      // The step itself is not to be behind the last signature.
      return SignHead();
    default:
      return;
  }
}

bool CaseSeal::HasUncommittedState() const {
  bool has = false;
  parts_.commits->VisitUncommitted(
      [&has](const RecordFrame& frame) { has |= frame.lane < kControlLaneCount; });
  return has;
}

// Bulk is no part of it: only where control waits for the disk a copy is needed.
std::string CaseSeal::StateDigest() const {
  std::optional<CaseFold> ahead;
  parts_.commits->VisitUncommitted([this, &ahead](const RecordFrame& frame) {
    if (frame.lane >= kControlLaneCount) return;
    if (!ahead) ahead = *parts_.fold;
    ahead->Apply(ToFolded(frame));
  });
  return Blake2b256((ahead ? *ahead : *parts_.fold).EncodeCheckpoint());
}

void CaseSeal::SignHead() {
  if (parts_.signer == nullptr) return;
  const CaseHead& accepted = parts_.commits->accepted();
  v1::Record record;
  v1::SignedHead* head = record.mutable_signed_head();
  head->set_seq(accepted.last_seq);
  head->set_chain(ChainText(accepted));
  head->set_epoch(accepted.epoch);
  head->set_at_unix_ns(parts_.hub_time->Now().nanoseconds());
  head->set_state_digest(StateDigest());
  head->set_fold_version(kFoldVersion);
  parts_.signer->Sign(accepted.case_id, head);
  parts_.write(std::move(record));
  signed_at_ = parts_.clock->Now();
  signed_seq_ = parts_.commits->accepted_seq();
}

void CaseSeal::Certify(const std::string& reason, const std::string& actor, uint64_t late_count) {
  annex_at_.reset();
  if (parts_.signer == nullptr) return;
  CaseBooks::Balance balance = Strike();
  if (!balance.fits) {
    certified_at_ = parts_.clock->Now();  // not tried for each record either
    SignHead();
    return parts_.tell_uncertified(
        "No certificate can be written of this case: it has more origins or gaps than one can "
        "name. Its signed heads prove what is on record");
  }
  const CaseHead& accepted = parts_.commits->accepted();
  v1::Record record;
  v1::Certificate* certificate = record.mutable_certificate();
  for (v1::OriginLaneHead& head : balance.heads) *certificate->add_heads() = std::move(head);
  certificate->set_certificate_index(++certificate_index_);
  certificate->set_epoch(accepted.epoch);
  certificate->set_seq(accepted.last_seq);
  certificate->set_chain(ChainText(accepted));
  certificate->set_at_unix_ns(parts_.hub_time->Now().nanoseconds());
  certificate->set_complete(balance.complete);
  if (!balance.complete) {
    certificate->set_reason(reason);
    certificate->set_actor(actor);
  }
  certificate->set_record_count(accepted.last_seq);
  certificate->set_late_count(late_count);
  certificate->set_state_digest(StateDigest());
  certificate->set_fold_version(kFoldVersion);
  parts_.signer->Sign(accepted.case_id, certificate);
  parts_.write(std::move(record));
  certified_at_ = parts_.clock->Now();
  SignHead();
}

uint64_t CaseSeal::LateCount() const {
  const v1::Certificate& last = parts_.fold->certificate();
  if (last.certificate_index() == 0) return 0;  // the first one covers all
  uint64_t covered = 0;
  for (const v1::OriginLaneHead& head : last.heads()) {
    if (!head.participant().empty()) covered += head.held_count();
  }
  uint64_t held = 0;
  for (const OriginId& origin : parts_.ledger->Origins()) {
    if (parts_.ledger->ParticipantOf(origin).empty()) continue;
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      held +=
          parts_.ledger->Used(origin, lane).count() - parts_.ledger->Refused(origin, lane).count();
    }
  }
  for (const auto& [seq, entry] : parts_.fold->lifecycle().records()) {
    if (seq > last.seq()) ++covered;
  }
  return held - std::min(held, covered);
}

bool CaseSeal::IsAnnexDue(DeviceTime now) const {
  if (!annex_at_) return false;
  if (certified_at_ && now - *certified_at_ < kCertificateInterval) return false;
  return now - *annex_at_ >= kAnnexQuiet || now - annex_since_ >= kLongestAnnexWait;
}

bool CaseSeal::IsHeadDue(v1::CaseStage stage, DeviceTime now) const {
  // An annex to a case that is SEALED or ABANDONED has its certificate, and a head behind it.
  if (stage >= v1::CASE_STAGE_SEALED && annex_at_) return false;
  const Duration since = now - signed_at_;
  const Duration interval =
      stage >= v1::CASE_STAGE_CLOSED ? kClosedHeadInterval : kSignedHeadInterval;
  if (since < interval || parts_.commits->accepted_seq() <= signed_seq_) return false;
  return since >= interval + kSigningPatience || !HasUncommittedState();
}

bool CaseSeal::IsAtRest() const {
  return !annex_at_ && (parts_.signer == nullptr || parts_.commits->accepted_seq() <= signed_seq_);
}

void CaseSeal::Tick(v1::CaseStage stage) {
  const DeviceTime now = parts_.clock->Now();
  const bool annex = stage >= v1::CASE_STAGE_CLOSED && IsAnnexDue(now) &&
                     parts_.commits->committed().last_seq == parts_.commits->accepted_seq();
  if (!annex && !IsHeadDue(stage, now)) return;
  if (parts_.turns != nullptr && !parts_.turns->Take(now)) return;
  if (annex) return Certify(reason_, actor_, LateCount());
  SignHead();
}

}  // namespace remora::hub
