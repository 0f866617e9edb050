#include "acquisition-agent/app/spool_folder.h"

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/spool/entry.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

// Files of the logs that hold bulk (case_spool.h).
bool IsBulkFile(absl::string_view name) {
  return absl::EndsWith(name, ".seg") &&
         (absl::StartsWith(name, "block-") || absl::StartsWith(name, "envelope-") ||
          absl::StartsWith(name, "sweep-"));
}

bool HoldsRecords(const CaseSpool& spool) {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (spool.last_seq(lane) > 0) return true;
  }
  return spool.closed() || !spool.recovered_inputs().empty();
}

std::string OriginPath(const std::string& folder) { return absl::StrCat(folder, "/origin"); }

absl::StatusOr<OriginId> ReadOrigin(FileSystem& files, const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string bytes, files.ReadWhole(OriginPath(folder), 4096));
  const std::optional<Entry> entry = ParseEntry(bytes);
  OriginId origin;
  if (!entry || !origin.Assign(entry->payload)) {
    return absl::DataLossError(
        absl::StrCat(OriginPath(folder), ": is damaged. Move ", folder,
                     " away, keep it for its records, and start with an empty folder"));
  }
  return origin;
}

}  // namespace

std::optional<CaseId> CaseIdFromHex(absl::string_view hex) {
  if (hex.size() != 2 * CaseId::kBytes ||
      hex.find_first_not_of("0123456789abcdefABCDEF") != absl::string_view::npos) {
    return std::nullopt;
  }
  CaseId id;
  id.Assign(absl::HexStringToBytes(hex));
  return id.is_zero() ? std::nullopt : std::optional<CaseId>(id);
}

absl::StatusOr<std::unique_ptr<SpoolFolder>> SpoolFolder::Open(FileSystem& files,
                                                               std::string folder, Random& random,
                                                               Console& console) {
  RETURN_IF_ERROR(files.CreateDirectoryDurably(folder));
  if (!files.Exists(OriginPath(folder))) {
    // Under another name until it is whole: a program that is killed here has drawn nothing.
    const std::string draft = absl::StrCat(folder, "/origin.new");
    if (files.Exists(draft)) RETURN_IF_ERROR(files.Remove(draft));
    const OriginId origin = OriginId::Draw(random);
    std::string bytes;
    AppendEntry({.type = EntryType::kInfo, .payload = origin.bytes()}, &bytes);
    ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, files.OpenAppend(draft));
    RETURN_IF_ERROR(file->Append(bytes));
    RETURN_IF_ERROR(file->Sync());
    RETURN_IF_ERROR(files.Rename(draft, OriginPath(folder)));
    RETURN_IF_ERROR(files.SyncDirectory(folder));
  }
  ASSIGN_OR_RETURN(const OriginId origin, ReadOrigin(files, folder));
  return std::unique_ptr<SpoolFolder>(new SpoolFolder(files, std::move(folder), origin, console));
}

absl::StatusOr<std::unique_ptr<CaseSpool>> SpoolFolder::NewCase(const CaseId& case_id) {
  SpoolOptions options;
  options.directory = absl::StrCat(folder_, "/case-", case_id.Hex());
  options.case_id = case_id;
  options.origin = origin_;
  options.reclaim = [this] { return ReclaimDone(); };
  RecoveryReport report;
  ASSIGN_OR_RETURN(std::unique_ptr<CaseSpool> spool, CaseSpool::Open(files_, options, &report));
  RETURN_IF_ERROR(files_.SyncDirectory(folder_));
  return spool;
}

absl::StatusOr<std::vector<std::unique_ptr<CaseSpool>>> SpoolFolder::OpenCases() {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(folder_));
  std::vector<std::unique_ptr<CaseSpool>> cases;
  for (const std::string& name : names) {
    absl::string_view hex = name;
    if (!absl::ConsumePrefix(&hex, "case-")) continue;
    const std::optional<CaseId> id = CaseIdFromHex(hex);
    if (!id) continue;
    ASSIGN_OR_RETURN(std::unique_ptr<CaseSpool> spool, NewCase(*id));
    if (spool->info() == nullptr) {
      if (HoldsRecords(*spool)) {
        return absl::DataLossError(
            absl::StrCat(folder_, "/", name, ": holds records, but what case they are of is ",
                         "damaged. Move it away, keep it for its records, and start again"));
      }
      continue;  // killed before its first commit: there was no case
    }
    cases.push_back(std::move(spool));
  }
  return cases;
}

bool SpoolFolder::ReclaimDone() {
  const absl::StatusOr<std::vector<std::string>> cases = files_.List(folder_);
  if (!cases.ok()) return false;
  for (const std::string& name : *cases) {
    if (!absl::StartsWith(name, "done-")) continue;
    const std::string directory = absl::StrCat(folder_, "/", name);
    const absl::StatusOr<std::vector<std::string>> names = files_.List(directory);
    if (!names.ok()) continue;
    size_t removed = 0;
    for (const std::string& file : *names) {
      if (IsBulkFile(file) && files_.Remove(absl::StrCat(directory, "/", file)).ok()) ++removed;
    }
    if (removed == 0) continue;
    console_.Say(absl::StrCat("The disk is short: ", removed, " files of EMG and sweeps of ", name,
                              " are removed; the hub has certified that it has them"));
    return true;
  }
  return false;
}

absl::Status SpoolFolder::MarkDone(const CaseId& case_id) {
  RETURN_IF_ERROR(files_.Rename(absl::StrCat(folder_, "/case-", case_id.Hex()),
                                absl::StrCat(folder_, "/done-", case_id.Hex())));
  return files_.SyncDirectory(folder_);
}

}  // namespace remora::agent
