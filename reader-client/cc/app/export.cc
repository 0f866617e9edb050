// `remora export`: csv for reading, record for proving.

#include <cstdio>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/verify/record_file.h"
#include "common/whole_file.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/csv.h"
#include "reader-client/cc/app/whole_record.h"

namespace remora::reader {
namespace {

using Write = std::function<absl::Status(const std::string&)>;

absl::Status Written(bool ok) {
  return ok ? absl::OkStatus()
            : absl::ResourceExhaustedError(
                  "the export is not whole: the disk is full or the pipe is closed");
}

absl::Status ExportCsv(const Context& context, const std::string& case_name, const Write& write) {
  return ReadWholeRecord(
      context, case_name, [&](const CaseId&, const v1::Welcome&) { return write(CsvHeader()); },
      [&](const DeliveredRecord& next) { return write(CsvRow(next.record, next.bytes)); });
}

absl::Status ExportRecord(const Context& context, const std::string& case_name,
                          const Write& write) {
  std::unique_ptr<RecordFileEncoder> encoder;
  RETURN_IF_ERROR(ReadWholeRecord(
      context, case_name,
      [&](const CaseId& case_id, const v1::Welcome& welcome) {
        RecordFileHead head{case_id, {}};
        for (const v1::RecordKey& key : welcome.record_keys())
          head.keys.push_back(key.public_key());
        encoder = std::make_unique<RecordFileEncoder>(head);
        return write(encoder->head());
      },
      [&](const DeliveredRecord& next) { return write(encoder->Add(next.bytes)); }));
  return write(encoder->End());
}

}  // namespace

absl::Status Export(const Context& context, const ExportOptions& options) {
  if (options.format != "csv" && options.format != "record") {
    return absl::InvalidArgumentError(
        absl::StrCat("--format '", options.format, "': csv or record"));
  }
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  std::unique_ptr<WholeFile> file;
  const Write write = [&](const std::string& text) -> absl::Status {
    if (!options.file.empty() && file == nullptr) {
      ASSIGN_OR_RETURN(file, WholeFile::Create(*files, options.file));
    }
    if (file != nullptr) return file->Append(text);
    return Written(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
  };
  RETURN_IF_ERROR(options.format == "csv" ? ExportCsv(context, options.case_name, write)
                                          : ExportRecord(context, options.case_name, write));
  if (file != nullptr) return file->Commit();
  return Written(std::fflush(stdout) == 0);
}

}  // namespace remora::reader
