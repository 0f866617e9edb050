// A real recording whose truth is known, from the file to the alert:
// ../shared/data/hybrid_sep_alarm through the plan that ships (plans/hybrid_sep.plan).
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/sources/open.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

constexpr double kTrueN20Ms = 19.42;
constexpr double kAmplitudeTolerancePoints = 6;
constexpr double kLatencyToleranceMs = 0.6;
constexpr char kAmplitudeKey[] = "SEP.amp_abs";

std::string SourceFolder() {
  const char* folder = std::getenv("REMORA_SOURCE_DIR");
  return folder != nullptr ? folder : ".";
}

std::string DataFolder() {
  const char* folder = std::getenv("REMORA_DATA");
  return folder != nullptr ? folder : SourceFolder() + "/../shared/data";
}

class HybridSepDryRun : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = DataFolder() + "/hybrid_sep_alarm";
    if (!std::ifstream(folder_ + "/hybrid_sep.edf").good()) GTEST_SKIP() << "skipped: no data";
    std::ifstream file(folder_ + "/reference.json");
    const nlohmann::json all = nlohmann::json::parse(file);
    for (const auto& analysis : all["analyses"]) {
      const std::string filter = analysis["filter"];
      if (analysis["derivation"] == "CPc-Front" && filter.rfind("zero_phase", 0) == 0) {
        reference_ = analysis["blocks"];
      }
    }
    ASSERT_EQ(reference_.size(), 8u);
  }

  DryRunSummary Run(std::vector<v1::Record>* records, std::string* all_bytes = nullptr,
                    const std::string& query = "") {
    const auto files = MakePosixFileSystem();
    const auto plan =
        LoadCasePlan(*files, SourceFolder() + "/acquisition-agent/plans/hybrid_sep.plan");
    EXPECT_TRUE(plan.ok()) << plan.status();
    auto source = OpenSource(absl::StrCat("edf:", folder_, "/hybrid_sep.edf", query));
    EXPECT_TRUE(source.ok()) << source.status();
    const auto summary = DryRun(
        *plan, **source, DryRunOptions(),
        [&](const v1::Record& record, absl::string_view bytes) {
          if (records != nullptr) records->push_back(record);
          if (all_bytes != nullptr) all_bytes->append(bytes.data(), bytes.size());
        },
        [](int64_t) {});
    EXPECT_TRUE(summary.ok()) << summary.status();
    return summary.value_or(DryRunSummary());
  }

  std::string folder_;
  nlohmann::json reference_;
};

// What a run said, by block of 200 sweeps.
struct Findings {
  std::map<uint32_t, v1::Measurement> blocks;
  double baseline_uv = 0;
  std::set<uint32_t> alert_in;
  std::set<uint32_t> red_in;
  std::set<uint32_t> recovered_in;  // the amplitude's alert
  bool raised = false;
};

void TakeAlert(const v1::Alert& alert, uint32_t block, Findings* findings) {
  EXPECT_FALSE(alert.criterion().source().empty());
  EXPECT_EQ(alert.criterion().version(), "2.0");
  EXPECT_GT(alert.evidence().reduced_trace().sample_count(), 0u);
  if (alert.condition() == v1::ALERT_CONDITION_RECOVERED) {
    if (alert.criterion().key() == kAmplitudeKey) findings->recovered_in.insert(block);
    return;
  }
  findings->alert_in.insert(block);
  if (alert.priority() == v1::ALERT_PRIORITY_HIGH) findings->red_in.insert(block);
  findings->raised = findings->raised || alert.condition() == v1::ALERT_CONDITION_RAISED;
}

Findings Read(const std::vector<v1::Record>& records) {
  Findings findings;
  std::map<uint64_t, uint32_t> block_of_sweep;
  for (const v1::Record& record : records) {
    if (record.has_sweep() && !record.sweep().provisional()) {
      block_of_sweep[record.origin_seq()] = record.sweep().block_index();
      EXPECT_EQ(record.sweep().accepted_count(), 200u);
    }
    if (record.has_baseline_set()) findings.baseline_uv = record.baseline_set().amplitude_uv();
    if (record.has_measurement()) {
      findings.blocks[record.measurement().block_index()] = record.measurement();
    }
    if (record.has_alert() && record.alert().alert_class() == v1::ALERT_CLASS_PHYSIOLOGICAL) {
      TakeAlert(record.alert(), block_of_sweep.at(record.alert().evidence().sweep().origin_seq()),
                &findings);
    }
  }
  return findings;
}

TEST_F(HybridSepDryRun, MeetsTheReference) {
  std::vector<v1::Record> records;
  const DryRunSummary summary = Run(&records);
  EXPECT_EQ(summary.invalid, 0u) << summary.first_invalid;
  EXPECT_EQ(summary.analysis.stimuli, 1641u);
  const Findings findings = Read(records);
  ASSERT_EQ(findings.blocks.size(), 8u);
  ASSERT_GT(findings.baseline_uv, 0);

  for (const auto& [block, measured] : findings.blocks) {
    const double percent = 100 * measured.amplitude_uv() / findings.baseline_uv;
    const double true_ms = kTrueN20Ms * reference_[block]["true_mean_lat_factor"].get<double>();
    const double true_percent = reference_[block]["amp_pct_of_baseline"].get<double>();
    std::printf("block %u: %5.1f %% (reference %5.1f), N20 %.2f ms (true %.2f) %s %s\n", block,
                percent, true_percent, measured.latency_ms(), true_ms,
                v1::MarkConfidence_Name(measured.confidence()).c_str(), measured.reason().c_str());
    if (block == 6) continue;  // borderline, and smeared
    EXPECT_NEAR(percent, true_percent, kAmplitudeTolerancePoints) << "block " << block;
    // While the response is small a mark may be doubted; never while it is not.
    const bool small = block == 4 || block == 5;
    if (!small || measured.confidence() != v1::MARK_CONFIDENCE_UNCERTAIN) {
      EXPECT_EQ(measured.confidence(), v1::MARK_CONFIDENCE_CLEAR) << "block " << block;
      EXPECT_NEAR(measured.latency_ms(), true_ms, kLatencyToleranceMs) << "block " << block;
    }
    if (block > 2) {
      EXPECT_NEAR(measured.amplitude_percent_of_baseline(), percent, 0.01);
    }
  }
  EXPECT_TRUE(findings.raised);
  ASSERT_FALSE(findings.recovered_in.empty());
  EXPECT_GE(*findings.recovered_in.begin(), 6u);
  for (const uint32_t block : {4u, 5u}) {
    EXPECT_TRUE(findings.red_in.contains(block)) << "block " << block;
  }
  for (const uint32_t block : {0u, 1u, 2u, 3u, 7u}) {
    EXPECT_FALSE(findings.alert_in.contains(block)) << "block " << block;
  }
}

TEST_F(HybridSepDryRun, GivesTheSameBytesTwice) {
  std::string first;
  std::string second;
  Run(nullptr, &first);
  Run(nullptr, &second);
  EXPECT_GT(first.size(), 10'000u);
  EXPECT_TRUE(first == second);
}

}  // namespace
}  // namespace remora::agent
