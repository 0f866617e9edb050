#pragma once

// One seed, run: agents, hub, readers, liars, disks and network in one thread, in virtual time.
//
//   active: work and faults  -->  faults end, work ends  -->  settles  -->  checks
//     --> aftermath: cases that are over leave the hub while others go on  -->  settles  --> checks
//
// While it settles everything must become live, acknowledged and shown within kSettleLimit of
// virtual time, and the time that the slowest link needs for it. Sequence-bound.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/counters.h"
#include "tests/simulation/hub_process.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/silences.h"

namespace remora::simulation {

// Two links' longest back-offs and time-outs, a follow's longest retry. What the slowest link needs
// for all that there is comes on top of it.
inline constexpr Duration kSettleLimit = Duration::Seconds(150);
// Far beyond the busiest world: a loop that does not end is a finding too.
inline constexpr uint64_t kMaxEvents = 4'000'000;

struct RunOptions {
  uint64_t seed = 1;
  Planted planted = Planted::kNone;
  // Called with each line of the event log, if set.
  std::function<void(const std::string&)> log;
};

struct Report {
  uint64_t seed = 0;
  // Empty: nothing found.
  std::string finding;
  Counters counters;
  uint64_t events = 0;
  // Of what each participant was given, and when: equal for equal runs.
  uint64_t fingerprint = 0;
  Duration virtual_time;
};

Report RunSeed(const RunOptions& options);

class World final : public WireTap {
 public:
  explicit World(const RunOptions& options);
  ~World() override;

  Report Run();

  void OnUp(const Connection& connection, absl::string_view up) override;
  void OnDown(const Connection& connection, absl::string_view down) override;
  void OnClientRead(const Connection& connection) override;
  void OnHubRead(const Connection& connection, absl::string_view up) override;
  void Fail(const std::string& what) override;

 private:
  void Build();
  bool Ok() const { return finding_.empty(); }
  // Runs events until then, checking now and then.
  void RunTo(Duration end);
  void CheckNow();
  void Settle();
  Duration SlowestWay() const;
  std::string Lack() const;
  void CheckEnd();
  // What the hub says of an agent's link.
  void CheckLinkState(const Oracle::Entry& entry);
  // A technologist closes what an agent cannot; the certificates, and the record itself.
  void HelpToClose();
  void CheckProofs();
  void CountEnds();
  void Finish();

  // Aftermath. What happens to the hub and its archive, and who comes back meanwhile.
  void Aftermath();
  bool PeopleLeave();
  void HitArchive(const AftermathPlan::ArchiveFault& fault);
  void VisitLate(size_t agent);
  void Visit(ReaderProcess& reader);
  void LeaveWhenDone(AgentProcess& agent);
  void RestartHub();
  // Until there is no `lack` any more.
  void SettleUntil(const std::function<std::string()>& lack);
  std::string LackOfPurges() const;
  std::string LackOfAnswers() const;
  // Nothing is purged without a proof, and what was archived stays.
  void CheckPurge(const hub::Tombstone& tombstone);
  void CheckArchives();

  // Work.
  void WorkOf(size_t agent);
  v1::Record AgentBody(size_t agent, uint32_t lane);
  void Talk();
  v1::Record ReaderBody(const ReaderProcess& reader);

  // Faults.
  void Hit(const Fault& fault);
  void HitHub(const Fault& fault);
  void HitJournal(const Fault& fault);
  void HitAgent(const Fault& fault);
  void HitReader(const Fault& fault);
  void HitLink(const Fault& fault);
  void HitClock(const Fault& fault);
  void EndFaults();
  ClientPort& PortOf(uint64_t target);
  LinkWatch* WatchOf(const ClientPort& port, ParticipantLink** link);

  const RunOptions options_;
  const WorldPlan plan_;
  EventLoop loop_;
  Counters counters_;
  std::string finding_;
  std::unique_ptr<Oracle> oracle_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<HubProcess> hub_;
  std::vector<std::unique_ptr<AgentProcess>> agents_;
  std::vector<std::unique_ptr<ReaderProcess>> readers_;
  std::vector<std::unique_ptr<LiarProcess>> liars_;
  const std::unique_ptr<Random> work_random_;
  bool working_ = true;
  // Cases that are over and left to themselves, who was in them, and what was purged as what.
  std::set<CaseId> over_;
  std::set<const void*> gone_;
  std::map<CaseId, hub::Tombstone> tombstones_;
  // What a participant's clock said when the hub read a probe of it.
  std::map<std::pair<const ClientPort*, int64_t>, DeviceTime> probed_at_;
  std::map<const ClientPort*, Silences> silences_;  // of agents and readers
  uint64_t fingerprint_ = 0;
};

}  // namespace remora::simulation
