#pragma once

// What makes a case's record provable: signs the head of its chain now and then, closes its books,
// and writes its certificates (docs/certificate.md).
//
//   each kSignedHeadInterval with something new           SignedHead
//   CLOSED accepted: books complete, or closed with gaps  Certificate, SignedHead
//   more came after it, and kAnnexQuiet without any more  Certificate (index + 1), SignedHead
//   SEALED or ABANDONED accepted                          SignedHead
//
// What tells of people looking and of links (ViewSeen, Presence ...) makes no annex. A source that
// is never quiet waits kLongestAnnexWait at most; two certificates of annexes are at least
// kCertificateInterval apart.
// Without a signer nothing is signed and no certificate is written. Sequence-bound to its room,
// which owns it.

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
  };
  explicit CaseSeal(Parts parts);

  // Once the room is restored: `fold` is what it comes from.
  void Restore();
  // A record that was read again at a restore.
  void Note(const RecordKey& key, const v1::Record& record) { books_.Note(key, record); }

  // Whether a case may be CLOSED by this step. FailedPrecondition names what is missing of whom.
  absl::Status CheckClose(const v1::CaseLifecycle& step) const;
  // Whether a sealed case takes this record.
  bool TakesSealed(const RecordKey& key) const;
  // Each record that was accepted; `record` null: not parsed. Writes the certificate behind CLOSED.
  void OnTaken(const RecordHeader& header, const v1::Record* record);
  // As time passes, while the room can take records.
  void Tick(v1::CaseStage stage);

 private:
  CaseBooks::People MakePeople() const;
  CaseBooks::Balance Strike() const;
  void OnStep(const v1::CaseLifecycle& step);
  bool IsAnnexDue(DeviceTime now) const;
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
