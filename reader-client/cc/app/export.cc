// `remora export --format csv`.

#include <cstdio>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/csv.h"
#include "reader-client/cc/app/interrupt.h"
#include "reader-client/cc/app/record_stream.h"
#include "reader-client/cc/app/whole_file.h"

namespace remora::reader {
namespace {

using Write = std::function<absl::Status(const std::string&)>;

absl::Status Written(bool ok) {
  return ok ? absl::OkStatus()
            : absl::ResourceExhaustedError(
                  "the export is not whole: the disk is full or the pipe is closed");
}

// All records up to `head_seq`; a failure says that the export is not whole.
absl::Status WriteRecords(RecordStream& stream, const Clock& clock, Duration timeout,
                          uint64_t head_seq, const Write& write) {
  const Interrupt interrupt;
  RETURN_IF_ERROR(write(CsvHeader()));
  DeviceTime last_sign = clock.Now();
  for (uint64_t seq = 0; seq < head_seq;) {
    if (interrupt.asked()) return absl::CancelledError("the export was ended before it was whole");
    const std::optional<DeliveredRecord> next = stream.Next(kLook);
    const DeviceTime now = clock.Now();
    if (next.has_value()) {
      last_sign = now;
      seq = next->record.stamp.seq;
      RETURN_IF_ERROR(write(CsvRow(next->record, next->bytes)));
    } else if (!stream.ended().ok()) {
      return stream.ended();
    } else if (now - last_sign >= timeout) {
      return absl::UnavailableError(absl::StrCat("the export is not whole: it stops at record ",
                                                 seq, " of ", head_seq, "; try again"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Export(const Context& context, const ExportOptions& options) {
  if (options.format != "csv") {
    return absl::InvalidArgumentError(absl::StrCat("--format '", options.format, "': csv"));
  }
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  RecordStream stream;
  ClientOptions client_options = context.client;
  client_options.shown_at_once = false;
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(client_options, &stream));
  ASSIGN_OR_RETURN(const v1::CaseSummary found,
                   client->FindCase(options.case_name, context.timeout));
  std::unique_ptr<WholeFile> file;
  if (!options.file.empty()) {
    ASSIGN_OR_RETURN(file, WholeFile::Create(*files, options.file));
  }
  v1::Follow follow;
  follow.set_case_id(found.case_id());
  follow.set_delivery(v1::DELIVERY_COMPLETE);
  stream.Follow(follow, [link = client.get()](auto call) { link->Post(std::move(call)); });
  const Write write = [&file](const std::string& text) {
    return file != nullptr ? file->Append(text) : Written(std::fputs(text.c_str(), stdout) >= 0);
  };
  RETURN_IF_ERROR(WriteRecords(stream, client->clock(), context.timeout, found.head_seq(), write));
  if (file != nullptr) return file->Commit();
  return Written(std::fflush(stdout) == 0);
}

}  // namespace remora::reader
