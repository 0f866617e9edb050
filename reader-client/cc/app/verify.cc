// `remora verify CASE|FILE`.

#include <cstdio>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/whole_record.h"
#include "reader-client/cc/verify/record_file.h"

namespace remora::reader {
namespace {

absl::StatusOr<std::vector<std::string>> PinnedKeys(const std::vector<std::string>& hex_keys) {
  std::vector<std::string> keys;
  for (const std::string& hex : hex_keys) {
    const bool is_key =
        hex.size() == 64 && hex.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (!is_key) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--key '", hex, "': the 64 digits that remora-hub --print-record-key gives"));
    }
    keys.push_back(absl::HexStringToBytes(hex));
  }
  return keys;
}

absl::StatusOr<VerifyReport> VerifyCase(const Context& context, const std::string& case_name,
                                        std::vector<std::string> keys) {
  std::unique_ptr<RecordVerifier> verifier;
  RETURN_IF_ERROR(ReadWholeRecord(
      context, case_name,
      [&](const CaseId& case_id, const v1::Welcome& welcome) {
        if (keys.empty()) {
          for (const v1::RecordKey& key : welcome.record_keys()) keys.push_back(key.public_key());
        }
        verifier = std::make_unique<RecordVerifier>(case_id, keys);
        return absl::OkStatus();
      },
      [&](const DeliveredRecord& next) {
        verifier->Take(next.bytes);
        return absl::OkStatus();
      }));
  return verifier->Finish();
}

// What is proved, in one sentence.
std::string Verdict(const VerifyReport& report, bool pinned) {
  if (!report.ok()) return "not proved";
  if (report.proved_seq == 0) return "nothing is signed";
  std::string text = report.certificate_index == 0
                         ? absl::StrCat("records 1 to ", report.proved_seq, " are proved")
                     : report.complete
                         ? absl::StrCat("whole up to record ", report.certified_seq, ", certified")
                         : absl::StrCat("certified up to record ", report.certified_seq, " with ",
                                        report.missing_count, " missing, which are named");
  if (report.proved_seq < report.record_count) {
    absl::StrAppend(&text, "; ", report.record_count - report.proved_seq,
                    " at the end are behind the last signature");
  }
  if (!pinned) absl::StrAppend(&text, "; by the key that came with it (pin it with --key)");
  return text;
}

}  // namespace

absl::Status Verify(const Context& context, const VerifyOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys, PinnedKeys(options.keys));
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  VerifyReport report;
  if (files->Exists(options.what)) {
    ASSIGN_OR_RETURN(report, VerifyRecordFile(*files, options.what, keys));
  } else {
    ASSIGN_OR_RETURN(report, VerifyCase(context, options.what, keys));
  }
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const std::string& finding : report.findings) findings.push_back(Printable(finding));
  nlohmann::ordered_json object = {{"case", report.case_id.Hex()},
                                   {"verdict", Verdict(report, !keys.empty())},
                                   {"ok", report.ok()},
                                   {"records", report.record_count},
                                   {"proved_up_to", report.proved_seq},
                                   {"signed_heads", report.signed_heads},
                                   {"certificates", report.certificates},
                                   {"certified_up_to", report.certified_seq},
                                   {"complete", report.complete},
                                   {"missing", report.missing_count},
                                   {"states_not_compared", report.states_not_compared},
                                   {"key_pinned", !keys.empty()},
                                   {"keys", report.key_ids},
                                   {"chain", absl::BytesToHexString(report.chain)}};
  if (context.output != OutputFormat::kTable) object["findings"] = findings;
  RETURN_IF_ERROR(PrintLine(ObjectToText(object, context.output)));
  if (report.ok() && report.proved_seq > 0) return absl::OkStatus();
  if (context.output == OutputFormat::kTable) {
    for (const auto& finding : findings) {
      std::fprintf(stderr, "remora: %s\n", finding.get<std::string>().c_str());
    }
  }
  return absl::DataLossError(
      report.ok() ? "nothing in this record is signed with a known key"
                  : absl::StrCat("the record is not proved: ",
                                 report.findings.size() + report.more_findings, " findings"));
}

}  // namespace remora::reader
