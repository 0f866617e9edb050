// A few hundred losses of power, and defects planted on purpose that they must find. The long run
// is remora-power-cuts (docs/testing.md).
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hub/journal/sqlite/testing/journal_bench.h"
#include "tests/power/journal_history.h"
#include "tests/power/spool_history.h"

namespace remora::power {
namespace {

using Plant = CrashDisk::Plant;

// Prints the counters; every kind of boundary must have been met.
void ExpectEachKind(const std::vector<std::string>& kinds, const Counters& counters) {
  for (const auto& [name, count] : counters) std::cout << name << ": " << count << "\n";
  for (const std::string& kind : kinds) EXPECT_GT(counters.count(kind), 0u) << kind;
}

TEST(SpoolPowerCuts, LoseAndDoubleNothingThatWasAccepted) {
  Counters counters;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SpoolHistory history({.seed = seed}, counters);
    ASSERT_EQ(history.Run(), "");
  }
  ExpectEachKind(SpoolHistory::Kinds(), counters);
}

struct Planted {
  const char* name;
  Plant plant;
  const char* path_part;
};
void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

// Runs histories with the defect until one finds it, and says after how many cuts.
void ExpectFound(const Planted& planted, uint64_t most, const std::string& cuts,
                 const std::function<std::string(const HistoryOptions&, Counters&)>& run) {
  Counters counters;
  std::string finding;
  for (uint64_t seed = 1; seed <= most && finding.empty(); ++seed) {
    HistoryOptions options{.seed = seed};
    options.plant = planted.plant;
    options.plant_part = planted.path_part;
    finding = run(options, counters);
  }
  std::cout << "after " << counters[cuts] << " cuts: " << finding << "\n";
  EXPECT_NE(finding, "");
}

class SpoolPlantedDefect : public testing::TestWithParam<Planted> {};

TEST_P(SpoolPlantedDefect, IsFound) {
  ExpectFound(GetParam(), 40, "spool: cuts", [](const HistoryOptions& options, Counters& counters) {
    return SpoolHistory(options, counters).Run();
  });
}

INSTANTIATE_TEST_SUITE_P(
    Power, SpoolPlantedDefect,
    testing::Values(Planted{"LostSyncOfControl", Plant::kLostSync, "/control-"},
                    Planted{"LostSyncOfBlocks", Plant::kLostSync, "/block-"},
                    Planted{"LostSyncOfTheOrigin", Plant::kLostSync, "/origin"},
                    Planted{"ControlWrittenAfterItsSync", Plant::kSwappedWrite, "/control-"},
                    Planted{"BlocksWrittenAfterTheirSync", Plant::kSwappedWrite, "/block-"},
                    Planted{"CaseDirectoryNotSynced", Plant::kLostDirectorySync, "/case-"},
                    Planted{"FolderNotSynced", Plant::kLostDirectorySync, "/spool"},
                    Planted{"AboveTheFolderNotSynced", Plant::kLostDirectorySync, "/var"}),
    [](const auto& planted) { return std::string(planted.param.name); });

TEST(JournalPowerCuts, LoseAndDoubleNothingThatWasAccepted) {
  const hub::sqlite::ScratchDirectory directory(hub::sqlite::ScratchDirectory::kMemory);
  Counters counters;
  for (uint64_t seed = 1; seed <= 33; ++seed) {
    HistoryOptions options;
    options.seed = seed;
    options.cuts = 7;
    ASSERT_EQ(JournalHistory(options, directory.File(""), counters).Run(), "");
  }
  ExpectEachKind(JournalHistory::Kinds(), counters);
}

class JournalPlantedDefect : public testing::TestWithParam<Planted> {};

TEST_P(JournalPlantedDefect, IsFound) {
  const hub::sqlite::ScratchDirectory directory(hub::sqlite::ScratchDirectory::kMemory);
  ExpectFound(GetParam(), 200, "journal: cuts",
              [&](const HistoryOptions& options, Counters& counters) {
                return JournalHistory(options, directory.File(""), counters).Run();
              });
}

INSTANTIATE_TEST_SUITE_P(
    Power, JournalPlantedDefect,
    testing::Values(Planted{"LostSyncOfTheLog", Plant::kLostSync, "live.db-wal$"},
                    Planted{"LostSyncOfTheFile", Plant::kLostSync, "live.db$"},
                    Planted{"LogWrittenAfterItsSync", Plant::kSwappedWrite, "live.db-wal$"},
                    Planted{"FileWrittenAfterItsSync", Plant::kSwappedWrite, "live.db$"},
                    Planted{"DirectoryNotSynced", Plant::kLostDirectorySync, ""}),
    [](const auto& planted) { return std::string(planted.param.name); });

}  // namespace
}  // namespace remora::power
