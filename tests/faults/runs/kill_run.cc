// kill -9 of hub or agent at random moments of case after case, as often as asked; each restart of
// the hub is timed until the first sweep that was captured after it is before a reader.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/link/limits.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "tests/faults/runs/restart_promise.h"
#include "tests/faults/runs/run_main.h"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

constexpr int kKillsOfACase = 20;
// Each so manieth kill is of the hub, and its restart is timed: after a session that counts as
// good, since the links of those that are killed each second back off.
constexpr int kTimedEach = 10;
constexpr Duration kBeforeTimed = kLongestBackOff + kGoodSession + Duration::Seconds(1);
constexpr Duration kSweepTimeout = Duration::Seconds(30);
// A hang: an agent with sanitizers takes three minutes on a busy machine.
constexpr Duration kCaseTimeout = Duration::Seconds(600);
constexpr uint32_t kSweepLane = 3;

struct Arguments : RunArguments {
  Arguments() : RunArguments(10) {}
  uint64_t kills = 1'000;
  uint64_t seed = 0;
  std::string source = "sim:cord?seed=1&seconds=600";
};

// Notes when the first sweep arrives that was made after a moment, by the wall clock that all
// processes of this machine share: a source at ten times its speed has a time of its own.
// Thread-safe.
class SweepWatch : public LinkObserver {
 public:
  explicit SweepWatch(const Clock& clock) : clock_(clock) {}
  void Arm() {
    MutexLock lock(&mutex_);
    armed_at_ = clock_.WallNow();
    seen_at_.reset();
  }
  std::optional<Duration> Took(DeviceTime since) {
    MutexLock lock(&mutex_);
    if (!seen_at_) return std::nullopt;
    return *seen_at_ - since;
  }
  void OnRecord(const DeliveredRecord& delivered) override {
    if (delivered.record.header.lane != kSweepLane) return;
    MutexLock lock(&mutex_);
    if (!armed_at_) return;
    v1::Record record;
    if (!record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size()))) {
      return;
    }
    if (record.captured_at().wall_unix_ns() < armed_at_->nanoseconds()) return;
    seen_at_ = clock_.Now();
    armed_at_.reset();
  }

 private:
  const Clock& clock_;
  Mutex mutex_;
  std::optional<WallTime> armed_at_ ABSL_GUARDED_BY(mutex_);
  std::optional<DeviceTime> seen_at_ ABSL_GUARDED_BY(mutex_);
};

class KillRun {
 public:
  KillRun(const Arguments& arguments, RunState& state)
      : arguments_(arguments), state_(state), random_(MakeSeededRandom(Seed())) {}

  // One case with up to so many kills.
  void Case(uint64_t most) {
    const uint64_t seed = Seed();
    const absl::Status whole = RunCase(most);
    state_.Add("cases", 1);
    if (!whole.ok()) {
      state_.AddFinding(
          absl::StrCat("case ", state_.Count("cases"), ", seed ", seed, ": ", whole.message()));
    }
  }

 private:
  // Each case has its own, so that it can be run again alone.
  uint64_t Seed() const { return arguments_.seed + state_.Count("cases"); }

