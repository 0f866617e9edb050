// The folder of a theatre's spool: its origin, and the cases in it.
//
//   FOLDER/origin            16 random bytes, drawn once
//   FOLDER/case-ID/          a case (case_spool.h)
//   FOLDER/done-ID/          one that a certificate clears (certificate_check.h): kept, but its
//                            bulk goes first when the disk is short
//   FOLDER/hub-key           whose certificates count (hub_key.h)
//   FOLDER/witness-ID        what the hub has signed of a case (record_witness.h)
//
// Used by one process at a time (the app locks the folder). It outlives the spools that it opened:
// while they run they ask it for room, on their sequence.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/app/console.h"
#include "acquisition-agent/spool/case_spool.h"
#include "common/file_system.h"
#include "common/ids.h"
#include "common/random.h"

namespace remora::agent {

class SpoolFolder {
 public:
  // Makes what is not there. DataLoss: the origin is unreadable. `console` hears what is removed.
  static absl::StatusOr<std::unique_ptr<SpoolFolder>> Open(FileSystem& files, std::string folder,
                                                           Random& random, Console& console);

  const OriginId& origin() const { return origin_; }
  // All cases that are not done, recovered; what was damaged is in recovery(). Unavailable,
  // InvalidArgument: as CaseSpool::Open. DataLoss: a case that holds records, but not what they are
  // of.
  absl::StatusOr<std::vector<std::unique_ptr<CaseSpool>>> OpenCases();
  absl::StatusOr<std::unique_ptr<CaseSpool>> NewCase(const CaseId& case_id);
  // Removes the bulk of one done case. False: there is none left.
  bool ReclaimDone();
  // Marks a case that a certificate clears. Its spool must not be written any more.
  absl::Status MarkDone(const CaseId& case_id);

 private:
  SpoolFolder(FileSystem& files, std::string folder, OriginId origin, Console& console)
      : files_(files), folder_(std::move(folder)), origin_(origin), console_(console) {}

  FileSystem& files_;
  const std::string folder_;
  const OriginId origin_;
  Console& console_;
};

// The id that 32 hexadecimal digits write; nothing for anything else.
std::optional<CaseId> CaseIdFromHex(absl::string_view hex);

}  // namespace remora::agent
