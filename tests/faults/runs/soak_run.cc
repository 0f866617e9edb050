// Case after case through one hub, for hours: each is closed, proved, archived, purged, and its
// archive proved again; memory and descriptors of hub and agents are sampled all the while.

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "tests/faults/runs/memory_slope.h"
#include "tests/faults/runs/run_main.h"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

// The first cases of a hub fill its caches: they are no growth.
constexpr int kWarmUpCases = 2;
// So short that a case leaves while the next one runs.
constexpr char kKeepClosed[] = "5s";
constexpr Duration kLongestSigning = Duration::Seconds(120);
constexpr Duration kLongestPurge = Duration::Seconds(300);
constexpr Duration kSampleInterval = Duration::Seconds(1);
constexpr int kDescriptorSlack = 16;

struct Arguments : RunArguments {
  Arguments() : RunArguments(20) {}
  double seconds = 7'200;
  int case_seconds = 2'400;
  double most_mebibytes_an_hour = 1;
};

// Resident memory of a process, and its open descriptors.
double Mebibytes(const Process& process) {
  const std::string status = ReadAll(absl::StrCat("/proc/", process.pid(), "/status"));
  const size_t at = status.find("VmRSS:");
  return at == std::string::npos ? 0 : std::strtod(status.c_str() + at + 6, nullptr) / 1024;
}

// The processor's time that a process had, and for which it stood ready and had none: a case that
// is slow on a busy machine is told from one that is slow by itself.
struct CpuTimes {
  double ran_s = 0;
  double waited_s = 0;
};
CpuTimes CpuTimesOf(const Process& process) {
  CpuTimes times;
  std::error_code error;
  const std::string tasks = absl::StrCat("/proc/", process.pid(), "/task");
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    double ran_ns = 0, waited_ns = 0;
    std::ifstream(task.path() / "schedstat") >> ran_ns >> waited_ns;
    times.ran_s += ran_ns / 1e9;
    times.waited_s += waited_ns / 1e9;
  }
  return times;
}

