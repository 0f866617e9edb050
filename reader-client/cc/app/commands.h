#pragma once

// The commands of `remora`. Each connects, does its work, prints its result, and returns a status
// whose code gives the exit code. They block; one at a time.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/verify/record_verifier.h"
#include "reader-client/cc/app/output.h"

namespace remora::reader {

// remora cases
absl::Status ListCases(const Context& context, bool all);

struct CaseStep {
  std::string
      step;  // schedule, open, emergency, move, correct, closing, close, reopen, seal, abandon
  std::string case_name;  // theatre or id; unused by schedule, open, emergency
  std::string theatre;
  std::string procedure;
  std::string reason;
  std::string corrected_case;
  bool with_gaps = false;
};
// remora case STEP. `with_gaps`: of close alone.
absl::Status ChangeCase(const Context& context, const CaseStep& step);

struct WatchOptions {
  std::string case_name;
  std::vector<uint32_t> lanes;
  std::vector<std::string> traces;  // whose bulk is wanted; none: all
  std::string budget;               // what bulk may take, as ParseRate reads it; empty: no limit
  bool from_start = false;          // every record from the first on, in order; else live from now
  bool samples = false;
  bool raw = false;         // the journal's bytes in hexadecimal
  uint64_t count = 0;       // stop after so many; 0: go on
  double seconds = 0;       // stop after so long; 0: go on
  bool until_head = false;  // stop at what is on record now
};
// remora watch
absl::Status Watch(const Context& context, const WatchOptions& options);

struct SeenOptions {
  std::string case_name;
  std::string at;  // a time of day in UTC; empty: everything
};
// remora seen: who had what before their eyes, and how old it was.
absl::Status Seen(const Context& context, const SeenOptions& options);

struct SayOptions {
  std::string case_name;
  std::string text;
  bool urgent = false;
  std::string reply_to;
  std::string about;
};
absl::Status Say(const Context& context, const SayOptions& options);

struct AnnotateOptions {
  std::string case_name;
  std::string text;
  std::string trace;
  std::string about;
  bool has_place = false;
  double at_latency_ms = 0;
};
absl::Status Annotate(const Context& context, const AnnotateOptions& options);

struct AcknowledgeOptions {
  std::string case_name;
  std::string alert;  // id; empty: every open alert that this place has not acknowledged
  std::string reason;
};
absl::Status AcknowledgeAlerts(const Context& context, const AcknowledgeOptions& options);

struct BaselineOptions {
  std::string case_name;
  std::string trace;
  std::string kind = "rebaseline";
  std::string sweep;  // id; empty: the newest finished one
  std::string reason;
};
absl::Status SetBaseline(const Context& context, const BaselineOptions& options);

struct ExportOptions {
  std::string case_name;
  std::string format = "csv";
  std::string file;  // empty: standard output
};
absl::Status Export(const Context& context, const ExportOptions& options);

struct VerifyOptions {
  std::string what;                    // a file of `export --format record`, or a case
  std::vector<std::string> keys;       // hexadecimal; empty: those that the file or the hub names
  std::vector<std::string> witnesses;  // files (common/head_witness.h)
  bool require_certificate = false;
};
// DataLoss: not proved. Aborted: what is signed is, but the case is over and not certified to its
// end; or it is not over, and a certificate was asked for.
absl::Status Judge(const VerifyReport& report, bool require_certificate);
// remora verify. Ends as Judge says.
absl::Status Verify(const Context& context, const VerifyOptions& options);

struct AttendOptions {
  std::string as = "reader";  // or "theatre"
  double seconds = 0;
};
// remora attend: stands in for a person in a rehearsal. A reader acknowledges each alert and tells
// the team; a theatre marks messages as read and answers. Ends with a summary.
absl::Status Attend(const Context& context, const AttendOptions& options);

}  // namespace remora::reader
