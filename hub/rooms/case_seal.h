#pragma once

// What makes a case's record provable: signs the head of its chain now and then, closes its books,
// and writes its certificates (docs/certificate.md).
//
//   each kSignedHeadInterval with something new           SignedHead (CLOSED: kClosedHeadInterval)
//   CLOSED accepted: books complete, or closed with gaps  Certificate, SignedHead
//   more came after it, and kAnnexQuiet without any more  Certificate (index + 1), SignedHead
//   ABANDONED accepted                                    Certificate, SignedHead
//   SEALED accepted                                       SignedHead
//   what makes no annex came after SEALED or ABANDONED    SignedHead after kClosedHeadInterval
//
// What tells of people looking and of links (ViewSeen, Presence ...) makes no annex. A source that
// is never quiet waits kLongestAnnexWait at most; two certificates of annexes are at least
// kCertificateInterval apart. Books that no certificate can hold leave the case without one: that
// is a technical alert, and the next annex or start tries again. Without a signer nothing is signed
// and no certificate is written. Sequence-bound to its room, which owns it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/fold/case_fold.h"
#include "common/hub_time.h"
#include "common/record_codec.h"
#include "common/record_seal.h"
#include "hub/rooms/case_books.h"
#include "hub/rooms/commit_queue.h"
#include "hub/rooms/origin_ledger.h"
#include "hub/rooms/signing_turns.h"

namespace remora::hub {

class CaseSeal {
 public:
  // All outlive it.
  struct Parts {
    const RecordSigner* signer = nullptr;  // may be null
    const Clock* clock = nullptr;
    HubTimeSource* hub_time = nullptr;
    const CommitQueue* commits = nullptr;
    const OriginLedger* ledger = nullptr;
    // What is on disk.
    const CaseFold* fold = nullptr;
    OriginId hub;
    // Whether somebody publishes from this origin now.
    std::function<bool(const OriginId&)> is_here;
    // Accepts a record of the hub's own in lane 1, at once.
    std::function<void(v1::Record)> write;
    // Tells people: a technical alert, and a metric.
    std::function<void(const std::string& summary)> tell_uncertified;
    // May be null.
    SigningTurns* turns = nullptr;
  };
  explicit CaseSeal(Parts parts);

  // Once the room is restored: `fold` is what it comes from.
  void Restore();
  // A record that was read again at a restore.
  void Note(const RecordKey& key, const v1::Record& record) { books_.Note(key, record); }

  // Whether a case may be CLOSED by this step. FailedPrecondition names what is missing of whom.
  absl::Status CheckClose(const v1::CaseLifecycle& step) const;
  // Whether a case that is sealed or abandoned takes this record.
  bool TakesLate(const RecordKey& key) const;
  // Why a publisher's total cannot be; empty: it can.
  std::string WhatIsWrongWith(const RecordKey& key, const v1::PublisherTotal& total) const {
    return books_.WhatIsWrongWith(*parts_.ledger, MakePeople(), key, total);
  }
  // Each record that was accepted; `record` null: not parsed. Writes the certificate behind CLOSED.
  void OnTaken(const RecordHeader& header, const v1::Record* record);
  // No annex waits for its certificate, and nothing is behind the last signature.
  bool IsAtRest() const;
  // As time passes, while the room can take records.
  void Tick(v1::CaseStage stage);

 private:
  CaseBooks::People MakePeople() const;
  CaseBooks::Balance Strike() const;
  void OnStep(const v1::CaseLifecycle& step);
  bool IsAnnexDue(DeviceTime now) const;
  bool IsHeadDue(v1::CaseStage stage, DeviceTime now) const;
  bool HasUncommittedState() const;
  // Of the state after all that is accepted.
  std::string StateDigest() const;
  void SignHead();
  void Certify(const std::string& reason, const std::string& actor, uint64_t late_count);
  // Records of publishers that no certificate covers, but for steps of the case's life.
  uint64_t LateCount() const;

  const Parts parts_;
  CaseBooks books_;
  DeviceTime signed_at_;
  // Of the newest signed head.
  uint64_t signed_seq_ = 0;
  // It has been closed or abandoned once, so that there is, or should be, a certificate.
  bool was_closed_ = false;
  // When the newest record came that no certificate covers, and the oldest.
  std::optional<DeviceTime> annex_at_;
  DeviceTime annex_since_;
  // Of this hub's life.
  std::optional<DeviceTime> certified_at_;
  // The newest certificate as accepted.
  uint32_t certificate_index_ = 0;
  std::string reason_;
  std::string actor_;
};

}  // namespace remora::hub
