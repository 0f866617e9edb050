// World: what people and machines do in it, and what goes wrong.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/testing/record_writer.h"
#include "tests/simulation/world.h"

namespace remora::simulation {

void World::WorkOf(size_t agent) {
  const AgentWork& work = plan_.work[agent];
  const int64_t mean_ns = work.interval.nanoseconds();
  const Duration wait = Duration::Nanoseconds(
      1 + static_cast<int64_t>(work_random_->Below(static_cast<uint64_t>(2 * mean_ns))));
  loop_.After(wait, [this, agent] {
    if (!working_ || agents_[agent]->closes()) return;
    WorkOf(agent);
    int pick = static_cast<int>(work_random_->Below(100));
    uint32_t lane = 0;
    while (lane + 1 < kLaneCount && pick >= plan_.work[agent].weights[lane]) {
      pick -= plan_.work[agent].weights[lane++];
    }
    v1::Record body = AgentBody(agent, lane);
    agents_[agent]->process().Post(
        [this, agent, body = std::move(body)] { agents_[agent]->Put(body); });
  });
}

v1::Record World::AgentBody(size_t agent, uint32_t lane) {
  const AgentWork& work = plan_.work[agent];
  const auto number = static_cast<uint32_t>(1 + work_random_->Below(1'000'000));
  const std::string trace =
      absl::StrCat("T", work_random_->Below(static_cast<uint64_t>(work.traces)));
  switch (lane) {
    case 0:
      return work_random_->Below(3) == 0
                 ? MessageBody("all is well", "Agent " + plan_.agents[agent].name)
                 : AlertBody(absl::StrCat("amplitude ", number));
    case 1:
      return PhaseBody(v1::PHASE_IN_ROOM);
    case 2:
      return work_random_->Below(3) == 0
                 ? EmgActivityBody(trace, number)
                 : MeasurementBody(trace, 80, v1::MEASUREMENT_STATE_WITHIN_LIMITS);
    case 3:
      return SweepBody(trace, number, work_random_->Below(4) == 0, work.padding_samples);
    case 4:
      return EnvelopeBody(trace, number);
    default:
      return BlockBody(trace, number, work.padding_samples);
  }
}

void World::Talk() {
  const int64_t mean_ns = plan_.talk_interval.nanoseconds();
  loop_.After(Duration::Nanoseconds(1 + static_cast<int64_t>(work_random_->Below(
                                            static_cast<uint64_t>(2 * mean_ns)))),
              [this] {
                if (!working_) return;
                Talk();
                ReaderProcess& reader = *readers_[work_random_->Below(readers_.size())];
                if (work_random_->Below(6) == 0) {
                  return reader.process().Post([&reader] { reader.AskHistory(); });
                }
                v1::Record body = ReaderBody(reader);
                reader.process().Post([&reader, body = std::move(body)] { reader.Publish(body); });
              });
}

v1::Record World::ReaderBody(const ReaderProcess& reader) {
  const AgentProcess& agent = *agents_[work_random_->Below(agents_.size())];
  const v1::Place place = reader.plan().role == v1::ROLE_CENTRE         ? v1::PLACE_CENTRE
                          : reader.plan().role == v1::ROLE_TECHNOLOGIST ? v1::PLACE_THEATRE
                                                                        : v1::PLACE_READER;
  const RecordKey alert = agent.LastKey(0);
  const uint64_t kind = work_random_->Below(4);
  if (kind == 0 && alert.origin_seq > 0) {
    return ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, place, reader.display_name());
  }
  if (kind == 1 && alert.origin_seq > 0) {
    v1::Record body;
    v1::MessageReceipt* receipt = body.mutable_message_receipt();
    *receipt->mutable_message() = ToProto(alert);
    receipt->set_kind(v1::RECEIPT_KIND_READ);
    receipt->set_recipient(reader.display_name());
    return body;
  }
  if (kind == 2) return AnnotationBody("look here", reader.display_name());
  return MessageBody("how is it going?", reader.display_name());
}

void World::Hit(const Fault& fault) {
  if (!working_) return;
  context_->Log(absl::StrCat("fault: ", FaultName(fault.kind), ", ", fault.length.seconds(),
                             " s, target ", fault.target));
  if (fault.kind <= FaultKind::kHubPause || fault.kind == FaultKind::kJournalGoesBack) {
    HitHub(fault);
  } else if (fault.kind <= FaultKind::kJournalBackup) {
    HitJournal(fault);
  } else if (fault.kind <= FaultKind::kRepeatedJoin) {
    HitAgent(fault);
  } else if (fault.kind <= FaultKind::kReaderSlow) {
    HitReader(fault);
  } else if (fault.kind <= FaultKind::kStandsStill) {
    HitLink(fault);
  } else {
    HitClock(fault);
  }
}

void World::HitHub(const Fault& fault) {
  if (!hub_->is_up()) return;
  if (fault.kind == FaultKind::kHubPause) {
    counters_.Count(FaultName(fault.kind));
    return hub_->process().PauseUntil(loop_.now() + fault.length);
  }
  const bool goes_back = fault.kind == FaultKind::kJournalGoesBack;
  if (goes_back && !hub_->journal().has_backup()) return;
  counters_.Count(FaultName(fault.kind));
  hub_->Crash(fault.kind == FaultKind::kHubMachineLost, goes_back);
  CheckArchives();
  loop_.After(fault.length, [this] {
    if (!hub_->is_up()) hub_->Start();
  });
}

