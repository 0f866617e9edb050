#include "acquisition-agent/app/record_witness.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/limits.h"
#include "common/head_witness.h"
#include "common/record_seal.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

// Under another name until it is whole.
absl::Status Write(FileSystem& files, const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  if (files.Exists(draft)) RETURN_IF_ERROR(files.Remove(draft));
  ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, files.OpenAppend(draft));
  RETURN_IF_ERROR(file->Append(text));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(files.Rename(draft, path));
  return files.SyncDirectory(path.substr(0, path.rfind('/')));
}

}  // namespace

RecordWitness::RecordWitness(FileSystem& files, const std::string& folder, const CaseId& case_id)
    : files_(files), case_id_(case_id), path_(absl::StrCat(folder, "/witness-", case_id.Hex())) {
  const absl::StatusOr<std::string> text = files_.ReadWhole(path_, kMaxWitnessBytes);
  if (!text.ok()) return;
  const absl::StatusOr<HeadWitness> witness = DecodeWitness(*text);
  if (witness.ok() && witness->case_id == case_id_) kept_ = witness->head;
}

std::string RecordWitness::Contradict(const std::string& what) {
  if (contradicted_) return "";
  contradicted_ = true;
  return absl::StrCat("The hub's record of case ", case_id_.Hex(),
                      " is not the one that it signed: ", what,
                      ". It was changed, or put back from a backup. What was signed is in ", path_);
}

std::string RecordWitness::OnRecord(const StampedRecord& stamped, const v1::Record& record,
                                    absl::string_view public_key) {
  const uint64_t seq = stamped.stamp.seq;
  if (seq <= last_seq_) confirmed_ = false;  // it comes again from an earlier place
  last_seq_ = seq;
  if (kept_ && !confirmed_ && seq > kept_->seq()) {
    confirmed_ = true;
    const bool same = seq == kept_->seq() + 1 && record.has_signed_head() &&
                      record.signed_head().chain() == kept_->chain() &&
                      record.signed_head().signature() == kept_->signature();
    if (!same) {
      return Contradict(absl::StrCat("at record ", kept_->seq() + 1, " is another one"));
    }
  }
  if (contradicted_ || !record.has_signed_head() || public_key.empty()) return "";
  const v1::SignedHead& head = record.signed_head();
  if (kept_ && head.seq() <= kept_->seq()) return "";
  if (head.seq() + 1 == seq && IsSigned(case_id_, head, public_key)) Keep(head);
  return "";
}

std::string RecordWitness::OnHead(const v1::CaseHead& head) {
  if (!kept_ || head.head_seq() > kept_->seq()) return "";
  return Contradict(
      absl::StrCat("it ends at record ", head.head_seq(), ", and had ", kept_->seq() + 1));
}

void RecordWitness::Keep(const v1::SignedHead& head) {
  // A full disk costs the file: the next head comes in a minute, and the spool says that it is
  // full.
  if (!Write(files_, path_, EncodeWitness({case_id_, head})).ok()) return;
  kept_ = head;
  confirmed_ = true;
}

}  // namespace remora::agent
