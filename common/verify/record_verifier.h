#pragma once

// Proves a case's record, or says what is wrong with it: the chain over all lanes, every signed
// head and certificate against the records themselves, and the state folded from record 1
// (docs/certificate.md, "Verifying"). Needs nothing but the records and a public key.
//
// Give it the records in order, then Finish. Thread-compatible. What it is given is not trusted.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/chain.h"
#include "common/fold/case_fold.h"
#include "common/head_witness.h"
#include "common/ids.h"
#include "common/record_codec.h"
#include "common/seq_ranges.h"
#include "common/verify/gap_list.h"
#include "common/verify/told_books.h"
#include "remora/v1/record.pb.h"

namespace remora {

// Of one lane, over all origins, by the newest certificate.
struct LaneCounts {
  uint64_t held = 0;
  uint64_t missing = 0;   // nobody has said why
  uint64_t given_up = 0;  // its origin has told so
  uint64_t refused = 0;   // by the hub, as it says
};

struct VerifyReport {
  CaseId case_id;
  uint64_t record_count = 0;
  uint64_t signed_heads = 0;
  uint64_t certificates = 0;
  // Up to here the record is what a key that is known has signed; 0: nothing is.
  uint64_t proved_seq = 0;
  // Heads and certificates of another fold's version: their state was not compared.
  uint64_t states_not_compared = 0;
  std::string chain;  // over all that was given
  // Of the newest certificate that was found right; index 0: there is none.
  uint32_t certificate_index = 0;
  uint64_t certified_seq = 0;
  bool complete = false;
  std::array<LaneCounts, kLaneCount> lanes{};
  // What it names, one by one: what is lost before what was late.
  std::vector<ListedGap> gaps;
  // Where the case stands at the end of what was given.
  v1::CaseStage stage = v1::CASE_STAGE_UNSPECIFIED;
  // Records behind the last signature, but for that signature's own.
  uint64_t unsigned_count = 0;
  // Heads that others kept, and that are as this record has them.
  uint64_t witnessed_heads = 0;
  std::vector<std::string> key_ids;  // that signed something here
  // What is wrong, at most kMaxFindings, and how much more there is.
  std::vector<std::string> findings;
  uint64_t more_findings = 0;

  bool ok() const { return findings.empty(); }
  LaneCounts Total() const;
  // A case that is over has a certificate, and nothing behind its last signature: who cuts a record
  // after a signature can go no further than this.
  bool IsWhole() const;
};

class RecordVerifier {
 public:
  // 32 bytes each. Signatures of other keys are findings.
  RecordVerifier(const CaseId& case_id, std::vector<std::string> public_keys);

  // A head that somebody kept: the record is to have it. Before the records.
  void AddWitness(const HeadWitness& witness);
  // The next record with its stamp, as journal, stream or file have it.
  void Take(absl::string_view bytes_untrusted);
  // Something is wrong that whoever reads the records has found.
  void Find(std::string finding);
  VerifyReport Finish();

 private:
  using OriginLane = std::pair<OriginId, uint32_t>;
  // Refuses what cannot be this record's place; false: it is not to be taken.
  bool CheckPlace(const StampedRecord& stamped);
  void Account(const StampedRecord& stamped);
  void TakeEvent(const v1::Record& record);
  // Heads and certificates: same fields.
  template <typename Seal>
  bool CheckSeal(const Seal& seal, const char* what);
  void CheckWitnesses();
  void CheckCertificate(const v1::Certificate& certificate);
  // What only the certificate as a whole says: stage, reason, who has to have given a total.
  void CheckClose(const v1::Certificate& certificate, const std::string& what);
  void CheckLate(const v1::OriginLaneHead& head, const std::string& where);
  void CheckHead(const v1::OriginLaneHead& head, const std::string& where);
  void CheckGap(const v1::OriginLaneHead& head, const v1::NamedGap& gap, const std::string& where);
  void CheckLateCount(const v1::Certificate& certificate, const std::string& what);

  const CaseId case_id_;
  std::map<std::string, std::string> keys_;  // by id
  VerifyReport report_;
  CaseFold fold_;
  ChainHead chain_{};
  uint64_t seq_ = 0;  // of the last record that was taken
  uint32_t epoch_ = 0;
  int64_t recorded_unix_ns_ = 0;
  std::map<OriginLane, SeqRanges> held_;
  std::map<OriginLane, SeqRanges> late_;
  ToldBooks told_;
  GapList gaps_;
  std::vector<v1::SignedHead> witnesses_;
  std::map<std::string, bool> key_ids_;
  // Since the newest certificate: records of each origin, but for steps of the case's life.
  std::map<OriginId, uint64_t> since_certificate_;
  // The chain has been taken up from a signed head after a finding.
  uint64_t proved_from_ = 1;
};

}  // namespace remora