void World::HitJournal(const Fault& fault) {
  counters_.Count(FaultName(fault.kind));
  SimulatedJournal& journal = hub_->journal();
  const Duration until = loop_.now() + fault.length;
  switch (fault.kind) {
    case FaultKind::kJournalFull:
      return journal.FailCommitsUntil(until, absl::ResourceExhaustedError("disk full"));
    case FaultKind::kJournalError:
      return journal.FailCommitsUntil(until, absl::UnavailableError("input/output error"));
    case FaultKind::kJournalSlow:
      return journal.SlowUntil(
          until, Duration::Milliseconds(50 + static_cast<int64_t>(fault.detail % 3000)));
    case FaultKind::kJournalReadsFail:
      return journal.FailReadsUntil(
          until, fault.detail % 2 == 0 ? absl::UnavailableError("input/output error")
                                       : absl::ResourceExhaustedError("too many reads wait"));
    default:
      return journal.TakeBackup();
  }
}

void World::HitAgent(const Fault& fault) {
  AgentProcess& agent = *agents_[fault.target % agents_.size()];
  if (!agent.is_up()) return;
  if (fault.kind != FaultKind::kRepeatedJoin) counters_.Count(FaultName(fault.kind));
  switch (fault.kind) {
    case FaultKind::kAgentCrash:
    case FaultKind::kAgentPowerCut:
      agent.Crash(fault.kind == FaultKind::kAgentPowerCut);
      agent.process().PostAfter(fault.length, [&agent] { agent.Start(); });
      break;
    case FaultKind::kAgentPause:
      agent.process().PauseUntil(loop_.now() + fault.length);
      break;
    case FaultKind::kSpoolDiskFull:
      agent.FillDisk();
      loop_.After(fault.length, [&agent] { agent.FreeDisk(); });
      break;
    case FaultKind::kRepeatedJoin:
      agent.process().Post([this, &agent] {
        if (!agent.is_up() || agent.link()->state() != LinkState::kLive) return;
        if (agent.port().RepeatJoin(agent.case_id().bytes(), agent.plan().theatre)) {
          counters_.Count(FaultName(FaultKind::kRepeatedJoin));
        }
      });
      break;
    default:
      agent.FailDiskOnce(fault.kind == FaultKind::kSpoolSyncError);
  }
}

void World::HitReader(const Fault& fault) {
  ReaderProcess& reader = *readers_[fault.target % readers_.size()];
  if (!reader.is_up()) return;
  counters_.Count(FaultName(fault.kind));
  switch (fault.kind) {
    case FaultKind::kReaderCrash:
      reader.Crash(fault.detail % 2 == 0);
      reader.process().PostAfter(fault.length, [&reader] { reader.Start(); });
      break;
    case FaultKind::kReaderPause:
      reader.process().PauseUntil(loop_.now() + fault.length);
      break;
    default:
      reader.port().SetReading(
          fault.kind == FaultKind::kReaderSlow,
          Duration::Milliseconds(5 + static_cast<int64_t>(fault.detail % 300)));
      loop_.After(fault.length, [&reader] { reader.port().SetReading(true, Duration()); });
  }
}

ClientPort& World::PortOf(uint64_t target) {
  const uint64_t which = target % (agents_.size() + readers_.size());
  if (which < agents_.size()) return agents_[which]->port();
  return readers_[which - agents_.size()]->port();
}

void World::HitLink(const Fault& fault) {
  ClientPort& port = PortOf(fault.target);
  bool hit = true;
  switch (fault.kind) {
    case FaultKind::kCut:
      hit = port.Cut();
      break;
    case FaultKind::kHalfOpen:
      hit = port.Swallow(true, true);
      break;
    case FaultKind::kHalfOpenUp:
      hit = port.Swallow(true, false);
      break;
    case FaultKind::kHalfOpenDown:
      hit = port.Swallow(false, true);
      break;
    default:
      port.StandStillUntil(loop_.now() + fault.length);
  }
  if (hit) counters_.Count(FaultName(fault.kind));
}

void World::HitClock(const Fault& fault) {
  counters_.Count(FaultName(fault.kind));
  const uint64_t which = fault.target % (1 + agents_.size() + readers_.size());
  SimulatedClock& clock =
      which == 0 ? hub_->process().clock() : PortOf(which - 1).process().clock();
  const int64_t sign = fault.detail % 2 == 0 ? 1 : -1;
  switch (fault.kind) {
    case FaultKind::kClockStep10Min:
      return clock.StepWall(Duration::Seconds(600 * sign));
    case FaultKind::kClockStepDay:
      return clock.StepWall(Duration::Seconds(86'400 * sign));
    default:
      return clock.SmearLeapSecond(Duration::Seconds(20 + static_cast<int64_t>(fault.detail % 80)));
  }
}

void World::EndFaults() {
  hub_->journal().Heal();
  for (const auto& agent : agents_) {
    agent->FreeDisk();
    agent->port().Heal();
    loop_.After(Duration(),
                [agent = agent.get()] { agent->process().Post([agent] { agent->Start(); }); });
  }
  for (const auto& reader : readers_) {
    reader->port().Heal();
    reader->port().SetReading(true, Duration());
    loop_.After(Duration(),
                [reader = reader.get()] { reader->process().Post([reader] { reader->Start(); }); });
  }
  if (!hub_->is_up()) hub_->Start();
}

}  // namespace remora::simulation
