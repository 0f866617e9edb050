// `remora verify CASE|FILE`.

#include <cstdio>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/fold/case_life.h"
#include "common/status_macros.h"
#include "common/verify/limits.h"
#include "common/verify/record_file.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/gap_table.h"
#include "reader-client/cc/app/whole_record.h"

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
                                        std::vector<std::string> keys,
                                        const std::vector<HeadWitness>& witnesses) {
  std::unique_ptr<RecordVerifier> verifier;
  RETURN_IF_ERROR(ReadWholeRecord(
      context, case_name,
      [&](const CaseId& case_id, const v1::Welcome& welcome) {
        if (keys.empty()) {
          for (const v1::RecordKey& key : welcome.record_keys()) keys.push_back(key.public_key());
        }
        verifier = std::make_unique<RecordVerifier>(case_id, keys);
        for (const HeadWitness& witness : witnesses) verifier->AddWitness(witness);
        return absl::OkStatus();
      },
      [&](const DeliveredRecord& next) {
        verifier->Take(next.bytes);
        return absl::OkStatus();
      }));
  return verifier->Finish();
}

absl::StatusOr<std::vector<HeadWitness>> ReadWitnesses(FileSystem& files,
                                                       const std::vector<std::string>& paths) {
  std::vector<HeadWitness> witnesses;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const std::string text, files.ReadWhole(path, kMaxWitnessBytes));
    absl::StatusOr<HeadWitness> witness = DecodeWitness(text);
    if (!witness.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--witness ", path, ": ", witness.status().message()));
    }
    witnesses.push_back(*std::move(witness));
  }
  return witnesses;
}

// "12,000 given up, 3 refused"; empty: neither.
std::string LeftOut(const LaneCounts& counts) {
  std::vector<std::string> parts;
  if (counts.missing > 0) parts.push_back(absl::StrCat(counts.missing, " missing"));
  if (counts.given_up > 0) {
    parts.push_back(absl::StrCat(counts.given_up, " given up before the hub had them"));
  }
  if (counts.refused > 0) parts.push_back(absl::StrCat(counts.refused, " refused"));
  return absl::StrJoin(parts, ", ");
}

// What the certificate comes to.
std::string Certified(const VerifyReport& report) {
  if (report.certificate_index == 0) {
    return absl::StrCat("records 1 to ", report.proved_seq, " are proved; the case is ",
                        StageName(report.stage), ", without a certificate");
  }
  const std::string left_out = LeftOut(report.Total());
  const std::string up_to = absl::StrCat(" up to record ", report.certified_seq, ", certified");
  if (report.complete) {
    return left_out.empty() ? absl::StrCat("whole", up_to)
                            : absl::StrCat("complete but for ", left_out, up_to);
  }
  return absl::StrCat(
      "not complete", up_to, ": ",
      left_out.empty() ? "an agent has not said what it made" : left_out + ", which are named");
}

// What is proved, in one sentence.
std::string Verdict(const VerifyReport& report, bool pinned) {
  if (!report.ok()) return "not proved";
  if (report.proved_seq == 0) return "nothing is signed";
  std::string text = Certified(report);
  if (report.unsigned_count > 0) {
    absl::StrAppend(&text, "; ", report.unsigned_count,
                    " at the end are behind the last signature");
  }
  if (report.states_not_compared > 0) {
    absl::StrAppend(&text, "; the case's state was not compared at ", report.states_not_compared,
                    " signatures of another version");
  }
  if (!pinned) absl::StrAppend(&text, "; by the key that came with it (pin it with --key)");
  return text;
}

nlohmann::ordered_json LanesOf(const VerifyReport& report) {
  nlohmann::ordered_json lanes = nlohmann::ordered_json::array();
  for (size_t lane = 0; lane < report.lanes.size(); ++lane) {
    const LaneCounts& counts = report.lanes[lane];
    lanes.push_back({{"lane", lane},
                     {"held", counts.held},
                     {"missing", counts.missing},
                     {"given_up", counts.given_up},
                     {"refused", counts.refused}});
  }
  return lanes;
}

absl::Status PrintReport(const Context& context, const VerifyReport& report, bool pinned) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const std::string& finding : report.findings) findings.push_back(Printable(finding));
  const LaneCounts total = report.Total();
  nlohmann::ordered_json object = {{"case", report.case_id.Hex()},
                                   {"verdict", Verdict(report, pinned)},
                                   {"ok", report.ok()},
                                   {"stage", StageName(report.stage)},
                                   {"records", report.record_count},
                                   {"proved_up_to", report.proved_seq},
                                   {"behind_last_signature", report.unsigned_count},
                                   {"signed_heads", report.signed_heads},
                                   {"certificates", report.certificates},
                                   {"certified_up_to", report.certified_seq},
                                   {"complete", report.complete},
                                   {"missing", total.missing},
                                   {"given_up", total.given_up},
                                   {"refused", total.refused},
                                   {"states_not_compared", report.states_not_compared},
                                   {"witnessed_heads", report.witnessed_heads},
                                   {"key_pinned", pinned},
                                   {"keys", report.key_ids},
                                   {"chain", absl::BytesToHexString(report.chain)}};
  if (context.output != OutputFormat::kTable) {
    object["lanes"] = LanesOf(report);
    object["gaps"] = GapsToJson(report.gaps);
    object["findings"] = findings;
  }
  RETURN_IF_ERROR(PrintLine(ObjectToText(object, context.output)));
  if (context.output != OutputFormat::kTable) return absl::OkStatus();
  if (const std::string gaps = GapTable(report.gaps); !gaps.empty()) {
    RETURN_IF_ERROR(PrintLine("\n" + gaps));
  }
  for (const auto& finding : findings) {
    std::fprintf(stderr, "remora: %s\n", finding.get<std::string>().c_str());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Judge(const VerifyReport& report, bool require_certificate) {
  if (!report.ok()) {
    return absl::DataLossError(absl::StrCat(
        "the record is not proved: ", report.findings.size() + report.more_findings, " findings"));
  }
  if (report.proved_seq == 0) {
    return absl::DataLossError("nothing in this record is signed with a known key");
  }
  if (require_certificate && report.certificate_index == 0) {
    return absl::AbortedError("what is signed is proved, but there is no certificate");
  }
  if (!report.IsWhole() || (require_certificate && report.unsigned_count > 0)) {
    return absl::AbortedError(
        "what is signed is proved; but the case is over, and has no certificate, or records behind "
        "its last signature: it may have been cut, or added to");
  }
  return absl::OkStatus();
}

absl::Status Verify(const Context& context, const VerifyOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys, PinnedKeys(options.keys));
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  ASSIGN_OR_RETURN(const std::vector<HeadWitness> witnesses,
                   ReadWitnesses(*files, options.witnesses));
  VerifyReport report;
  if (files->Exists(options.what)) {
    ASSIGN_OR_RETURN(report, VerifyRecordFile(*files, options.what, keys, witnesses));
  } else {
    ASSIGN_OR_RETURN(report, VerifyCase(context, options.what, keys, witnesses));
  }
  RETURN_IF_ERROR(PrintReport(context, report, !keys.empty()));
  return Judge(report, options.require_certificate);
}

}  // namespace remora::reader
