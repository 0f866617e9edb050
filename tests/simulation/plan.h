#pragma once

// The world that a seed stands for: who is in it, over which links, what goes wrong and when.
// A pure function of the seed.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/agent_process.h"
#include "tests/simulation/liar_process.h"
#include "tests/simulation/reader_process.h"
#include "tests/simulation/simulated_journal.h"

namespace remora::simulation {

enum class FaultKind {
  // The hub.
  kHubCrash,
  kHubMachineLost,
  kHubPause,
  kJournalFull,
  kJournalError,
  kJournalSlow,
  kJournalReadsFail,
  kJournalBackup,
  kJournalGoesBack,
  // An agent.
  kAgentCrash,
  kAgentPowerCut,
  kAgentPause,
  kSpoolDiskFull,
  kSpoolWriteError,
  kSpoolSyncError,
  kRepeatedJoin,
  // A reader.
  kReaderCrash,
  kReaderPause,
  kReaderStops,
  kReaderSlow,
  // Anybody's link.
  kCut,
  kHalfOpen,
  kHalfOpenUp,
  kHalfOpenDown,
  kStandsStill,
  // Anybody's clock.
  kClockStep10Min,
  kClockStepDay,
  kLeapSmear,
  kFaults,
};
const char* FaultName(FaultKind kind);
// The names of all counters that count a fault.
std::vector<std::string> FaultClasses();

struct Fault {
  FaultKind kind = FaultKind::kCut;
  Duration at;
  Duration length;
  // Whom it hits: taken modulo those who can be hit.
  uint64_t target = 0;
  uint64_t detail = 0;
};

struct AgentWork {
  // Mean time between two records.
  Duration interval;
  // Out of 100, by lane.
  int weights[6] = {5, 10, 20, 25, 20, 20};
  int padding_samples = 32;
  int traces = 3;
  bool closes = false;
  // Zero: when faults have ended.
  Duration closes_at;
};

// When all is settled: cases that are over leave the hub while others go on.
struct AftermathPlan {
  bool likes = false;  // also where no case goes on
  Duration length;
  Duration keep_closed;
  std::vector<Fault> faults;  // of hub and journal
  // Of the archive's disk: the next write or sync that fails, or for how long it is full.
  struct ArchiveFault {
    Duration at;
    Duration full_for;  // zero: a call fails
    bool at_sync = false;
  };
  std::vector<ArchiveFault> archive_faults;
  uint64_t seed = 0;
};

struct WorldPlan {
  uint64_t seed = 0;
  Duration active;
  SimulatedClock::Plan hub_clock;
  SimulatedJournal::Plan journal;
  std::vector<AgentProcess::Plan> agents;
  std::vector<AgentWork> work;  // by agent
  // The second agent claims the theatre of the first.
  bool rival = false;
  std::vector<ReaderProcess::Plan> readers;
  Duration talk_interval;
  std::vector<LiarProcess::Plan> liars;
  std::vector<Fault> faults;
  AftermathPlan aftermath;
  bool uses_traces = false;
};

WorldPlan DrawPlan(uint64_t seed, Planted planted);

}  // namespace remora::simulation
