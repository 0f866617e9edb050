// Free-running EMG of real recordings, from the file to what is found in it
// (../shared/data/emg_needle_physionet: needle EMG at 4 kHz; what it holds is in its
// PROVENANCE.md).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "acquisition-agent/pipelines/chunk_assembler.h"
#include "acquisition-agent/sources/open.h"
#include "dsp/emg/burst_train.h"
#include "dsp/filter/butterworth.h"
#include "dsp/filter/streaming_filter.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

constexpr double kRateHz = 4000;

std::string PathOf(const std::string& record) {
  const char* data = std::getenv("REMORA_DATA");
  const char* source = std::getenv("REMORA_SOURCE_DIR");
  const std::filesystem::path folder =
      data != nullptr ? std::filesystem::path(data)
                      : std::filesystem::path(source != nullptr ? source : ".") / "../shared/data";
  return (folder / "emg_needle_physionet" / (record + ".hea")).string();
}

// A needle in an active muscle: only units of a millivolt and more, which are polyphasic.
dsp::BurstTrainOptions Needle() {
  dsp::BurstTrainOptions options;
  options.sample_rate_hz = kRateHz;
  options.min_threshold_uv = 1000;
  options.refractory_ms = 30;
  return options;
}

// What the detector finds in the band from 20 to 1500 Hz; what ended.
std::vector<dsp::Activity> FindActivities(const std::string& record,
                                          const dsp::BurstTrainOptions& options,
                                          const std::string& query = "") {
  auto source = OpenSource("wfdb:" + PathOf(record) + query);
  EXPECT_TRUE(source.ok()) << source.status();
  dsp::StreamingFilter filter(*dsp::ButterworthBandPass(2, 20, 1500, kRateHz));
  filter.ResetToNextSample();
  dsp::BurstTrainDetector detector = *dsp::BurstTrainDetector::Create(options);
  std::vector<dsp::Activity> activities;
  while (true) {
    const absl::StatusOr<Item> item = (*source)->Next();
    EXPECT_TRUE(item.ok()) << item.status();
    if (!item.ok() || std::holds_alternative<EndOfSource>(*item)) break;
    const auto* block = std::get_if<SampleBlock>(&*item);
    if (block == nullptr) continue;
    std::vector<double> samples(block->channel(0).begin(), block->channel(0).end());
    filter.Process(samples, samples);
    detector.Push(samples, dsp::kNoArtefact, activities);
  }
  detector.Flush(activities);
  std::erase_if(activities, [](const dsp::Activity& activity) {
    return activity.phase != dsp::ActivityPhase::kEnded;
  });
  for (const dsp::Activity& activity : activities) {
    if (activity.duration_ms < 100) continue;
    std::printf("%-8s %7.2f to %6.2f s  %6.2f/s  %6.0f uV\n", dsp::ActivityName(activity.kind),
                activity.first_sample / kRateHz, activity.last_sample / kRateHz,
                activity.discharge_rate_hz, activity.peak_uv);
  }
  return activities;
}

std::vector<dsp::Activity> Trains(std::vector<dsp::Activity> activities) {
  std::erase_if(activities, [](const dsp::Activity& activity) {
    return activity.kind != dsp::ActivityKind::kTrain;
  });
  return activities;
}

// One large unit at 10.5/s, twice: to 11.4 s, and, since the record repeats itself, from 18.5 s to
// 29.9 s. Tolerance: 0.5/s, and 9 s of each in trains (the first second of each is learnt from).
TEST(RecordedEmg, NeuropathyHasItsTrainAtTenASecond) {
  if (!std::filesystem::exists(PathOf("emg_neuropathy"))) GTEST_SKIP() << "skipped: no data";
  for (const char* part : {"?to=11.4s", "?from=18.5s&to=29.9s"}) {
    double train_ms = 0;
    for (const dsp::Activity& train : Trains(FindActivities("emg_neuropathy", Needle(), part))) {
      EXPECT_NEAR(train.discharge_rate_hz, 10.55, 0.5) << part;
      train_ms += train.duration_ms;
    }
    EXPECT_GT(train_ms, 9000) << part;
  }
}

// Full interference from 11.6 s to 18.4 s and from 30.0 s to 36.9 s: discharges closer than the
// unit's 95 ms, for a tenth of a second and more. Tolerance: 0.3 s; nothing like it elsewhere.
TEST(RecordedEmg, NeuropathyHasItsBurstsAtTheirTimes) {
  if (!std::filesystem::exists(PathOf("emg_neuropathy"))) GTEST_SKIP() << "skipped: no data";
  dsp::BurstTrainOptions options = Needle();
  options.max_gap_ms = 60;
  struct Interference {
    double from_s;
    double to_s;
    double first_s = 1e9;  // as found
    double last_s = 0;
  };
  Interference wanted[] = {{11.6, 18.4}, {30.0, 36.9}};
  for (const dsp::Activity& activity : FindActivities("emg_neuropathy", options)) {
    if (activity.duration_ms < 100) continue;
    const double begin_s = static_cast<double>(activity.first_sample) / kRateHz;
    const double end_s = static_cast<double>(activity.last_sample) / kRateHz;
    Interference& nearest = wanted[begin_s < 24 ? 0 : 1];
    nearest.first_s = std::min(nearest.first_s, begin_s);
    nearest.last_s = std::max(nearest.last_s, end_s);
  }
  for (const Interference& interference : wanted) {
    EXPECT_NEAR(interference.first_s, interference.from_s, 0.3);
    EXPECT_NEAR(interference.last_s, interference.to_s, 0.3);
  }
}

