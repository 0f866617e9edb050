// remora: the command line for readers, theatres and scripts.

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/file_system.h"
#include "common/link/dial_files.h"
#include "common/status_macros.h"
#include "google/protobuf/stubs/logging.h"
#include "reader-client/cc/app/commands.h"

namespace remora::reader {
namespace {

constexpr const char* kVersion = "remora 0.1.0";
constexpr const char* kFooter = R"(
CASE is a theatre ("OR 2") or the first digits of a case id.

Examples:
  remora --hub 127.0.0.1:7443 --token-file reader.token cases
  remora watch "OR 2"                        live, as it is recorded
  remora watch "OR 2" --from-start --output ndjson | jq .
  remora watch "OR 2" --trace SEP_UPPER/R/CPc-Front --budget 20kB/s   on a thin or a metered link
  remora --hub hub.example:443 --tls --token-file reader.token cases    through the proxy
  remora seen "OR 2" --at 08:41:00           what was on whose screen then, and how old it was
  remora ack "OR 2" --reason "checking with the team"
  remora say "OR 2" "Left leg response lost. Release rod?" --urgent
  remora baseline "OR 2" --trace SEP_UPPER/R/CPc-Front --kind pre_incision --reason "stable"
  remora export "OR 2" --format csv --file case.csv
  remora export "OR 2" --format record --file case.record
  remora verify case.record --key 64HEXDIGITS

Exit codes: 0 ok, 1 failure, 2 usage, 3 refused, 4 not found, 5 unavailable, 6 verification failed,
7 proved, but not whole.
)";

absl::Status ReadFiles(const DialFiles& from, ClientOptions* client) {
  GrpcDialerOptions dial;
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  if (!from.token.empty() && !files->Exists(from.token)) {
    return absl::InvalidArgumentError(
        absl::StrCat(from.token, ": cannot be read: give the file that holds your token"));
  }
  RETURN_IF_ERROR(ReadDialFiles(*files, from, &dial));
  client->token = dial.token;
  client->tls = dial.tls;
  client->root_certificates_pem = dial.root_certificates_pem;
  client->client_certificate_pem = dial.client_certificate_pem;
  client->client_key_pem = dial.client_key_pem;
  return absl::OkStatus();
}

using Run = std::function<absl::Status(const Context&)>;

CLI::App* AddCommand(CLI::App& app, const char* name, const char* help, Run* selected, Run run) {
  CLI::App* command = app.add_subcommand(name, help);
  command->fallthrough();
  command->callback([selected, run = std::move(run)] { *selected = run; });
  return command;
}

// All options of all commands; lives as long as main.
struct Options {
  DialFiles dial;
  bool all = false;
  CaseStep step;
  WatchOptions watch;
  SeenOptions seen;
  SayOptions say;
  AnnotateOptions annotate;
  AcknowledgeOptions acknowledge;
  BaselineOptions baseline;
  ExportOptions exporting;
  VerifyOptions verify;
  AttendOptions attend;
};

void AddReading(CLI::App& app, Options* o, Run* selected) {
  auto* cases = AddCommand(app, "cases", "List cases", selected,
                           [o](const Context& c) { return ListCases(c, o->all); });
  cases->add_flag("--all", o->all, "Closed and abandoned ones too");

  auto* watch = AddCommand(app, "watch", "Print a case's records as they come", selected,
                           [o](const Context& c) { return Watch(c, o->watch); });
  watch->add_option("case", o->watch.case_name, "CASE")->required();
  watch->add_option("--lanes", o->watch.lanes, "Only these lanes, 0 to 5")
      ->delimiter(',')
      ->check(CLI::Range(0, 5));
  auto* trace = watch->add_option("--trace", o->watch.traces,
                                  "Sweeps, EMG and samples of this trace alone (several times)");
  auto* budget =
      watch->add_option("--budget", o->watch.budget,
                        "At most so much for sweeps, EMG and samples: 20kB/s, 160kbit/s");
  // Both thin out a live picture; a record is read whole.
  watch->add_flag("--from-start", o->watch.from_start, "Every record from the first on, in order")
      ->excludes(trace)
      ->excludes(budget);
  watch->add_flag("--until-head", o->watch.until_head, "Every record that is there now, then stop")
      ->excludes(trace)
      ->excludes(budget);
  watch->add_flag("--samples", o->watch.samples, "With samples in microvolts (json, ndjson)");
  watch->add_flag("--raw", o->watch.raw, "The journal's bytes in hexadecimal, a record a line");
  watch->add_option("--count", o->watch.count, "Stop after so many records");
  watch->add_option("--seconds", o->watch.seconds, "Stop after so many seconds")
      ->check(CLI::NonNegativeNumber);

  auto* seen = AddCommand(app, "seen", "Who saw what of a case, and how old it was", selected,
                          [o](const Context& c) { return Seen(c, o->seen); });
  seen->add_option("case", o->seen.case_name, "CASE")->required();
  seen->add_option("--at", o->seen.at,
                   "Only what each screen showed at that time, trace by trace: HH:MM:SS in UTC, or "
                   "2026-01-31T08:41:00");

  auto* exporting = AddCommand(app, "export", "Write what is on record now to a file", selected,
                               [o](const Context& c) { return Export(c, o->exporting); });
  exporting->add_option("case", o->exporting.case_name, "CASE")->required();
  exporting
      ->add_option("--format", o->exporting.format, "csv, or record: a file that proves itself")
      ->capture_default_str();
  exporting->add_option("--file", o->exporting.file, "Where to (default: standard output)");

  auto* verify = AddCommand(app, "verify", "Prove a record: chain, signatures, certificate, state",
                            selected, [o](const Context& c) { return Verify(c, o->verify); });
  verify->add_option("what", o->verify.what, "FILE of export --format record, or CASE")->required();
  verify->add_option("--key", o->verify.keys,
                     "Public key to trust, 64 digits (default: those of the file or the hub)");
  verify->add_option("--witness", o->verify.witnesses,
                     "A signed head that somebody kept (witness-ID in a theatre's spool folder)");
  verify->add_flag("--require-certificate", o->verify.require_certificate,
                   "A case without a certificate, or with more behind it unsigned, ends with 7");
}

void AddWriting(CLI::App& app, Options* o, Run* selected) {
  auto* say = AddCommand(app, "say", "Send a message into the theatre", selected,
                         [o](const Context& c) { return Say(c, o->say); });
  say->add_option("case", o->say.case_name, "CASE")->required();
  say->add_option("text", o->say.text, "The message")->required();
  say->add_flag("--urgent", o->say.urgent, "Shown large, with a tone, until it is seen");
  say->add_option("--reply-to", o->say.reply_to, "Record id of the message that this answers");
  say->add_option("--about", o->say.about, "Record id of the alert or sweep that this is about");

  auto* annotate = AddCommand(app, "annotate", "Put a remark on a trace, an alert or the case",
                              selected, [o](const Context& c) { return Annotate(c, o->annotate); });
  annotate->add_option("case", o->annotate.case_name, "CASE")->required();
  annotate->add_option("text", o->annotate.text, "The remark")->required();
  annotate->add_option("--trace", o->annotate.trace, "Trace id, for example SEP_UPPER/R/CPc-Front");
  annotate->add_option("--about", o->annotate.about, "Record id of what it is on");
  annotate->add_option("--at-ms", o->annotate.at_latency_ms, "Place on the trace, in ms")
      ->each([o](const std::string&) { o->annotate.has_place = true; });

  auto* ack = AddCommand(app, "ack", "Acknowledge alerts", selected,
                         [o](const Context& c) { return AcknowledgeAlerts(c, o->acknowledge); });
  ack->add_option("case", o->acknowledge.case_name, "CASE")->required();
  ack->add_option("alert", o->acknowledge.alert, "Record id (default: all that are open)");
  ack->add_option("--reason", o->acknowledge.reason, "In words");

  auto* baseline = AddCommand(app, "baseline", "Set a trace's baseline", selected,
                              [o](const Context& c) { return SetBaseline(c, o->baseline); });
  baseline->add_option("case", o->baseline.case_name, "CASE")->required();
  baseline->add_option("--trace", o->baseline.trace, "Trace id")->required();
  baseline
      ->add_option(
          "--kind", o->baseline.kind,
          "pre_intubation, pre_position, post_position, pre_incision, post_exposure, rebaseline")
      ->capture_default_str();
  baseline->add_option("--sweep", o->baseline.sweep,
                       "Record id of the sweep (default: the newest finished one)");
  baseline->add_option("--reason", o->baseline.reason, "Why, in words")->required();

  auto* step = AddCommand(app, "case", "A step in the life of a case", selected,
                          [o](const Context& c) { return ChangeCase(c, o->step); });
  step->add_option(
          "step", o->step.step,
          "schedule, open, emergency, move, correct, closing, close, reopen, seal, abandon")
      ->required();
  step->add_option("case", o->step.case_name,
                   "CASE (not for schedule, open, emergency of a new one)");
  step->add_option("--theatre", o->step.theatre, "For example \"OR 2\"");
  step->add_option("--procedure", o->step.procedure, "No patient identity");
  step->add_option("--reason", o->step.reason, "In words");
  step->add_flag("--with-gaps", o->step.with_gaps,
                 "With close and --reason: though records are missing; they are named");
  step->add_option("--right-case", o->step.corrected_case,
                   "With correct: the case that it should have been");

  auto* attend = AddCommand(app, "attend", "Stand in for a person in a rehearsal", selected,
                            [o](const Context& c) { return Attend(c, o->attend); });
  attend->add_option("--as", o->attend.as, "reader or theatre")->capture_default_str();
  attend->add_option("--seconds", o->attend.seconds, "How long")
      ->required()
      ->check(CLI::PositiveNumber);
}

void AddHub(CLI::App& app, Context* context, Options* o) {
  app.add_option("--hub", context->client.hub, "Address of the hub, or of the proxy before it")
      ->envname("REMORA_HUB")
      ->capture_default_str();
  app.add_option("--token-file", o->dial.token, "File that holds your token")
      ->envname("REMORA_TOKEN_FILE");
  app.add_flag("--tls", o->dial.tls, "TLS to the hub")->envname("REMORA_TLS");
  app.add_option("--ca", o->dial.ca, "Certificates to trust (default: the system's)")
      ->envname("REMORA_CA")
      ->type_name("FILE");
  app.add_option("--certificate", o->dial.certificate, "Your own certificate")->type_name("FILE");
  app.add_option("--certificate-key", o->dial.key, "Its private key")->type_name("FILE");
}

int Main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  google::protobuf::SetLogHandler(nullptr);  // one line a bad string would be a flood
  CLI::App app("Remora: follow, judge and answer neuromonitoring cases.", "remora");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", kVersion);
  Context context;
  context.client.software = kVersion;
  context.client.hub = "127.0.0.1:7443";
  Options options;
  AddHub(app, &context, &options);
  const std::map<std::string, OutputFormat> formats{{"table", OutputFormat::kTable},
                                                    {"json", OutputFormat::kJson},
                                                    {"ndjson", OutputFormat::kNdjson}};
  app.add_option("--output", context.output, "table, json or ndjson")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""));
  double timeout_s = context.timeout.seconds();
  app.add_option("--timeout", timeout_s, "How long to wait for the hub, in seconds")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  Run selected;
  AddReading(app, &options, &selected);
  AddWriting(app, &options, &selected);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  context.timeout = Duration::FromSeconds(timeout_s);
  context.client.connect_timeout = context.timeout;
  absl::Status status = ReadFiles(options.dial, &context.client);
  if (status.ok()) status = selected(context);
  if (!status.ok()) std::fprintf(stderr, "remora: %s\n", std::string(status.message()).c_str());
  return ExitCodeOf(status);
}

}  // namespace
}  // namespace remora::reader

int main(int argc, char** argv) { return remora::reader::Main(argc, argv); }