  absl::Status RunCase(uint64_t most) {
    Rig rig(1);
    RETURN_IF_ERROR(rig.StartHub().status());
    CaseRun run(rig, {1, arguments_.source, arguments_.plan, arguments_.speed, {}, ""});
    RETURN_IF_ERROR(run.Begin());
    SweepWatch watch(*clock_);
    ASSIGN_OR_RETURN(const std::unique_ptr<reader::Client> live,
                     reader::Client::Connect(rig.Identity("theatre"), &watch));
    v1::Follow follow;
    follow.set_follow_id(1);
    follow.set_case_id(run.case_id().ToString());
    follow.set_delivery(v1::DELIVERY_LIVE);
    RETURN_IF_ERROR(live->Follow(follow));
    for (uint64_t kill = 0; kill < most; ++kill) {
      const bool timed = kill % kTimedEach == kTimedEach - 1;
      if (timed) SleepFor(kBeforeTimed);
      SleepFor(Duration::Milliseconds(200 + static_cast<int64_t>(random_->Below(1'500))));
      if (!run.agent().running()) break;
      if (timed || random_->Below(2) == 0) {
        RETURN_IF_ERROR(KillHub(rig, run, timed ? &watch : nullptr));
        state_.Add("hub_kills", 1);
      } else {
        run.agent().Kill();
        run.StartAgent();
        state_.Add("agent_kills", 1);
      }
    }
    RETURN_IF_ERROR(run.FinishWhole(kCaseTimeout));
    state_.Add("records", run.journal().size());
    return absl::OkStatus();
  }

  absl::Status KillHub(Rig& rig, CaseRun& run, SweepWatch* watch) {
    rig.KillHub();
    const DeviceTime began = clock_->Now();
    if (watch != nullptr) watch->Arm();
    RETURN_IF_ERROR(rig.StartHub().status());
    if (watch == nullptr) return absl::OkStatus();
    // An agent that ends meanwhile makes no more sweeps.
    if (!Eventually(kSweepTimeout, [&] { return watch->Took(began) || !run.agent().running(); })) {
      return absl::DeadlineExceededError("no live sweep after a restart of the hub");
    }
    if (const auto took = watch->Took(began)) {
      state_.json()["restart_ms"].push_back(std::round(took->milliseconds()));
    }
    return absl::OkStatus();
  }

  const Arguments& arguments_;
  RunState& state_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<Clock> clock_ = MakeSystemClock();
};

uint64_t Kills(const RunState& state) {
  return state.Count("hub_kills") + state.Count("agent_kills");
}

std::vector<double> Restarts(const RunState& state) {
  return state.json().value("restart_ms", std::vector<double>());
}

void PrintSummary(const RunState& state, RestartPromise promise) {
  const std::vector<double> restarts = Restarts(state);
  nlohmann::ordered_json summary = {{"run", "kills"},
                                    {"kills", Kills(state)},
                                    {"hub_kills", state.Count("hub_kills")},
                                    {"agent_kills", state.Count("agent_kills")},
                                    {"cases", state.Count("cases")},
                                    {"records", state.Count("records")},
                                    {"findings", state.findings()},
                                    {"restarts", restarts.size()},
                                    {"restart_promise", PromiseName(promise)},
                                    {"restart_to_live_sweep_ms_p50", Quantile(restarts, 0.5)},
                                    {"restart_to_live_sweep_ms_p99", Quantile(restarts, 0.99)}};
  std::cout << summary.dump() << std::endl;
}

absl::StatusOr<int> Kill(const Arguments& arguments, RunState& state) {
  while (GoesOn(arguments.kills, Kills(state), Restarts(state).size())) {
    const uint64_t before = Kills(state);
    const uint64_t left = arguments.kills > before ? arguments.kills - before : kKillsOfACase;
    KillRun(arguments, state).Case(std::min<uint64_t>(kKillsOfACase, left));
    RETURN_IF_ERROR(state.Save());
    std::cerr << Kills(state) << " kills, " << state.findings() << " findings\n";
    if (Kills(state) == before) break;  // no case came about: its finding says why
  }
  const RestartPromise promise = JudgeRestarts(arguments.kills, Restarts(state));
  PrintSummary(state, promise);
  std::cerr << "restarts within " << kLongestRestartMs << " ms: " << PromiseName(promise) << "\n";
  const bool whole = state.findings() == 0 && Kills(state) >= arguments.kills;
  return whole && promise != RestartPromise::kNotMet ? 0 : 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "kill -9 of hub or agent at random, case after case. Stop it and start it again: it "
      "goes on from its state. The last line is a summary in JSON; exit code 1: something "
      "was lost, doubled, did not come back, or not in time.",
      "remora-kill-run");
  app.add_option("--kills", arguments.kills, "how many, those of the state included");
  app.add_option("--seed", arguments.seed, "of the first case; each has the next");
  app.add_option("--source", arguments.source, "the agent's");
  return RunMain(app, argc, argv, arguments,
                 [&](RunState& state) { return Kill(arguments, state); });
}

}  // namespace
}  // namespace remora::testing

int main(int argc, char** argv) { return remora::testing::Main(argc, argv); }
