// What this theatre has seen of the hub's record of a case: the newest signed head, kept on its own
// disk. The hub's record is to have that head in its place for ever; one that does not was changed,
// cut, or has gone back to a backup (docs/certificate.md, "Witnesses").
//
//   FOLDER/witness-ID        common/head_witness.h; `remora verify --witness` takes it, too
//
// Of a complete follow of lane 1. Sequence-bound to the agent's sequence.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/file_system.h"
#include "common/ids.h"
#include "common/record_codec.h"
#include "remora/v1/record.pb.h"
#include "remora/v1/room.pb.h"

namespace remora::agent {

class RecordWitness {
 public:
  // Reads what was kept; a file that is damaged counts as none. `files` outlives it.
  RecordWitness(FileSystem& files, const std::string& folder, const CaseId& case_id);

  // The next record of lane 1. A head that `public_key` has signed is kept. What contradicts what
  // was kept, said once; empty: nothing. After that nothing newer is kept: it is the evidence.
  std::string OnRecord(const StampedRecord& stamped, const v1::Record& record,
                       absl::string_view public_key);
  // The end of the hub's record of this case, as its heartbeat says.
  std::string OnHead(const v1::CaseHead& head);

  const std::optional<v1::SignedHead>& kept() const { return kept_; }

 private:
  std::string Contradict(const std::string& what);
  void Keep(const v1::SignedHead& head);

  FileSystem& files_;
  const CaseId case_id_;
  const std::string path_;
  std::optional<v1::SignedHead> kept_;
  // The record that has come has it in its place.
  bool confirmed_ = false;
  bool contradicted_ = false;
  uint64_t last_seq_ = 0;
};

}  // namespace remora::agent
