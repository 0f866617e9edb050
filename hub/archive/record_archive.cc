#include "hub/archive/record_archive.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "hub/archive/limits.h"

namespace remora::hub {
namespace {

constexpr char kSuffix[] = ".record";

std::string NameOf(const CaseHead& head) {
  return absl::StrCat(head.case_id.Hex(), "-", head.epoch, "-", head.last_seq, kSuffix);
}

// Whether `report` is of all that the journal holds of the case, with a certificate in it.
absl::Status CheckReport(const VerifyReport& report, const CaseHead& head) {
  if (!report.ok()) {
    return absl::DataLossError(
        absl::StrCat("its record does not prove itself: ", report.findings.front(), " (",
                     report.findings.size() + report.more_findings, " findings)"));
  }
  const absl::string_view chain(reinterpret_cast<const char*>(head.chain.data()),
                                head.chain.size());
  if (report.case_id != head.case_id || report.record_count != head.last_seq ||
      report.chain != chain) {
    return absl::DataLossError(absl::StrCat("its archive holds ", report.record_count,
                                            " records and not these ", head.last_seq));
  }
  if (report.certificate_index == 0) {
    return absl::FailedPreconditionError("no certificate is in its record");
  }
  if (!report.IsWhole()) {
    return absl::FailedPreconditionError(
        absl::StrCat(report.unsigned_count, " records are behind its last signature"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordArchive>> RecordArchive::Open(Parts parts) {
  RETURN_IF_ERROR(parts.files->CreateDirectoryDurably(parts.directory));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, parts.files->List(parts.directory));
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, absl::StrCat(kSuffix, ".part"))) continue;
    RETURN_IF_ERROR(parts.files->Remove(parts.directory + "/" + name));
  }
  return std::unique_ptr<RecordArchive>(new RecordArchive(std::move(parts)));
}

void RecordArchive::Keep(const CaseHead& head, Done done) {
  const auto order =
      std::make_shared<Order>(Order{head, std::move(done), NameOf(head),
                                    RecordFileEncoder({head.case_id, parts_.keys}), nullptr});
  parts_.worker->Post([this, order] { Begin(order); });
}

void RecordArchive::Begin(const OrderPtr& order) {
  // An earlier life got as far as that.
  if (parts_.files->Exists(PathOf(*order))) return Prove(order);
  absl::StatusOr<std::unique_ptr<WholeFile>> file =
      WholeFile::Create(*parts_.files, PathOf(*order));
  if (!file.ok()) return End(order, file.status());
  order->file = *std::move(file);
  if (absl::Status status = order->file->Append(order->encoder.head()); !status.ok()) {
    return End(order, status);
  }
  ReadFrom(order, 1);
}

void RecordArchive::ReadFrom(const OrderPtr& order, uint64_t seq) {
  if (stopping_) return End(order, absl::CancelledError("the hub is going down"));
  ReadRequest request;
  request.case_id = order->head.case_id;
  request.from_seq = seq;
  request.to_seq = order->head.last_seq;
  request.max_bytes = kArchivePageBytes;
  parts_.journal->Read(request, [this, order](absl::StatusOr<ReadResult> page) {
    parts_.worker->Post([this, order, page = std::move(page)] { OnPage(order, page); });
  });
}

void RecordArchive::OnPage(const OrderPtr& order, const absl::StatusOr<ReadResult>& page) {
  absl::Status status = page.ok() ? TakePage(*order, *page) : page.status();
  if (status.ok() && page->next_seq != 0) {
    return parts_.worker->PostAfter(kArchivePause,
                                    [this, order, seq = page->next_seq] { ReadFrom(order, seq); });
  }
  if (status.ok()) status = Finish(*order);
  if (!status.ok()) return End(order, status);
  Prove(order);
}

absl::Status RecordArchive::TakePage(Order& order, const ReadResult& page) {
  absl::string_view rest = page.frames.view();
  while (!rest.empty()) {
    ASSIGN_OR_RETURN(const absl::string_view record, TakeFrame(&rest));
    RETURN_IF_ERROR(order.file->Append(order.encoder.Add(record)));
    ++order.taken_seq;
  }
  return absl::OkStatus();
}

absl::Status RecordArchive::Finish(Order& order) {
  if (order.taken_seq != order.head.last_seq) {
    return absl::DataLossError(
        absl::StrCat("the journal gave ", order.taken_seq, " records of ", order.head.last_seq));
  }
  RETURN_IF_ERROR(order.file->Append(order.encoder.End()));
  return order.file->Commit();
}

void RecordArchive::Prove(const OrderPtr& order) {
  absl::StatusOr<ArchivedCase> archived = ProveFile(*order);
  if (absl::IsDataLoss(archived.status())) {
    const absl::Status aside =
        parts_.files->Rename(PathOf(*order), absl::StrCat(PathOf(*order), ".failed"));
    if (!aside.ok()) archived = aside;
  }
  End(order, std::move(archived));
}

absl::StatusOr<ArchivedCase> RecordArchive::ProveFile(const Order& order) {
  ASSIGN_OR_RETURN(const VerifyReport report,
                   VerifyRecordFile(*parts_.files, PathOf(order), parts_.keys, {},
                                    [this] { return !stopping_; }));
  RETURN_IF_ERROR(CheckReport(report, order.head));
  // Of a file that was there: its name may never have been synced.
  RETURN_IF_ERROR(parts_.files->SyncDirectory(parts_.directory));
  return Hash(order);
}

absl::StatusOr<ArchivedCase> RecordArchive::Hash(const Order& order) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, parts_.files->OpenRead(PathOf(order)));
  Sha256 sha256;
  ArchivedCase archived{order.name, file->size(), {}};
  for (uint64_t at = 0; at < archived.bytes;) {
    ASSIGN_OR_RETURN(const std::string bytes, file->ReadAt(at, kHashedBytes));
    if (bytes.empty()) return absl::UnavailableError("the archive's file ends before its size");
    sha256.Add(bytes);
    at += bytes.size();
  }
  archived.sha256 = sha256.Finish();
  return archived;
}

void RecordArchive::End(const OrderPtr& order, absl::StatusOr<ArchivedCase> archived) {
  order->file.reset();  // what is not whole goes
  parts_.hub->Post(
      [done = std::move(order->done), archived = std::move(archived)] { done(archived); });
}

}  // namespace remora::hub
