// remora-agent: the theatre's part of Remora.
#include <cstdio>
#include <string>

#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/feed_commands.h"
#include "acquisition-agent/app/live_run.h"
#include "acquisition-agent/app/options.h"
#include "acquisition-agent/app/plan_fit.h"
#include "acquisition-agent/app/record_printer.h"
#include "acquisition-agent/sources/open.h"
#include "common/file_system.h"

namespace remora::agent {
namespace {

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "remora-agent: %s\n", std::string(status.message()).c_str());
  return code;
}

int RunDry(const AgentOptions& options, const CasePlan& plan, SignalSource& source) {
  DryRunOptions dry;
  dry.theatre = options.theatre;
  dry.seed = options.seed;
  dry.keep_open = options.keep_open;
  bool written = true;
  const auto write = [&](const std::string& text) {
    written = written && std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  };
  write(FormatHead(options.output));
  const absl::StatusOr<DryRunSummary> summary = DryRun(
      plan, source, dry,
      [&](const v1::Record& record, absl::string_view bytes) {
        write(FormatRecord(record, bytes, options.output, options.samples));
      },
      [](int64_t now_ns) { std::fprintf(stderr, "\r%.0f s ", static_cast<double>(now_ns) / 1e9); });
  written = written && std::fflush(stdout) == 0;
  if (!summary.ok()) {
    std::fprintf(stderr, "\n");
    return Fail(summary.status(), absl::IsInvalidArgument(summary.status()) ? 2 : 1);
  }
  const auto& n = summary->records;
  const double seconds = static_cast<double>(summary->duration_ns) / 1e9;
  const double bytes_per_second = seconds > 0 ? static_cast<double>(summary->bytes) / seconds : 0;
  std::fprintf(stderr,
               "\r%.1f s of signal: %llu stimuli, %llu of %llu sweeps averaged, %llu alerts "
               "raised, %llu recovered, "
               "%llu gaps; records: %llu alert, %llu event, %llu measurement, %llu sweep, %llu "
               "envelope, %llu block "
               "(%.1f MB: %.0f kB/s, %.2f GB in the %g h planned)\n",
               seconds, static_cast<unsigned long long>(summary->analysis.stimuli),
               static_cast<unsigned long long>(summary->analysis.sweeps_accepted),
               static_cast<unsigned long long>(summary->analysis.sweeps_offered),
               static_cast<unsigned long long>(summary->alerts_raised),
               static_cast<unsigned long long>(summary->alerts_recovered),
               static_cast<unsigned long long>(summary->analysis.gaps),
               static_cast<unsigned long long>(n[0]), static_cast<unsigned long long>(n[1]),
               static_cast<unsigned long long>(n[2]), static_cast<unsigned long long>(n[3]),
               static_cast<unsigned long long>(n[4]), static_cast<unsigned long long>(n[5]),
               static_cast<double>(summary->bytes) / 1e6, bytes_per_second / 1e3,
               bytes_per_second * options.planned_hours * 3600 / 1e9, options.planned_hours);
  if (summary->invalid > 0) {
    std::fprintf(stderr, "remora-agent: %llu records are not as the contract says: %s\n",
                 static_cast<unsigned long long>(summary->invalid), summary->first_invalid.c_str());
    return 1;
  }
  if (!written) {
    std::fprintf(stderr, "remora-agent: standard output could not be written\n");
    return 1;
  }
  return 0;
}

int Main(int argc, char** argv) {
  if (const std::optional<int> code = RunFeedCommand(argc, argv)) return *code;
  AgentOptions options;
  if (const std::optional<int> code = ParseCommandLine(argc, argv, &options)) return *code;
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  const absl::StatusOr<CasePlan> plan = LoadCasePlan(*files, options.plan);
  if (!plan.ok()) return Fail(plan.status(), 2);
  absl::StatusOr<std::unique_ptr<SignalSource>> source = OpenSource(options.source);
  if (!source.ok()) return Fail(source.status(), absl::IsUnavailable(source.status()) ? 1 : 2);
  // A plan that does not fit the source is a mistake in writing, whatever is done with it then.
  if (const absl::Status fits = CheckPlanFits(*plan, (*source)->info()); !fits.ok()) {
    return Fail(fits, 2);
  }
  if (options.dry_run && (*source)->info().live) {
    return Fail(absl::InvalidArgumentError(
                    "--dry-run runs as fast as it can, which a live source cannot; run without "
                    "--hub to try a plan, or `remora-agent feed-check` to try a device"),
                2);
  }
  if (options.dry_run) return RunDry(options, *plan, **source);
  return RunLive(options, *plan, **source, *files);
}

}  // namespace
}  // namespace remora::agent

int main(int argc, char** argv) { return remora::agent::Main(argc, argv); }
