// When results come: with the block that holds the last sample of their sweep, and the same however
// a source cuts its blocks.
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::SizeIs;

constexpr char kPlan[] = R"(
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_LEFT derivation: "CPc-Fz"
    trigger { label_prefix: "MED L" } stimulus { site: "median nerve" rate_hz: 4.7 }
    sweep_count: 40 reject_over_uv: 100
    component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 25
                expected_ms: 19.5 }
    component { label: "P25" polarity: POLARITY_POSITIVE window_from_ms: 19 window_to_ms: 34
                expected_ms: 24 } }
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
    stimulus { site: "scalp" voltage_v: 300 } muscle { derivation: "TA" side: SIDE_LEFT } }
  train_of_four { derivation: "AH" side: SIDE_LEFT limb: "left foot" trigger { label_prefix: "TOF" }
    stimulus { site: "tibial nerve" current_ma: 30 } }
  mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "frontal" side: SIDE_RIGHT
    trigger { label_prefix: "MED L" } stimulus { site: "median nerve" rate_hz: 4.7 }
    sweep_count: 40 epoch_from_ms: -10 epoch_to_ms: 60
    contact_derivation: "G1" contact_derivation: "G2" contact_derivation: "G3" })";
constexpr double kSepMs = 60;  // ends of the epochs
constexpr double kMepMs = 150;

struct Last {
  int64_t made_ns;
  int64_t last_stimulus_ns;
  std::string bytes;  // without what names the record
};

class LatencyTest : public DrawnCaseTest {
 protected:
  // Median nerve at 4.7 a second, a train of pulses each 3.1 s, a train-of-four each 7 s.
  void RunCase(int block_ms) {
    Drawing drawing;
    drawing.channels = {"CPc-Fz", "TA", "AH", "G1", "G2", "G3"};
    drawing.seconds = 30;
    drawing.block_ms = block_ms;
    const auto add = [&](double time_s, const char* label, int pulses) {
      StimulusTrigger trigger;
      trigger.time_ns = static_cast<int64_t>(time_s * 1e9);
      trigger.label = label;
      trigger.pulses = pulses;
      trigger.pulse_interval_ms = pulses > 1 ? 3 : 0;
      drawing.items.push_back(trigger);
    };
    std::vector<double> median, mep, tof;
    for (double t = 1; t < 29.5; t += 1 / 4.7) median.push_back(t);
    for (double t = 2.05; t < 28; t += 3.1) mep.push_back(t);
    for (double t = 3.3; t < 26; t += 7) {
      for (int i = 0; i < 4; ++i) tof.push_back(t + 0.5 * i);
    }
    for (const double t : median) add(t, "MED L", 1);
    for (const double t : mep) add(t, "MEP", 5);
    for (const double t : tof) add(t, "TOF", 1);
    const auto since = [](const std::vector<double>& times, double t) {
      const auto after = std::upper_bound(times.begin(), times.end(), t);
      return after == times.begin() ? 1e9 : t - *std::prev(after);
    };
    // What is drawn block by block would differ with the blocks.
    drawing.noise_uv = 0;
    drawing.uv = [=](int channel, double t) {
      const double noise = std::sin(1231.7 * t) + std::sin(2917.3 * t + channel) +
                           std::sin(777.1 * t * (channel + 1));
      if (channel == 0) return noise - Biphasic(since(median, t), 0.020, 3.0);
      if (channel == 1) return noise + Biphasic(since(mep, t), 0.036, 700.0);
      if (channel == 2) return noise + Biphasic(since(tof, t), 0.009, 900.0);
      return noise + Biphasic(since(median, t), 0.020, channel == 3 ? 20.0 : -20.0);
    };
    Run(kPlan, std::move(drawing));
  }

  // Finished traces of one kind, in the order in which they were made.
  std::vector<Last> Finished(v1::Modality modality) const {
    std::vector<Last> found;
    for (const v1::Record& record : sink_.records) {
      if (!record.has_sweep() || record.sweep().provisional()) continue;
      if (record.sweep().modality() != modality) continue;
      found.push_back({record.captured_at().monotonic_ns(),
                       record.sweep().last_stimulus_monotonic_ns(),
                       record.sweep().SerializeAsString()});
    }
    return found;
  }
};

TEST_F(LatencyTest, AResultComesWithTheBlockOfItsLastSample) {
  is_killed_at_end_ = true;  // what the end tells of is begun, not over
  RunCase(10);
  const auto average = Finished(v1::MODALITY_SEP_UPPER);
  ASSERT_THAT(average, SizeIs(3));
  // A block, and the samples behind the epoch that its interpolation needs.
  for (const Last& last : average) {
    EXPECT_LE(static_cast<double>(last.made_ns - last.last_stimulus_ns) / 1e6, kSepMs + 11);
  }
  const auto maps = Finished(v1::MODALITY_MAP_CORTICAL_PHASE_REVERSAL);
  ASSERT_THAT(maps, SizeIs(9));  // three rounds of three contacts
  for (const Last& last : maps) {
    EXPECT_LE(static_cast<double>(last.made_ns - last.last_stimulus_ns) / 1e6, kSepMs + 11);
  }
  EXPECT_THAT(sink_.All(&v1::Record::has_mapping_result, &v1::Record::mapping_result), SizeIs(3));
  const auto trials = Finished(v1::MODALITY_MEP_TRANSCRANIAL);
  ASSERT_THAT(trials, SizeIs(9));
  for (const Last& last : trials) {
    EXPECT_LE(static_cast<double>(last.made_ns - last.last_stimulus_ns) / 1e6, kMepMs + 11);
  }
  EXPECT_THAT(sink_.All(&v1::Record::has_train_of_four, &v1::Record::train_of_four), SizeIs(4));
}

TEST_F(LatencyTest, ResultsDoNotDependOnTheBlocks) {
  std::vector<std::vector<std::string>> made;
  for (const int block_ms : {7, 100, 430}) {
    sink_.records.clear();
    plan_ = CasePlan();
    RunCase(block_ms);
    made.emplace_back();
    for (const v1::Modality modality :
         {v1::MODALITY_SEP_UPPER, v1::MODALITY_MEP_TRANSCRANIAL, v1::MODALITY_TRAIN_OF_FOUR,
          v1::MODALITY_MAP_CORTICAL_PHASE_REVERSAL}) {
      for (const Last& last : Finished(modality)) made.back().push_back(last.bytes);
    }
  }
  ASSERT_GE(made[0].size(), 21u);
  EXPECT_EQ(made[0], made[1]);
  EXPECT_EQ(made[0], made[2]);
}

}  // namespace
}  // namespace remora::agent