// The same settings: a healthy muscle that is dorsiflexed gently.
TEST(RecordedEmg, HealthyRaisesNoTrain) {
  if (!std::filesystem::exists(PathOf("emg_healthy"))) GTEST_SKIP() << "skipped: no data";
  EXPECT_TRUE(Trains(FindActivities("emg_healthy", Needle())).empty());
}

// First sample and number of samples of each stretch of emg_neuropathy.dat that differs from the
// record's text export by 65536 counts: 410 samples that wrapped at +-3.2768 mV (PROVENANCE.md).
constexpr struct {
  int64_t first;
  int64_t samples;
} kWrapped[] = {
    {365, 2},    {933, 1},    {46161, 1},  {46211, 1},  {46213, 2},  {46613, 2},  {47464, 1},
    {48199, 1},  {48625, 1},  {48844, 3},  {48897, 38}, {49206, 2},  {49228, 1},  {49420, 2},
    {49452, 2},  {49526, 1},  {49558, 2},  {49564, 2},  {49838, 4},  {50089, 1},  {50103, 2},
    {50307, 2},  {50310, 1},  {50543, 1},  {50804, 1},  {50817, 1},  {51032, 1},  {51034, 1},
    {51308, 2},  {51562, 2},  {51826, 1},  {51828, 2},  {52078, 1},  {52361, 1},  {52397, 2},
    {52661, 2},  {52875, 1},  {53026, 1},  {53244, 1},  {53310, 1},  {53480, 2},  {53566, 2},
    {53736, 2},  {53804, 2},  {54029, 1},  {54337, 1},  {54639, 1},  {54654, 1},  {54745, 1},
    {54859, 2},  {55143, 1},  {55150, 2},  {55432, 1},  {55987, 1},  {56009, 1},  {56315, 1},
    {56513, 2},  {56679, 1},  {56908, 1},  {56966, 2},  {57196, 1},  {57240, 1},  {57550, 2},
    {57774, 2},  {57941, 1},  {58255, 1},  {58542, 1},  {58571, 2},  {59234, 1},  {59338, 1},
    {59576, 1},  {59854, 1},  {60151, 2},  {60459, 2},  {60759, 1},  {60769, 1},  {61072, 1},
    {61382, 2},  {61418, 1},  {61686, 1},  {61794, 1},  {62036, 1},  {62349, 1},  {62650, 1},
    {62947, 1},  {63201, 1},  {63438, 1},  {63504, 2},  {63810, 2},  {63838, 1},  {64138, 1},
    {64159, 1},  {64453, 1},  {64687, 1},  {64739, 1},  {65099, 1},  {65422, 2},  {65519, 1},
    {65698, 2},  {65822, 2},  {66081, 1},  {66267, 1},  {66405, 1},  {66591, 1},  {66713, 1},
    {66931, 1},  {67030, 2},  {67300, 1},  {67340, 2},  {67730, 2},  {68133, 1},  {68209, 1},
    {68519, 2},  {68807, 2},  {68926, 1},  {69230, 2},  {69254, 1},  {69642, 2},  {69680, 2},
    {69987, 1},  {70033, 2},  {70476, 1},  {71519, 2},  {72090, 1},  {72566, 1},  {73087, 4},
    {73511, 2},  {119827, 1}, {119877, 1}, {119879, 2}, {120280, 2}, {121131, 2}, {121184, 1},
    {121865, 1}, {122292, 1}, {122572, 6}, {122588, 4}, {122917, 4}, {122937, 4}, {122943, 2},
    {123131, 2}, {123269, 2}, {123275, 2}, {123549, 4}, {123799, 1}, {123813, 2}, {124018, 2},
    {124021, 1}, {124254, 1}, {124515, 1}, {124528, 1}, {124742, 1}, {124744, 1}, {125019, 2},
    {125273, 2}, {125537, 1}, {125539, 2}, {125788, 1}, {126072, 1}, {126108, 2}, {126372, 2},
    {126586, 1}, {126736, 1}, {126955, 1}, {127021, 1}, {127191, 2}, {127277, 2}, {127447, 1},
    {127515, 2}, {127739, 1}, {128048, 1}, {128350, 1}, {128365, 1}, {128456, 1}, {128570, 2},
    {128854, 1}, {128861, 2}, {129143, 1}, {129697, 1}, {129719, 1}, {130026, 1}, {130224, 2},
    {130390, 1}, {130618, 1}, {130676, 2}, {130907, 1}, {130951, 1}, {131261, 2}, {131485, 2},
    {131651, 1}, {131966, 1}, {132253, 1}, {132282, 2}, {132945, 1}, {133049, 1}, {133287, 1},
    {133565, 1}, {133635, 1}, {133862, 2}, {134170, 2}, {134470, 1}, {134480, 1}, {134782, 1},
    {135093, 2}, {135129, 1}, {135397, 1}, {135505, 1}, {135746, 1}, {136060, 1}, {136361, 1},
    {136657, 1}, {136912, 1}, {137149, 1}, {137215, 2}, {137521, 2}, {137549, 1}, {137849, 1},
    {137870, 1}, {138164, 1}, {138398, 1}, {138450, 1}, {138809, 1}, {139133, 2}, {139229, 2},
    {139409, 2}, {139533, 2}, {139791, 1}, {139978, 1}, {140116, 1}, {140302, 1}, {140424, 1},
    {140641, 1}, {140740, 2}, {141011, 1}, {141051, 2}, {141441, 2}, {141843, 1}, {141920, 1},
    {142230, 2}, {142518, 2}, {142636, 1}, {142941, 2}, {142965, 1}, {143353, 2}, {143391, 2},
    {143697, 1}, {143743, 2}, {144186, 2}, {144810, 1}, {145231, 2}, {145801, 1}, {146278, 1},
    {146798, 4}, {147223, 2}, {147791, 1}};

