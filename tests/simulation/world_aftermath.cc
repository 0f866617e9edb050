// World: cases that are over are archived and purged while others go on, the hub and its archive
// fail, and people come back to what is there no more.

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "tests/simulation/proof.h"
#include "tests/simulation/world.h"

namespace remora::simulation {
namespace {

constexpr Duration kVisit = Duration::Seconds(3);
constexpr Duration kLook = Duration::Seconds(1);
constexpr char kNotPurged[] = "case not purged for now";
constexpr uint64_t kRoomyDiskBytes = uint64_t{1} << 40;
constexpr uint64_t kShortDiskBytes = 16 * 1024;

absl::string_view View(const std::array<uint8_t, 32>& sum) {
  return absl::string_view(reinterpret_cast<const char*>(sum.data()), sum.size());
}

}  // namespace

// Whoever is in a case that is certified goes; false: nobody does, or it is not worth it.
bool World::PeopleLeave() {
  bool others = false;
  for (const auto& agent : agents_) {
    const Oracle::Case* one = oracle_->Find(agent->case_id());
    const bool over = agent->closes() && one != nullptr && one->head() > 0 && EndOf(*one).certified;
    if (over) over_.insert(agent->case_id());
    others |= !over && !agent->retired();
  }
  if (over_.empty() || !(others || plan_.aftermath.likes)) return false;
  for (const auto& agent : agents_) {
    if (!over_.contains(agent->case_id()) && !agent->retired()) continue;
    gone_.insert(agent.get());
    agent->Leave();
  }
  for (const auto& reader : readers_) {
    for (const CaseId& case_id : over_) {
      if (!reader->asks_for(case_id)) continue;
      gone_.insert(reader.get());
      reader->Leave();
    }
  }
  return true;
}

void World::RestartHub() {
  if (hub_->is_up()) hub_->Crash(/*silently=*/false, /*back_to_backup=*/false);
  hub_->Start();
}

void World::Aftermath() {
  const AftermathPlan& plan = plan_.aftermath;
  if (!PeopleLeave()) return;
  counters_.Count("aftermath");
  context_->Log("aftermath");
  hub_->KeepArchive(plan.keep_closed);
  RestartHub();
  // What a journal goes back to has all of these cases, to their end.
  hub_->journal().TakeBackup();
  working_ = true;
  for (size_t i = 0; i < agents_.size(); ++i) {
    if (gone_.contains(agents_[i].get())) {
      if (!agents_[i]->retired()) VisitLate(i);
    } else {
      WorkOf(i);
    }
  }
  for (const auto& reader : readers_) {
    if (gone_.contains(reader.get())) Visit(*reader);
  }
  Talk();
  for (const Fault& fault : plan.faults) {
    loop_.After(fault.at, [this, &fault] { Hit(fault); });
  }
  for (const AftermathPlan::ArchiveFault& fault : plan.archive_faults) {
    loop_.After(fault.at, [this, &fault] { HitArchive(fault); });
  }
  RunTo(loop_.now() + plan.length);
  // What could not be archived or purged is tried again at once by a hub that starts.
  working_ = false;
  hub_->journal().Heal();
  hub_->files().SetFreeBytes(kRoomyDiskBytes);
  if (Ok()) RestartHub();
  uint64_t failed = counters_[kNotPurged];
  SettleUntil([this, &failed] {
    // A call of the disk that was still to fail.
    if (counters_[kNotPurged] != std::exchange(failed, counters_[kNotPurged])) RestartHub();
    const std::string lack = LackOfPurges();
    return lack.empty() ? Lack() : lack;
  });
  if (!Ok()) return;
  CheckArchives();
  for (const auto& reader : readers_) {
    if (gone_.erase(reader.get()) > 0) reader->process().Post([&reader] { reader->Start(); });
  }
  for (size_t i = 0; i < agents_.size(); ++i) {
    if (over_.contains(agents_[i]->case_id()) && !agents_[i]->retired()) {
      agents_[i]->ComeBackLate(AgentBody(i, 0));
    }
  }
  SettleUntil([this] {
    const std::string lack = LackOfAnswers();
    return lack.empty() ? Lack() : lack;
  });
  if (Ok()) CheckEnd();
}

void World::HitArchive(const AftermathPlan::ArchiveFault& fault) {
  if (!working_) return;
  if (fault.full_for > Duration()) {
    counters_.Count("archive's disk full");
    hub_->files().SetFreeBytes(work_random_->Below(kShortDiskBytes));
    loop_.After(fault.full_for, [this] { hub_->files().SetFreeBytes(kRoomyDiskBytes); });
    return;
  }
  counters_.Count("archive's write or sync fails");
  if (fault.at_sync) {
    hub_->files().FailSync(1, FakeFileSystem::Failure::kIoError);
  } else {
    hub_->files().FailAppend(1, FakeFileSystem::Failure::kIoError);
  }
}

// With a record that the hub has never seen: the case may be there, be purged just now, or be gone.
void World::VisitLate(size_t agent) {
  const auto length_ns = static_cast<uint64_t>(plan_.aftermath.length.nanoseconds());
  const Duration at = Duration::Nanoseconds(static_cast<int64_t>(work_random_->Below(length_ns)));
  const uint32_t lanes[] = {0, 3, 5};
  v1::Record body = AgentBody(agent, lanes[work_random_->Below(3)]);
  AgentProcess* late = agents_[agent].get();
  loop_.After(at, [this, late, body = std::move(body)] {
    if (!working_) return;
    late->process().Post([this, late, body] {
      counters_.Count("agent comes back to a case that is over");
      late->ComeBackLate(body);
      LeaveWhenDone(*late);
    });
  });
}

void World::LeaveWhenDone(AgentProcess& agent) {
  agent.process().PostAfter(kVisit, [this, &agent] {
    if (!agent.is_up()) return;
    if (!agent.Lack().empty() && agent.told_archived().empty()) return LeaveWhenDone(agent);
    if (const std::string wrong = agent.CheckLate(); !wrong.empty()) return Fail(wrong);
    agent.Leave();
  });
}

void World::Visit(ReaderProcess& reader) {
  if (work_random_->Below(2) == 0) return;
  const auto length_ns = static_cast<uint64_t>(plan_.aftermath.length.nanoseconds());
  const Duration at = Duration::Nanoseconds(static_cast<int64_t>(work_random_->Below(length_ns)));
  loop_.After(at, [this, &reader] {
    if (!working_) return;
    counters_.Count("reader comes back to a case that is over");
    reader.process().Post([&reader] { reader.Start(); });
    loop_.After(kVisit, [&reader] { reader.process().Post([&reader] { reader.Leave(); }); });
  });
}

std::string World::LackOfPurges() const {
  for (const auto& agent : agents_) {
    if (gone_.contains(agent.get()) && agent->is_up())
      return agent->plan().name + " does not leave";
  }
  for (const auto& reader : readers_) {
    if (gone_.contains(reader.get()) && reader->is_up())
      return reader->plan().name + " does not leave";
  }
  for (const CaseId& case_id : over_) {
    if (oracle_->Find(case_id)->purged) continue;
    return absl::StrCat("case ", case_id.Hex().substr(0, 6), " is over and not purged");
  }
  return "";
}

std::string World::LackOfAnswers() const {
  for (const CaseId& case_id : over_) {
    const std::string& archive = tombstones_.at(case_id).archive;
    for (const auto& reader : readers_) {
      if (!reader->asks_for(case_id)) continue;
      if (!absl::StrContains(reader->told_archived(case_id), archive)) {
        return reader->plan().name + " is not told where the case is that it asks for";
      }
    }
    for (const auto& agent : agents_) {
      if (agent->case_id() != case_id || agent->retired()) continue;
      if (!absl::StrContains(agent->told_archived(), archive)) {
        return agent->plan().name + " is not told that its case takes nothing more";
      }
      if (std::string wrong = agent->CheckLate(); !wrong.empty()) return wrong;
    }
  }
  return "";
}

void World::CheckPurge(const hub::Tombstone& tombstone) {
  counters_.Count("check: purged with its proof");
  const std::string name = "case " + tombstone.case_id.Hex().substr(0, 6);
  const Oracle::Case& one = *oracle_->Find(tombstone.case_id);
  context_->Log(absl::StrCat(name, " is purged, ", one.head(), " records"));
  if (!over_.contains(tombstone.case_id)) Fail(name + " is purged, and is not over");
  if (!EndOf(one).certified) Fail(name + " is purged without a certificate");
  if (one.head() != tombstone.last_seq) Fail(name + " is purged with more than was archived");
  const VerifyReport report = Verify(tombstone.case_id, one, hub_->record_key());
  if (!report.ok() || !report.IsWhole()) Fail(name + " is purged and does not prove itself");
  tombstones_[tombstone.case_id] = tombstone;
  CheckArchives();
  if (work_random_->Below(4) != 0) return;
  // Before, or just after, the hub hears of it.
  loop_.After(Duration(), [this] {
    if (!hub_->is_up()) return;
    counters_.Count("hub killed at a purge");
    hub_->Crash(/*silently=*/false, /*back_to_backup=*/false);
    loop_.After(kLook, [this] {
      if (!hub_->is_up()) hub_->Start();
    });
  });
}

void World::CheckArchives() {
  for (const auto& [case_id, tombstone] : tombstones_) {
    const Oracle::Case& one = *oracle_->Find(case_id);
    if (!one.purged) continue;
    counters_.Count("check: archive is the record");
    const auto file = hub_->files().OpenRead(HubProcess::ArchivePath(tombstone.archive));
    const auto bytes = file.ok() ? (*file)->ReadAt(0, (*file)->size())
                                 : absl::StatusOr<std::string>(file.status());
    const std::string expected = ArchiveOf(case_id, one, hub_->record_key());
    Sha256 sum;
    sum.Add(expected);
    if (!bytes.ok() || *bytes != expected || View(sum.Finish()) != View(tombstone.archive_sha256)) {
      Fail(absl::StrCat("case ", case_id.Hex().substr(0, 6),
                        " was purged, and its archive does not hold it"));
    }
  }
}

}  // namespace remora::simulation
