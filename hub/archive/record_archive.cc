#include "hub/archive/record_archive.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/status_macros.h"
#include "hub/archive/limits.h"

namespace remora::hub {
namespace {

std::string NameOf(const CaseHead& head) {
  return absl::StrCat(head.case_id.Hex(), "-", head.epoch, "-", head.last_seq, kArchiveSuffix);
}

absl::Status GoingDown() { return absl::CancelledError("the hub is going down"); }

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

RecordArchive::RecordArchive(Parts parts) : parts_(std::move(parts)), folder_(parts_.folder) {}

void RecordArchive::Watch(OnLook on_look) {
  on_look_ = std::move(on_look);
  parts_.worker->Post([this] { Look(); });
}

void RecordArchive::Look() {
  if (stopping_) return;
  const absl::Status there = folder_.Check();
  const absl::StatusOr<uint64_t> free = there.ok() ? folder_.FreeBytes() : there;
  on_look_(free.status(), free.value_or(0));
  parts_.worker->PostAfter(kArchiveLookInterval, [this] { Look(); });
}

void RecordArchive::Keep(const CaseHead& head, Done done) {
  const OrderPtr order(new Order{head, std::move(done), NameOf(head),
                                 RecordFileEncoder({head.case_id, parts_.keys})});
  parts_.worker->Post([this, order] { Begin(order); });
}

absl::Status RecordArchive::OfArchive(absl::Status status) {
  if (!status.ok()) usable_ = false;
  return status;
}

void RecordArchive::Begin(const OrderPtr& order) {
  if (stopping_) return End(order, GoingDown());
  if (absl::Status status = OfArchive(Enter(*order)); !status.ok()) return End(order, status);
  usable_ = true;
  const auto before = outcomes_.find(order->head.case_id);
  if (before != outcomes_.end() && before->second.last_seq == order->head.last_seq) {
    if (!before->second.proof.ok()) return End(order, before->second.proof);
    if (folder_.files().Exists(folder_.PathOf(order->name))) return BeginProof(order);
  }
  absl::Status status = LookAtSpace(*order);
  if (status.ok()) {
    absl::StatusOr<std::unique_ptr<WholeFile>> file =
        WholeFile::Create(folder_.files(), folder_.PathOf(order->name),
                          {.replaces = true, .sync_each_bytes = kArchiveSyncBytes});
    status = OfArchive(file.status());
    if (status.ok()) order->file = *std::move(file);
  }
  if (status.ok()) status = OfArchive(order->file->Append(order->encoder.head()));
  if (!status.ok()) return End(order, status);
  ReadFrom(order, 1);
}

absl::Status RecordArchive::Enter(Order& order) {
  RETURN_IF_ERROR(folder_.Check());
  ASSIGN_OR_RETURN(order.lock, folder_.Lock());
  return absl::OkStatus();
}

void RecordArchive::ReadFrom(const OrderPtr& order, uint64_t seq) {
  if (stopping_) return End(order, GoingDown());
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
  // Of the journal: it would give no more the next time, after as much was written.
  if (absl::IsDataLoss(status)) Note(*order, status);
  if (!status.ok()) return End(order, status);
  parts_.worker->Post([this, order] { BeginProof(order); });
}

absl::Status RecordArchive::TakePage(Order& order, const ReadResult& page) {
  absl::string_view rest = page.frames.view();
  order.written_bytes += rest.size();
  while (!rest.empty()) {
    ASSIGN_OR_RETURN(const absl::string_view record, TakeFrame(&rest));
    RETURN_IF_ERROR(OfArchive(order.file->Append(order.encoder.Add(record))));
    ++order.taken_seq;
  }
  return order.written_bytes < order.next_look_bytes ? absl::OkStatus() : LookAtSpace(order);
}

// What is to come is told from what came: the journal does not say how large a case is.
absl::Status RecordArchive::LookAtSpace(Order& order) {
  const double record_bytes = order.taken_seq == 0 ? 0
                                                   : static_cast<double>(order.written_bytes) /
                                                         static_cast<double>(order.taken_seq);
  const uint64_t records_to_come =
      order.head.last_seq - std::min(order.taken_seq, order.head.last_seq);
  // No other would fit either; this one does not.
  RETURN_IF_ERROR(OfArchive(folder_.CheckSpace(0)));
  RETURN_IF_ERROR(folder_.CheckSpace(
      static_cast<uint64_t>(record_bytes * static_cast<double>(records_to_come))));
  // The first page tells how large records are.
  uint64_t step = 1;
  if (order.taken_seq > 0) {
    ASSIGN_OR_RETURN(step, folder_.SpaceStep());
  }
  order.next_look_bytes = order.written_bytes + step;
  return absl::OkStatus();
}

absl::Status RecordArchive::Finish(Order& order) {
  if (order.taken_seq != order.head.last_seq) {
    return absl::DataLossError(
        absl::StrCat("the journal gave ", order.taken_seq, " records of ", order.head.last_seq));
  }
  RETURN_IF_ERROR(OfArchive(order.file->Append(order.encoder.End())));
  RETURN_IF_ERROR(OfArchive(order.file->Commit()));
  Note(order, absl::OkStatus());
  return absl::OkStatus();
}

void RecordArchive::BeginProof(const OrderPtr& order) {
  order->file.reset();
  absl::StatusOr<std::unique_ptr<RecordFileProof>> proof =
      RecordFileProof::Begin(folder_.files(), folder_.PathOf(order->name), parts_.keys, {},
                             [order = order.get()](absl::string_view bytes) {
                               order->sha256.Add(bytes);
                               order->proved_bytes += bytes.size();
                             });
  if (!proof.ok()) return FailProof(order, proof.status());
  order->proof = *std::move(proof);
  Prove(order);
}

void RecordArchive::Prove(const OrderPtr& order) {
  if (stopping_) return End(order, GoingDown());
  const absl::StatusOr<bool> ended = order->proof->Advance(kArchivePageBytes);
  if (!ended.ok()) return FailProof(order, ended.status());
  if (!*ended) return parts_.worker->PostAfter(kArchivePause, [this, order] { Prove(order); });
  if (absl::Status status = CheckReport(order->proof->Finish(), order->head); !status.ok()) {
    Note(*order, status);
    return FailProof(order, status);
  }
  End(order, Conclude(*order));
}

// The case goes next: the folder must still be the one that its disk was mounted on.
absl::StatusOr<ArchivedCase> RecordArchive::Conclude(Order& order) {
  RETURN_IF_ERROR(OfArchive(folder_.Check()));
  return ArchivedCase{order.name, order.proved_bytes, order.sha256.Finish()};
}

void RecordArchive::FailProof(const OrderPtr& order, const absl::Status& why) {
  order->proof.reset();
  if (absl::Status status = OfArchive(folder_.Check()); !status.ok()) return End(order, status);
  // Unread is not unproved: the journal still has it, and it is written anew.
  const auto outcome = outcomes_.find(order->head.case_id);
  if (outcome != outcomes_.end() && outcome->second.proof.ok()) outcomes_.erase(outcome);
  const absl::Status aside = folder_.PutAside(order->name);
  End(order,
      aside.ok()
          ? why
          : absl::Status(why.code(), absl::StrCat(why.message(),
                                                  "; it cannot be put aside: ", aside.message())));
}

void RecordArchive::Note(const Order& order, const absl::Status& proof) {
  if (outcomes_.size() >= kMaxRememberedOutcomes) outcomes_.clear();
  outcomes_[order.head.case_id] = {order.head.last_seq, proof};
}

void RecordArchive::End(const OrderPtr& order, absl::StatusOr<ArchivedCase> archived) {
  order->file.reset();  // what is not whole goes
  order->proof.reset();
  order->lock.reset();
  parts_.hub->Post(
      [done = std::move(order->done), archived = std::move(archived)] { done(archived); });
}

}  // namespace remora::hub
