// `remora export --format csv`.

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/csv.h"
#include "reader-client/cc/app/record_stream.h"

namespace remora::reader {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

absl::Status Export(const Context& context, const ExportOptions& options) {
  if (options.format != "csv") {
    return absl::InvalidArgumentError(absl::StrCat("--format '", options.format, "': csv"));
  }
  RecordStream stream;
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context.client, &stream));
  ASSIGN_OR_RETURN(const v1::CaseSummary found,
                   client->FindCase(options.case_name, context.timeout));
  std::unique_ptr<std::FILE, CloseFile> file;
  if (!options.file.empty()) {
    file.reset(std::fopen(options.file.c_str(), "wx"));
    if (file == nullptr) {
      return absl::InternalError(absl::StrCat(
          "cannot make ", options.file, ": it is there already, or the folder is not writable"));
    }
  }
  std::FILE* const out = file != nullptr ? file.get() : stdout;
  std::fputs(CsvHeader().c_str(), out);
  v1::Follow follow;
  follow.set_follow_id(1);
  follow.set_case_id(found.case_id());
  follow.set_delivery(v1::DELIVERY_COMPLETE);
  RETURN_IF_ERROR(client->Follow(follow));
  DeviceTime last_sign = client->clock().Now();
  for (uint64_t seq = 0; seq < found.head_seq();) {
    const std::optional<DeliveredRecord> next = stream.Next(context.timeout);
    const DeviceTime now = client->clock().Now();
    if (next.has_value()) {
      last_sign = now;
      seq = next->record.stamp.seq;
      std::fputs(CsvRow(next->record, next->bytes).c_str(), out);
    } else if (!stream.ended().ok()) {
      stream.Close();
      return stream.ended();
    } else if (now - last_sign >= context.timeout) {
      stream.Close();
      return absl::UnavailableError(absl::StrCat("the export is not whole: it stops at record ",
                                                 seq, " of ", found.head_seq(), "; try again"));
    }
  }
  stream.Close();
  if (std::ferror(out) != 0 || std::fflush(out) != 0) {
    return absl::ResourceExhaustedError(
        "the export is not whole: the disk is full or the pipe is closed");
  }
  return absl::OkStatus();
}

}  // namespace remora::reader
