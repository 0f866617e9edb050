#include "hub/app/hub_options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "hub/app/version.h"

namespace remora::hub {
namespace {

constexpr size_t kMaxConfigBytes = 64 * 1024;

// As --journal: no file, but memory.
constexpr char kInMemory[] = "memory";

constexpr char kDescription[] =
    "The hub of Remora: takes the records of theatres, keeps them, and shows them live to "
    "readers.\n"
    "Not a cleared medical device.";

constexpr char kFooter[] =
    "Every setting can also be given in the environment (REMORA_JOURNAL, REMORA_LISTEN_GRPC, ...)\n"
    "or in the file of --config (journal = \"...\"); a flag goes before the environment, that "
    "before\n"
    "the file. Exit codes: 0 ended as asked, 1 failure, 2 wrong usage or configuration.\n\n"
    "Example:\n"
    "  remora-hub --journal /var/lib/remora/journal.db --local-identities "
    "/etc/remora/identities.textproto\n"
    "             --web /usr/share/remora/web";

constexpr char kExposeHelp[] =
    "Listen on addresses that other machines reach, with no proxy in front. Risky: traffic, tokens "
    "and patients' signals go unencrypted, and Debian's gRPC 1.51 can be stopped or filled up by "
    "anybody who reaches it (CVE-2023-4785, CVE-2023-44487, CVE-2023-33953). Meant for closed test "
    "networks; otherwise put nginx with TLS in front (docs/operations.md)";

// What the command line holds, as text.
struct RawOptions {
  std::string journal;
  std::string listen_grpc = "127.0.0.1:7443";
  std::string listen_http = "127.0.0.1:8080";
  std::string web;
  std::string local_identities;
  std::string ports_file;
  std::string archive;
  std::string keep_closed;
  std::string keep_incomplete;
  std::string log_level = "info";
  std::string config;
  bool expose_without_proxy = false;
  bool check_config = false;
  bool hash_token = false;
  bool accept_new_record_key = false;
  bool accept_archive = false;
  bool print_record_key = false;
  bool rotate_record_key = false;
  bool start_new_epoch = false;
  bool nothing_is_kept = false;
};

struct Settings {
  // By the name of the setting ("listen-grpc"): those that a file may set.
  std::map<std::string, CLI::Option*> of_file;
};

Settings AddOptions(CLI::App& app, RawOptions& raw) {
  Settings settings;
  const auto add = [&](const char* name, const char* environment, std::string& value,
                       const char* help) {
    settings.of_file[name] =
        app.add_option(absl::StrCat("--", name), value, help)->envname(environment);
    return settings.of_file[name];
  };
  add("journal", "REMORA_JOURNAL", raw.journal,
      "The journal's SQLite file; made where there is none")
      ->type_name("FILE");
  add("listen-grpc", "REMORA_LISTEN_GRPC", raw.listen_grpc,
      "Where agents and programs connect; port 0: any free one, or unix:PATH")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  add("listen-http", "REMORA_LISTEN_HTTP", raw.listen_http,
      "Where browsers connect, and /metrics, /healthz, /readyz; port 0: any free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  add("web", "REMORA_WEB", raw.web, "The built web workstation (reader-client/web/dist)")
      ->type_name("DIR");
  add("local-identities", "REMORA_LOCAL_IDENTITIES", raw.local_identities,
      "Who may come in, where there is no identity provider; readable by its owner alone")
      ->type_name("FILE");
  add("ports-file", "REMORA_PORTS_FILE", raw.ports_file,
      "Where to write the addresses as JSON once the hub serves")
      ->type_name("FILE");
  add("archive", "REMORA_ARCHIVE", raw.archive,
      "Where closed cases go, each as a file that proves itself, before they leave the journal")
      ->type_name("DIR");
  add("keep-closed", "REMORA_KEEP_CLOSED", raw.keep_closed,
      "With --archive: how long after its last record a certified case stays in the journal, such "
      "as 30d, 12h, 90m or 10s")
      ->type_name("DURATION");
  add("keep-incomplete", "REMORA_KEEP_INCOMPLETE", raw.keep_incomplete,
      "With --archive: the same of a case whose certificate is not complete, such as 365d; "
      "without it, it stays until it is")
      ->type_name("DURATION");
  add("log-level", "REMORA_LOG_LEVEL", raw.log_level, "debug, info, warning or error")
      ->capture_default_str();
  settings.of_file["expose-without-proxy"] =
      app.add_flag("--expose-without-proxy", raw.expose_without_proxy, kExposeHelp)
          ->envname("REMORA_EXPOSE_WITHOUT_PROXY");
  app.add_option("--config", raw.config, "Reads settings from a TOML file")
      ->envname("REMORA_CONFIG")
      ->type_name("FILE");
  app.add_flag("--check-config", raw.check_config,
               "Says whether the configuration is right, and ends");
  // Neither in the environment nor in a file, where it would come again with every start.
  app.add_flag("--start-new-epoch", raw.start_new_epoch,
               "For the first start with a journal from a backup: readers that saw more than it "
               "holds begin again");
  app.add_flag("--accept-new-record-key", raw.accept_new_record_key,
               "For one start: makes a new key to sign records with though the journal has cases "
               "of another, which is lost");
  app.add_flag("--accept-archive", raw.accept_archive,
               "For one start: takes the folder of --archive though the journal's cases went into "
               "another one, or something is in it");
  // Not in the help: for measurements alone (docs/performance.md).
  app.add_flag("--nothing-is-kept", raw.nothing_is_kept)->group("");
  app.add_flag("--hash-token", raw.hash_token,
               "Reads a token from standard input, prints its token_hash for the identities' file");
  app.add_flag("--print-record-key", raw.print_record_key,
               "Prints id and public key that records are signed with, then older ones");
  app.add_flag("--rotate-record-key", raw.rotate_record_key,
               "Takes a new key into use and prints as --print-record-key; the hub must be down");
  app.set_version_flag("--version", absl::StrCat("remora-hub ", kVersion));
  return settings;
}

// Sets what neither flag nor environment has set.
absl::Status ApplyFile(const RawOptions& raw, const Settings& settings, FileSystem& files) {
  ASSIGN_OR_RETURN(const std::string text, files.ReadWhole(raw.config, kMaxConfigBytes));
  ASSIGN_OR_RETURN(const std::vector<FileSetting> file, ParseConfigText(text, raw.config));
  for (const FileSetting& setting : file) {
    const auto known = settings.of_file.find(setting.key);
    if (known == settings.of_file.end()) {
      const std::string names = absl::StrJoin(
          settings.of_file, ", ", [](std::string* out, const auto& s) { out->append(s.first); });
      return absl::InvalidArgumentError(absl::StrCat(raw.config, ":", setting.line,
                                                     ": unknown setting '", setting.key,
                                                     "'; there are: ", names));
    }
    CLI::Option* option = known->second;
    if (option->count() > 0) continue;
    if (setting.values.size() != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(raw.config, ":", setting.line, ": '", setting.key, "' takes one value"));
    }
    try {
      option->add_result(setting.values[0]);
      option->run_callback();
    } catch (const CLI::Error& error) {
      return absl::InvalidArgumentError(
          absl::StrCat(raw.config, ":", setting.line, ": ", error.what()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ListenAddress> Address(const char* flag, const std::string& text, bool may_expose) {
  absl::StatusOr<ListenAddress> address = ListenAddress::Parse(text);
  if (!address.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(flag, ": ", address.status().message()));
  }
  if (!address->is_local() && !may_expose) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": ", text,
        " can be reached from other machines, unencrypted. Listen on 127.0.0.1 and "
        "put a proxy with TLS in front (docs/operations.md). --expose-without-proxy allows it all "
        "the same; --help says what that risks"));
  }
  return address;
}

absl::StatusOr<Duration> KeepFor(const char* flag, const std::string& text) {
  constexpr int64_t kMostDays = 36'500;
  int64_t number = 0;
  int64_t unit_seconds = 0;
  if (!text.empty()) {
    const char unit = text.back();
    unit_seconds = unit == 'd'   ? 86'400
                   : unit == 'h' ? 3'600
                   : unit == 'm' ? 60
                   : unit == 's' ? 1
                                 : 0;
    const absl::string_view digits(text.data(), text.size() - 1);
    const bool plain = digits.find_first_not_of("0123456789") == absl::string_view::npos;
    if (!plain || !absl::SimpleAtoi(digits, &number)) unit_seconds = 0;
  }
  if (unit_seconds == 0 || number < 1 || number > kMostDays * 86'400 / unit_seconds) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " '", text, "': a number and d, h, m or s, up to ", kMostDays, "d, such as 30d"));
  }
  return Duration::Seconds(number * unit_seconds);
}

// Both or neither: what is archived is what leaves.
absl::Status TakeArchive(const RawOptions& raw, HubOptions* options) {
  if (raw.archive.empty() && raw.keep_closed.empty() && raw.keep_incomplete.empty() &&
      !raw.accept_archive) {
    return absl::OkStatus();
  }
  if (raw.archive.empty() || raw.keep_closed.empty()) {
    return absl::InvalidArgumentError(
        "--archive DIR and --keep-closed DURATION go together: where closed cases go, and when");
  }
  options->accept_archive = raw.accept_archive || options->journal_in_memory;
  options->archive_directory = raw.archive;
  ASSIGN_OR_RETURN(options->keep_closed, KeepFor("--keep-closed", raw.keep_closed));
  if (raw.keep_incomplete.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(options->keep_incomplete, KeepFor("--keep-incomplete", raw.keep_incomplete));
  if (*options->keep_incomplete < options->keep_closed) {
    return absl::InvalidArgumentError(
        "--keep-incomplete is shorter than --keep-closed: what is missing of a case is to have "
        "more time to come, not less");
  }
  return absl::OkStatus();
}

absl::StatusOr<HubOptions> Validate(const RawOptions& raw) {
  HubOptions options;
  if (raw.hash_token) {
    options.command = HubOptions::Command::kHashToken;
    return options;
  }
  if (raw.check_config) options.command = HubOptions::Command::kCheckConfig;
  if (raw.journal.empty()) {
    return absl::InvalidArgumentError("--journal FILE is needed: where records are kept");
  }
  options.journal_in_memory = raw.journal == kInMemory;
  if (options.journal_in_memory != raw.nothing_is_kept) {
    return absl::InvalidArgumentError(
        options.journal_in_memory
            ? "--journal memory keeps nothing beyond this process: for measurements, with "
              "--nothing-is-kept; otherwise name a file (./memory if it is called so)"
            : "--nothing-is-kept goes with --journal memory alone");
  }
  if (raw.print_record_key || raw.rotate_record_key) {
    options.journal_path = raw.journal;
    options.command = raw.rotate_record_key ? HubOptions::Command::kRotateRecordKey
                                            : HubOptions::Command::kPrintRecordKey;
    return options;
  }
  if (raw.local_identities.empty()) {
    return absl::InvalidArgumentError(
        "--local-identities FILE is needed: without an identity provider, nobody is let in but "
        "those "
        "whom that file names. --hash-token makes its token hashes; docs/operations.md has an "
        "example");
  }
  ASSIGN_OR_RETURN(options.grpc_address,
                   Address("--listen-grpc", raw.listen_grpc, raw.expose_without_proxy));
  ASSIGN_OR_RETURN(options.http_address,
                   Address("--listen-http", raw.listen_http, raw.expose_without_proxy));
  if (options.http_address.is_unix()) {
    return absl::InvalidArgumentError("--listen-http: a Unix socket is possible for gRPC alone");
  }
  ASSIGN_OR_RETURN(options.log_level, ParseLogLevel(raw.log_level));
  RETURN_IF_ERROR(TakeArchive(raw, &options));
  options.journal_path = raw.journal;
  options.web_directory = raw.web;
  options.local_identities_path = raw.local_identities;
  options.ports_file = raw.ports_file;
  options.start_new_epoch = raw.start_new_epoch;
  options.accept_new_record_key = raw.accept_new_record_key;
  return options;
}

}  // namespace

OptionsOutcome ReadHubOptions(int argc, const char* const* argv, FileSystem& files) {
  RawOptions raw;
  CLI::App app(kDescription, "remora-hub");
  app.footer(kFooter);
  const Settings settings = AddOptions(app, raw);
  OptionsOutcome outcome;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    outcome.exit_code = app.exit(error) == 0 ? 0 : 2;
    return outcome;
  }
  absl::Status status = raw.config.empty() ? absl::OkStatus() : ApplyFile(raw, settings, files);
  if (status.ok()) {
    absl::StatusOr<HubOptions> options = Validate(raw);
    if (options.ok()) outcome.options = *std::move(options);
    status = options.status();
  }
  if (!status.ok()) {
    std::cerr << "remora-hub: " << status.message() << "\n";
    outcome.exit_code = 2;
  }
  return outcome;
}

}  // namespace remora::hub
