#include "acquisition-agent/app/options.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>

namespace remora::agent {
namespace {

constexpr char kExamples[] = R"(Examples:
  # Try a montage on an old file: every record, one JSON object a line.
  remora-agent --source edf:case.edf --plan hybrid_sep.plan --dry-run
  # What it comes to, for people.
  remora-agent --source sim:cord?seconds=120 --plan scoliosis.plan --dry-run --output table
  # A theatre: analysis, alarms and records here, everything also to the hub.
  remora-agent --source sim:cord --plan scoliosis.plan --hub 127.0.0.1:7443 \
      --token-file agent.token --theatre "OR 3" --spool /var/lib/remora/spool

Sources:
  edf:PATH            EDF, EDF+, BDF or BDF+ recording
  brainvision:PATH    BrainVision recording (.vhdr)
  wfdb:PATH           WFDB record (.hea)
  lsl:NAME,...        streams of the Lab Streaming Layer
  feed:ENDPOINT,...   live devices that send (docs/feed-protocol.md): tcp://HOST:PORT or ipc://PATH
  sim:NAME            simulator: quiet, cord, noisy, everything, S01 to S25, or a scenario file

Subcommands (--help after them):
  feed-check ENDPOINT   listens to a device and says whether it keeps to the feed protocol
  feed-keys DIR         makes the keys that a device on another machine needs

Exit codes: 0 ok, 1 failed, 2 usage, plan or source wrong, 3 refused by the hub,
5 hub not reached while records wait)";

void AddInputs(CLI::App& app, AgentOptions* options) {
  app.add_option("--source", options->source,
                 "where signals come from, such as edf:case.edf or sim:cord")
      ->required()
      ->type_name("URI");
  app.add_option("--plan", options->plan, "what is monitored (docs/plan-files.md)")
      ->required()
      ->type_name("FILE");
  app.add_flag("--dry-run", options->dry_run,
               "analyse as fast as possible, without hub or disk, and print every record");
  const std::map<std::string, OutputFormat> formats{{"ndjson", OutputFormat::kNdjson},
                                                    {"table", OutputFormat::kTable}};
  app.add_option("--output", options->output, "of a dry run: ndjson or table")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""))
      ->type_name("FORMAT");
  app.add_flag("--samples", options->samples, "of a dry run: print samples too, in microvolts");
  app.add_option("--seed", options->seed, "of a dry run's ids");
}

void AddHub(CLI::App& app, AgentOptions* options) {
  app.add_option("--hub", options->hub,
                 "host:port or unix:PATH; without it the theatre works alone")
      ->type_name("ADDR");
  app.add_option("--token-file", options->token_file, "this agent's token for the hub")
      ->type_name("FILE");
  app.add_flag("--tls", options->tls, "TLS to the hub");
  app.add_option("--ca", options->ca_file, "certificates to trust (default: the system's)")
      ->type_name("FILE");
  app.add_option("--certificate", options->certificate_file, "this agent's certificate")
      ->type_name("FILE");
  app.add_option("--key", options->key_file, "its private key")->type_name("FILE");
}

void AddCase(CLI::App& app, AgentOptions* options) {
  app.add_option("--theatre", options->theatre, "name of the theatre")
      ->capture_default_str()
      ->check(
          [](const std::string& name) {
            return name.empty() || name.size() > 128 ? "1 to 128 bytes would be right" : "";
          },
          "");
  app.add_option("--procedure", options->procedure,
                 "for people; default: the plan's. No patient identity");
  app.add_option("--reader-phone", options->reader_phone,
                 "number that the console names when the link to the hub is lost")
      ->type_name("NUMBER")
      ->check(
          [](const std::string& number) { return number.size() > 64 ? "at most 64 bytes" : ""; },
          "");
  app.add_option("--spool", options->spool,
                 "folder of records that the hub has not confirmed; needed unless --dry-run")
      ->type_name("DIR");
  app.add_option("--case", options->case_id,
                 "id of the case, 32 hexadecimal digits; default: a new one")
      ->type_name("ID");
  app.add_option("--speed", options->speed,
                 "replays this many times as fast; 0: as fast as possible")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str()
      ->type_name("X");
  app.add_option("--planned-hours", options->planned_hours,
                 "how long the case may take: an alert before the incision when the disk does not "
                 "last so long")
      ->check(CLI::Range(0.1, 72.0))
      ->capture_default_str()
      ->type_name("HOURS");
  app.add_flag("--keep-open", options->keep_open, "do not close the case at the end of the source");
  app.add_flag("--close-on-stop", options->close_on_stop,
               "close the case when stopped (Ctrl-C); otherwise it stays open to go on with");
  app.add_flag("--new-case", options->new_case,
               "close what an earlier run left open in the spool, and begin a new case");
  app.add_option("--linger", options->linger_s,
                 "at the end, wait so many seconds for the hub to take what waits")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str()
      ->type_name("SECONDS");
}

}  // namespace

std::optional<int> ParseCommandLine(int argc, char** argv, AgentOptions* options) {
  CLI::App app{
      "Remora's acquisition agent: turns a theatre's signals into evoked responses, EMG, "
      "measurements and alerts."};
  app.footer(kExamples);
  app.set_version_flag("--version", "remora-agent " REMORA_VERSION);
  AddInputs(app, options);
  AddHub(app, options);
  AddCase(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!options->dry_run && options->spool.empty()) {
    std::fprintf(stderr,
                 "--spool is required: the folder that keeps records until the hub has them (or "
                 "use --dry-run)\n");
    return 2;
  }
  return std::nullopt;
}

}  // namespace remora::agent