uint64_t Descriptors(const Process& process) {
  uint64_t count = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", process.pid(), "/fd"), error)) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

volatile std::sig_atomic_t stopped = 0;

class SoakRun {
 public:
  SoakRun(const Arguments& arguments, RunState& state) : arguments_(arguments), state_(state) {
    state_.Add("segments", 1);
    // Of a life that was stopped before they had left: they went with its hub.
    state_.json()["cut_off"] = state_.Count("cases") - state_.Count("purged");
  }

  absl::Status Start() {
    rig_.hub_settings().more = {"--archive", rig_.Path("archive"), "--keep-closed", kKeepClosed};
    return rig_.StartHub().status();
  }
  absl::Status Case() {
    // One case of a theatre after the other: the agent goes on in its folder and closes each.
    CaseRun run(rig_, {1,
                       absl::StrCat("sim:cord?seed=1&seconds=", arguments_.case_seconds),
                       arguments_.plan,
                       arguments_.speed,
                       {"--new-case"},
                       ""});
    const Duration began = Uptime();
    const CpuTimes hub_before = CpuTimesOf(rig_.hub());
    agent_times_ = CpuTimes();
    RETURN_IF_ERROR(run.Begin());
    while (run.agent().running()) {
      SleepFor(kSampleInterval);
      if (stopped) return absl::CancelledError("stopped");
      Sample(run.agent());
    }
    NoteSpeed((Uptime() - began).seconds(), hub_before);
    RETURN_IF_ERROR(run.Finish(Duration::Seconds(120)));
    RETURN_IF_ERROR(CheckClosed(run));
    // A case that somebody follows is not purged.
    RETURN_IF_ERROR(ProveOnHub(run.case_id().Hex()));
    run.EndFollower();
    state_.Add("records", run.follower().records().size());
    state_.Add("cases", 1);
    ++cases_;
    return TakeArchives();
  }
  // The last cases leave, too.
  absl::Status End() {
    absl::Status taken;
    if (!Eventually(kLongestPurge, [&] {
          taken = TakeArchives();
          return !taken.ok() || purged_ == cases_;
        })) {
      return absl::DeadlineExceededError(
          absl::StrCat(purged_, " of ", cases_, " cases were purged:\n", rig_.hub().Log()));
    }
    RETURN_IF_ERROR(taken);
    ASSIGN_OR_RETURN(const int code, rig_.StopHub());
    if (code != 0) return absl::InternalError(absl::StrCat("the hub ended with ", code));
    return absl::OkStatus();
  }

 private:
  // `remora verify` of a case, or of a file.
  absl::Status Prove(const std::string& what) {
    const Finished proved = rig_.Remora("reader", {"verify", what});
    if (proved.exit_code == 0) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat("verify ", what, ": ", proved.output, " ", proved.errors));
  }
  // What is recorded of people who leave is signed a minute later at most.
  absl::Status ProveOnHub(const std::string& case_id) {
    absl::Status proved;
    Eventually(kLongestSigning, [&] {
      proved = Prove(case_id);
      if (!proved.ok()) SleepFor(kSampleInterval);
      return proved.ok();
    });
    return proved;
  }
  // Proves what was archived and purged since, and takes it away: two hours are many gigabytes.
  absl::Status TakeArchives() {
    const std::vector<std::string> lines = absl::StrSplit(ReadAll(rig_.Path("hub.log")), '\n');
    for (const std::string& line : lines) {
      const size_t at = line.find(" archive=");
      if (line.find(" case-not-purged ") != std::string::npos) return absl::InternalError(line);
      if (at == std::string::npos || line.find(" case-purged ") == std::string::npos) continue;
      const std::string name = line.substr(at + 9, line.find(' ', at + 9) - at - 9);
      const std::string path = rig_.Path("archive/" + name);
      if (!std::filesystem::exists(path)) continue;
      RETURN_IF_ERROR(Prove(path));
      std::filesystem::remove(path);
      state_.Add("purged", 1);
      ++purged_;
    }
    // Of a spool too, what is certified may go.
    for (const auto& entry : std::filesystem::directory_iterator(rig_.Path("agent-1.spool"))) {
      if (entry.path().filename().string().rfind("done-", 0) == 0) {
        std::filesystem::remove_all(entry.path());
      }
    }
    state_.json()["journal_mebibytes"] =
        std::filesystem::file_size(rig_.journal_path()) / (1 << 20);
    return absl::OkStatus();
  }
  absl::Status CheckClosed(CaseRun& run) {
    if (run.follower().gaps() + run.follower().duplicates() + run.follower().disorder() > 0) {
      return absl::InternalError("the follower's case has gaps, doubles or disorder");
    }
    if (run.follower().records().size() != run.follower().last_seq()) {
      return absl::DataLossError("the follower's case is not dense");
    }
    ASSIGN_OR_RETURN(const v1::CaseSummary summary,
                     run.client().FindCase(run.case_id().Hex(), Duration::Seconds(10)));
    if (summary.stage() != v1::CASE_STAGE_CLOSED && summary.stage() != v1::CASE_STAGE_SEALED) {
      return absl::InternalError(absl::StrCat("the case is ", v1::CaseStage_Name(summary.stage())));
    }
    return absl::OkStatus();
  }

  // How long the slowest case took, and why.
  void NoteSpeed(double seconds, const CpuTimes& hub_before) {
    state_.json()["case_seconds"].push_back(std::round(seconds));
    nlohmann::json& slowest = state_.json()["slowest_case"];
    if (slowest.is_object() && slowest["seconds"].get<double>() >= seconds) return;
    const CpuTimes hub = CpuTimesOf(rig_.hub());
    slowest = {{"seconds", seconds},
               {"hub_ran_s", hub.ran_s - hub_before.ran_s},
               {"hub_waited_s", hub.waited_s - hub_before.waited_s},
               {"agent_ran_s", agent_times_.ran_s},
               {"agent_waited_s", agent_times_.waited_s}};
  }

  void Sample(const Process& agent) {
    // A thread that has ended takes its times with it.
    const CpuTimes now = CpuTimesOf(agent);
    agent_times_ = {std::max(agent_times_.ran_s, now.ran_s),
                    std::max(agent_times_.waited_s, now.waited_s)};
    // An agent runs for one case: what grows would show from case to case.
    nlohmann::json& most = state_.json()["agent_most_mebibytes"];
    if (most.size() <= state_.Count("cases")) most.push_back(0);
    most.back() = std::max(most.back().get<double>(), Mebibytes(agent));
    state_.json()["agent_most_descriptors"] =
        std::max(state_.Count("agent_most_descriptors"), Descriptors(agent));
    const double seconds = (Uptime() - began_).seconds();
    state_.Add("sampled_seconds", 1);
    if (cases_ < kWarmUpCases) return;
    state_.json()["samples"].push_back(
        {state_.Count("segments"), std::round(seconds), Mebibytes(rig_.hub())});
    const uint64_t descriptors = Descriptors(rig_.hub());
    if (!state_.json().contains("descriptors_first"))
      state_.json()["descriptors_first"] = descriptors;
    state_.json()["descriptors_last"] = descriptors;
  }

  const Arguments& arguments_;
  RunState& state_;
  const Duration began_ = Uptime();
  Rig rig_{1};
  CpuTimes agent_times_;  // of this case's
  int cases_ = 0;
  int purged_ = 0;
};

