// remora-power-cuts: losses of power by the thousand, of the agent's spool and the hub's journal
// (docs/testing.md). Goes on where its state file says that it was; a finding names its seed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "tests/power/journal_history.h"
#include "tests/power/spool_history.h"

namespace remora::power {
namespace {

struct Options {
  uint64_t seed = 1;
  uint64_t count = 10'000;
  std::string resume;
  std::string only;
  int lives_a_failing_sync = HistoryOptions().lives_a_failing_sync;
  uint64_t require_each = 0;
};

// Each kind of boundary at which power can go, by its counter.
constexpr const char* kBoundaries[] = {
    "journal: a page is moved into the file",
    "journal: after the file's sync",
    "journal: after the log's sync, before the answer",
    "journal: before the file's sync",
    "journal: before the log's sync",
    "journal: close",
    "journal: disk full",
    "journal: during a write to the log",
    "journal: recovery",
    "journal: the file is made",
    "journal: the log begins anew",
    "spool: a file is made",
    "spool: a file is shed",
    "spool: acknowledgements are noted",
    "spool: after sync, before the answer",
    "spool: between write and sync",
    "spool: disk full",
    "spool: during an append",
    "spool: folder, origin, case made or done",
    "spool: its directory is synced",
    "spool: recovery",
    "spool: the case is closed",
    "spool: the note of what is shed",
};

// The state is saved after so many seeds.
constexpr uint64_t kSeedsASave = 5;

// A line each: "NAME: NUMBER".
void Load(const std::string& path, Counters* counters) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.rfind(": ");
    if (colon == std::string::npos) continue;
    (*counters)[line.substr(0, colon)] = std::strtoull(line.c_str() + colon + 2, nullptr, 10);
  }
}

void Print(const Counters& counters, std::ostream& out) {
  for (const auto& [name, count] : counters) out << name << ": " << count << "\n";
}

void Save(const std::string& path, const Counters& counters) {
  if (path.empty()) return;
  {
    std::ofstream file(path + ".new");
    Print(counters, file);
  }
  std::rename((path + ".new").c_str(), path.c_str());
}

uint64_t Cuts(Counters& counters) { return counters["spool: cuts"] + counters["journal: cuts"]; }

void Report(const std::string& finding, const char* part, const HistoryOptions& history,
            Counters* counters) {
  if (finding.empty()) return;
  ++(*counters)["findings"];
  std::cout << finding << "\n  again: remora-power-cuts --count 1 --only " << part << " --seed "
            << history.seed << " --lives-a-failing-sync " << history.lives_a_failing_sync << "\n"
            << std::flush;
}

// False, and says which, where a kind of boundary was cut too seldom, or one that is cut is not in
// the list.
bool IsEachCut(Counters& counters, uint64_t times) {
  bool each = true;
  uint64_t listed = 0;
  for (const char* boundary : kBoundaries) {
    const uint64_t cuts = counters[boundary];
    listed += cuts;
    if (cuts >= times) continue;
    each = false;
    std::cout << boundary << ": cut " << cuts << " times of " << times << "\n";
  }
  if (listed == Cuts(counters)) return each;
  std::cout << Cuts(counters) - listed << " cuts are of a kind that is not listed\n";
  return false;
}

int Run(const Options& options) {
  char directory[] = "/tmp/remora-power-XXXXXX";
  if (mkdtemp(directory) == nullptr) return 2;
  Counters counters;
  counters["next seed"] = options.seed;
  if (!options.resume.empty()) Load(options.resume, &counters);
  while (Cuts(counters) < options.count) {
    const uint64_t seed = counters["next seed"]++;
    HistoryOptions history;
    history.seed = seed;
    history.lives_a_failing_sync = options.lives_a_failing_sync;
    if (options.only != "journal") {
      Report(SpoolHistory(history, counters).Run(), "spool", history, &counters);
    }
    if (options.only != "spool") {
      Report(JournalHistory(history, directory, counters).Run(), "journal", history, &counters);
    }
    if (seed % kSeedsASave == 0) Save(options.resume, counters);
  }
  Save(options.resume, counters);
  Print(counters, std::cout);
  std::remove((std::string(directory) + "/live.db.lock").c_str());
  std::remove(directory);
  const bool each = options.require_each == 0 || IsEachCut(counters, options.require_each);
  return each && counters["findings"] == 0 ? 0 : 1;
}

}  // namespace
}  // namespace remora::power

int main(int argc, char** argv) {
  remora::power::Options options;
  CLI::App app{
      "Cuts the power of spool and journal, and compares what is found with what was promised"};
  app.add_option("--seed", options.seed, "the first seed");
  app.add_option("--count", options.count, "cuts in all");
  app.add_option("--resume", options.resume, "a file to go on from, and to keep the counters in");
  app.add_option("--only", options.only, "spool or journal")
      ->check(CLI::IsMember({"spool", "journal"}));
  app.add_option("--require-each", options.require_each,
                 "fails unless each kind of boundary was cut so often");
  app.add_option("--lives-a-failing-sync", options.lives_a_failing_sync,
                 "of so many lives one has a sync that fails; 1: every one")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return remora::power::Run(options);
}
