#include "tests/simulation/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace remora::simulation {
namespace {

constexpr const char* kFaultNames[] = {"hub killed",
                                       "hub lost with its machine",
                                       "hub paused",
                                       "journal full",
                                       "journal error",
                                       "journal slow",
                                       "journal reads fail",
                                       "journal backed up",
                                       "journal goes back",
                                       "agent killed",
                                       "agent loses its power",
                                       "agent paused",
                                       "spool's disk full",
                                       "spool's write fails",
                                       "spool's sync fails",
                                       "join repeated",
                                       "reader killed",
                                       "reader paused",
                                       "reader stops reading",
                                       "reader reads slowly",
                                       "connection cut",
                                       "half open",
                                       "half open upwards",
                                       "half open downwards",
                                       "network stands still",
                                       "clock steps by 10 min",
                                       "clock steps by a day",
                                       "leap second smeared"};
static_assert(std::size(kFaultNames) == static_cast<size_t>(FaultKind::kFaults));

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(MakeSeededRandom(seed)) {}
  uint64_t Below(uint64_t bound) { return random_->Below(bound); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  Duration Between(Duration low, Duration high) {
    return low + Duration::Nanoseconds(static_cast<int64_t>(
                     Below(static_cast<uint64_t>((high - low).nanoseconds()) + 1)));
  }
  template <typename T, size_t n>
  T Pick(const T (&values)[n]) {
    return values[Below(n)];
  }
  Random& random() { return *random_; }

 private:
  const std::unique_ptr<Random> random_;
};

SimulatedClock::Plan DrawClock(Draw& draw) {
  SimulatedClock::Plan plan;
  plan.uptime = draw.Between(Duration::Seconds(1), Duration::Seconds(1'000'000));
  plan.drift_ppb = static_cast<int64_t>(draw.Below(200'001)) - 100'000;
  // Most clocks are kept; some are wrong by a day.
  const Duration wrong = draw.OneIn(8)   ? Duration::Seconds(86'400)
                         : draw.OneIn(4) ? Duration::Seconds(600)
                                         : Duration::Milliseconds(50);
  plan.wall_offset = draw.Between(Duration() - wrong, wrong);
  plan.boot_id = 1 + draw.Below(1'000'000'000);
  return plan;
}

LinkPlan DrawLink(Draw& draw) {
  LinkPlan plan;
  plan.latency = draw.Between(Duration::Microseconds(50), Duration::Milliseconds(40));
  if (draw.OneIn(6)) plan.latency = draw.Between(plan.latency, Duration::Milliseconds(400));
  plan.jitter = draw.OneIn(2) ? Duration() : draw.Between(Duration(), plan.latency * 3);
  const double rates[] = {12.5e6, 3e6, 250e3, 32e3};
  plan.bytes_per_second = draw.OneIn(3) ? draw.Pick(rates) : rates[0];
  const size_t buffers[] = {4096, 16'384, 65'536, 262'144};
  plan.buffer_bytes = draw.Pick(buffers);
  return plan;
}

Speaks DrawSpeaks(Draw& draw) {
  if (!draw.OneIn(6)) return Speaks::kAll;
  return draw.OneIn(2) ? Speaks::kVersion1 : Speaks::kVersion1ToHub;
}

v1::Follow DrawFollow(Draw& draw, const CaseId& case_id, uint32_t id) {
  v1::Follow follow;
  follow.set_follow_id(id);
  follow.set_case_id(case_id.ToString());
  follow.set_delivery(draw.Below(5) < 3 ? v1::DELIVERY_LIVE : v1::DELIVERY_COMPLETE);
  if (draw.OneIn(4)) {
    follow.add_lanes(0);
    for (uint32_t lane = 1; lane < kLaneCount; ++lane) {
      if (draw.OneIn(2)) follow.add_lanes(lane);
    }
  }
  if (follow.delivery() != v1::DELIVERY_LIVE) return follow;
  if (draw.OneIn(5)) follow.add_trace_ids("T0");
  const uint32_t budgets[] = {2'000, 8'000, 30'000};
  if (draw.OneIn(5)) follow.set_bulk_budget_bytes_per_second(draw.Pick(budgets));
  return follow;
}

void DrawAgents(Draw& draw, WorldPlan* plan) {
  const size_t agents = draw.OneIn(3) ? 2 : 1;
  plan->rival = agents == 2 && draw.OneIn(3);
  for (size_t i = 0; i < agents; ++i) {
    AgentProcess::Plan agent;
    agent.name = absl::StrCat("agent-", i + 1);
    agent.theatre = absl::StrCat("OR ", plan->rival ? 1 : i + 1);
    agent.case_id = CaseId::Draw(draw.random());
    agent.link = DrawLink(draw);
    agent.clock = DrawClock(draw);
    agent.speaks = DrawSpeaks(draw);
    agent.follows = draw.OneIn(2);
    agent.seed = plan->seed;
    agent.id = 10 + i;
    plan->agents.push_back(agent);
    AgentWork work;
    work.interval = draw.Between(Duration::Milliseconds(30), Duration::Milliseconds(200));
    if (draw.OneIn(10)) work.interval = work.interval / 8;
    work.padding_samples = draw.OneIn(4) ? 1200 : 32;
    work.traces = static_cast<int>(1 + draw.Below(5));
    work.closes = draw.OneIn(3);
    if (work.closes && draw.OneIn(2)) work.closes_at = draw.Between(Duration(), plan->active);
    plan->work.push_back(work);
  }
}

void DrawReaders(Draw& draw, WorldPlan* plan) {
  const size_t readers = 1 + draw.Below(3);
  for (size_t i = 0; i < readers; ++i) {
    ReaderProcess::Plan reader;
    reader.name = absl::StrCat("reader-", i + 1);
    const v1::Role roles[] = {v1::ROLE_NEUROPHYSIOLOGIST, v1::ROLE_NEUROPHYSIOLOGIST,
                              v1::ROLE_CENTRE, v1::ROLE_TECHNOLOGIST};
    reader.role = draw.Pick(roles);
    const size_t first = draw.Below(plan->agents.size());
    for (size_t k = 0; k < plan->agents.size(); ++k) {
      const AgentProcess::Plan& agent = plan->agents[(first + k) % plan->agents.size()];
      if (k > 0 && !draw.OneIn(2)) continue;
      reader.follows.push_back(
          DrawFollow(draw, agent.case_id, static_cast<uint32_t>(reader.follows.size() + 1)));
      plan->uses_traces |= reader.follows.back().trace_ids_size() > 0;
    }
    reader.directory = draw.OneIn(4);
    if (draw.OneIn(3)) {
      reader.screen_delay = draw.Between(Duration::Milliseconds(1), Duration::Milliseconds(150));
    }
    reader.link = DrawLink(draw);
    reader.clock = DrawClock(draw);
    reader.speaks = DrawSpeaks(draw);
    reader.seed = plan->seed;
    reader.id = 20 + i;
    plan->readers.push_back(std::move(reader));
  }
}

void DrawLiars(Draw& draw, WorldPlan* plan) {
  if (!draw.OneIn(5)) return;
  LiarProcess::Plan liar;
  liar.name = "liar";
  liar.role = draw.OneIn(3) ? v1::ROLE_AGENT : v1::ROLE_NEUROPHYSIOLOGIST;
  liar.case_id = plan->agents.front().case_id;
  // An agent that lies stands elsewhere: who claims the theatre is the rival's affair.
  liar.theatre = liar.role == v1::ROLE_AGENT ? "OR 99" : "";
  liar.link = DrawLink(draw);
  liar.interval = draw.Between(Duration::Milliseconds(20), Duration::Milliseconds(300));
  liar.seed = plan->seed;
  liar.id = 40;
  plan->liars.push_back(liar);
  // What such an agent made nobody ever knows: a person has to close the case.
  ReaderProcess::Plan& person = plan->readers.back();
  const bool at_home = person.follows.front().case_id() == liar.case_id.bytes();
  if (liar.role == v1::ROLE_AGENT && at_home) person.role = v1::ROLE_TECHNOLOGIST;
}

void DrawFaults(Draw& draw, WorldPlan* plan) {
  const uint64_t count = draw.Below(9);
  for (uint64_t i = 0; i < count; ++i) {
    Fault fault;
    fault.kind = static_cast<FaultKind>(draw.Below(static_cast<uint64_t>(FaultKind::kFaults)));
    fault.at = draw.Between(Duration(), plan->active);
    fault.length = draw.Between(Duration::Milliseconds(5), Duration::Seconds(4));
    if (draw.OneIn(4)) fault.length = draw.Between(Duration::Seconds(4), Duration::Seconds(15));
    if (plan->active > Duration::Seconds(60) && draw.OneIn(3)) {
      fault.length = draw.Between(Duration::Seconds(60), Duration::Seconds(75));
    }
    fault.target = draw.Below(1000);
    fault.detail = draw.random().Uint64();
    if (fault.kind == FaultKind::kJournalGoesBack) {
      Fault backup = fault;
      backup.kind = FaultKind::kJournalBackup;
      backup.at = draw.Between(Duration(), fault.at);
      plan->faults.push_back(backup);
    }
    plan->faults.push_back(fault);
  }
  std::stable_sort(plan->faults.begin(), plan->faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at < b.at; });
}

// Of a seed of its own: what went before is the same with and without it.
AftermathPlan DrawAftermath(uint64_t seed) {
  Draw draw(Mix(seed, 9));
  AftermathPlan plan;
  plan.seed = Mix(seed, 10);
  plan.likes = draw.OneIn(2);
  plan.length = draw.Between(Duration::Seconds(20), Duration::Seconds(50));
  plan.keep_closed = draw.Between(Duration::Milliseconds(500), Duration::Seconds(15));
  const FaultKind kinds[] = {
      FaultKind::kHubCrash,      FaultKind::kHubMachineLost,   FaultKind::kHubPause,
      FaultKind::kJournalFull,   FaultKind::kJournalError,     FaultKind::kJournalSlow,
      FaultKind::kJournalBackup, FaultKind::kJournalReadsFail, FaultKind::kJournalGoesBack};
  for (uint64_t left = draw.Below(5); left > 0; --left) {
    Fault fault;
    fault.kind = draw.Pick(kinds);
    fault.at = draw.Between(Duration(), plan.length);
    fault.length = draw.Between(Duration::Milliseconds(5), Duration::Seconds(6));
    fault.detail = draw.random().Uint64();
    plan.faults.push_back(fault);
  }
  for (uint64_t left = draw.Below(3); left > 0; --left) {
    AftermathPlan::ArchiveFault fault;
    fault.at = draw.Between(Duration(), plan.length);
    if (draw.OneIn(2)) fault.full_for = draw.Between(Duration::Seconds(1), Duration::Seconds(15));
    fault.at_sync = draw.OneIn(2);
    plan.archive_faults.push_back(fault);
  }
  return plan;
}

}  // namespace

std::vector<std::string> FaultClasses() {
  std::vector<std::string> names(std::begin(kFaultNames), std::end(kFaultNames));
  const std::vector<std::string> lies = LiarProcess::LieNames();
  names.insert(names.end(), lies.begin(), lies.end());
  for (const char* name :
       {"agent of version 1", "agent of a hub of version 1", "reader of version 1",
        "reader of a hub of version 1", "two agents in one theatre", "journal commit failed",
        "journal read failed", "crash after a commit that nobody heard of", "spool commit failed",
        "spool sheds", "messages of a connection given up still arrive", "hub killed at a purge",
        "archive's disk full", "archive's write or sync fails",
        "agent comes back to a case that is over"}) {
    names.emplace_back(name);
  }
  return names;
}

const char* FaultName(FaultKind kind) { return kFaultNames[static_cast<int>(kind)]; }

WorldPlan DrawPlan(uint64_t seed, Planted planted) {
  Draw draw(seed);
  WorldPlan plan;
  plan.seed = seed;
  plan.active = draw.Between(Duration::Seconds(3), Duration::Seconds(15));
  if (draw.OneIn(20)) plan.active = draw.Between(Duration::Seconds(70), Duration::Seconds(90));
  plan.hub_clock = DrawClock(draw);
  plan.journal.least_commit = Duration::Microseconds(50);
  plan.journal.most_commit = draw.Between(Duration::Microseconds(100), Duration::Milliseconds(30));
  plan.journal.loses_syncs = planted == Planted::kLostSync;
  DrawAgents(draw, &plan);
  DrawReaders(draw, &plan);
  plan.talk_interval = draw.Between(Duration::Milliseconds(200), Duration::Seconds(2));
  DrawLiars(draw, &plan);
  DrawFaults(draw, &plan);
  plan.aftermath = DrawAftermath(seed);
  return plan;
}

}  // namespace remora::simulation