MemorySlope SlopeOf(const RunState& state) {
  MemorySlope slope;
  for (const auto& sample : state.json().value("samples", nlohmann::json::array())) {
    slope.Add({sample[0].get<int>(), sample[1].get<double>(), sample[2].get<double>()});
  }
  return slope;
}

uint64_t DescriptorGrowth(const RunState& state) {
  const uint64_t first = state.Count("descriptors_first"), last = state.Count("descriptors_last");
  return last > first ? last - first : 0;
}

bool Passed(const RunState& state, const Arguments& arguments) {
  return state.findings() == 0 && state.Count("cases") > 0 &&
         static_cast<double>(state.Count("sampled_seconds")) >= arguments.seconds &&
         state.Count("purged") + state.Count("cut_off") == state.Count("cases") &&
         SlopeOf(state).MebibytesPerHour() < arguments.most_mebibytes_an_hour &&
         DescriptorGrowth(state) <= kDescriptorSlack;
}

// Of the first case, and the most of any.
nlohmann::json AgentPeaks(const RunState& state) {
  const auto most = state.json().value("agent_most_mebibytes", std::vector<double>());
  if (most.empty()) return nlohmann::json::array();
  return {most.front(), *std::max_element(most.begin(), most.end())};
}

void PrintSummary(const RunState& state) {
  const MemorySlope slope = SlopeOf(state);
  const nlohmann::ordered_json summary = {
      {"run", "soak"},
      {"seconds", state.Count("sampled_seconds")},
      {"cases", state.Count("cases")},
      {"purged", state.Count("purged")},
      {"cut_off", state.Count("cut_off")},
      {"segments", state.Count("segments")},
      {"case_seconds_median",
       Quantile(state.json().value("case_seconds", std::vector<double>()), 0.5)},
      {"slowest_case", state.json().value("slowest_case", nlohmann::json())},
      {"records", state.Count("records")},
      {"journal_mebibytes", state.Count("journal_mebibytes")},
      {"agent_most_mebibytes", AgentPeaks(state)},
      {"agent_most_descriptors", state.Count("agent_most_descriptors")},
      {"findings", state.findings()},
      {"memory_samples", slope.samples()},
      {"memory_mebibytes_per_hour", slope.MebibytesPerHour()},
      {"descriptors_first", state.Count("descriptors_first")},
      {"descriptors_last", state.Count("descriptors_last")}};
  std::cout << summary.dump() << std::endl;
}

absl::Status SoakCases(const Arguments& arguments, RunState& state) {
  SoakRun run(arguments, state);
  RETURN_IF_ERROR(run.Start());
  while (!stopped && static_cast<double>(state.Count("sampled_seconds")) < arguments.seconds) {
    RETURN_IF_ERROR(run.Case());
    RETURN_IF_ERROR(state.Save());
    std::cerr << state.Count("cases") << " cases, " << state.Count("sampled_seconds") << " s\n";
  }
  if (stopped) return absl::CancelledError("stopped");
  return run.End();
}

absl::StatusOr<int> Soak(const Arguments& arguments, RunState& state) {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopped = 1; });
  if (const absl::Status soaked = SoakCases(arguments, state); !soaked.ok() && !stopped) {
    state.AddFinding(std::string(soaked.message()));
  }
  RETURN_IF_ERROR(state.Save());
  PrintSummary(state);
  if (stopped) std::cerr << "stopped: the same command goes on\n";
  return Passed(state, arguments) ? 0 : 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Case after case through one hub. Stop it and start it again: it goes on from its "
      "state with a new hub. The last line is a summary in JSON; exit code 1: a case was "
      "not whole, not proved or not purged, memory or descriptors grew.",
      "remora-soak-run");
  app.add_option("--seconds", arguments.seconds, "of soaking, those of the state included");
  app.add_option("--case-seconds", arguments.case_seconds, "length of a case, simulated");
  app.add_option("--most", arguments.most_mebibytes_an_hour, "growth that passes, in MiB/h");
  return RunMain(app, argc, argv, arguments,
                 [&](RunState& state) { return Soak(arguments, state); });
}

}  // namespace
}  // namespace remora::testing

int main(int argc, char** argv) { return remora::testing::Main(argc, argv); }