struct Flagged {
  std::vector<bool> samples;
  std::vector<bool> blocks;  // all samples of a chunk that has one: what SampleBlock's flag says
};

Flagged FlaggedIn(const std::string& record) {
  auto source = OpenSource("wfdb:" + PathOf(record));
  EXPECT_TRUE(source.ok()) << source.status();
  ChunkAssembler assembler((*source)->info(), 0, {0}, 60);
  std::vector<Chunk> chunks;
  while (true) {
    const absl::StatusOr<Item> item = (*source)->Next();
    EXPECT_TRUE(item.ok());
    if (!item.ok() || std::holds_alternative<EndOfSource>(*item)) break;
    if (const auto* block = std::get_if<SampleBlock>(&*item)) assembler.Push(*block, &chunks);
  }
  assembler.Break(&chunks);
  Flagged flagged;
  for (const Chunk& chunk : chunks) {
    const size_t begin = flagged.samples.size();
    EXPECT_EQ(chunk.first_position, static_cast<int64_t>(begin));
    flagged.samples.resize(begin + static_cast<size_t>(chunk.samples));
    flagged.blocks.resize(flagged.samples.size(), !chunk.marks[0].runs.empty());
    for (const auto& run : chunk.marks[0].runs) {
      EXPECT_EQ(run.marks, dsp::kQualityClipping);
      for (int64_t i = run.first; i <= run.last; ++i)
        flagged.samples[static_cast<size_t>(i)] = true;
    }
  }
  return flagged;
}

// Each lies in a block that is flagged as clipped, as its envelope and its hints are, but for those
// whose step is the first of the next block, which is flagged then (2 here). One by one:
// 6 in 7 of the samples that wrapped, as the others are no steeper than discharges that did not,
// and no more than 15 in 1000 of all. None, of either, of a recording that did not wrap.
TEST(RecordedEmg, SamplesThatWrappedAreFlagged) {
  if (!std::filesystem::exists(PathOf("emg_neuropathy"))) GTEST_SKIP() << "skipped: no data";
  const Flagged flagged = FlaggedIn("emg_neuropathy");
  ASSERT_EQ(flagged.samples.size(), 147'858u);
  int64_t wrapped = 0;
  int64_t found = 0;
  int64_t in_flagged_blocks = 0;
  for (const auto& run : kWrapped) {
    for (int64_t i = run.first; i < run.first + run.samples; ++i) {
      ++wrapped;
      found += flagged.samples[static_cast<size_t>(i)] ? 1 : 0;
      in_flagged_blocks += flagged.blocks[static_cast<size_t>(i)] ? 1 : 0;
      // The detector's reach is two samples.
      EXPECT_TRUE(flagged.blocks[static_cast<size_t>(i)] ||
                  flagged.blocks[static_cast<size_t>(i + 2)])
          << i;
    }
  }
  const auto all = std::count(flagged.samples.begin(), flagged.samples.end(), true);
  const auto all_blocks = std::count(flagged.blocks.begin(), flagged.blocks.end(), true);
  std::printf("%ld of %ld wrapped samples in flagged blocks (%ld of all samples are)\n",
              static_cast<long>(in_flagged_blocks), static_cast<long>(wrapped),
              static_cast<long>(all_blocks));
  std::printf("%ld of %ld flagged one by one, %ld of all\n", static_cast<long>(found),
              static_cast<long>(wrapped), static_cast<long>(all));
  EXPECT_EQ(wrapped, 410);
  EXPECT_GE(in_flagged_blocks, 408);
  EXPECT_GE(found, 351);
  EXPECT_LE(all, 2217);
  const Flagged healthy = FlaggedIn("emg_healthy");
  EXPECT_EQ(std::count(healthy.blocks.begin(), healthy.blocks.end(), true), 0);
}

}  // namespace
}  // namespace remora::agent
