#include "dsp/evoked/wave_series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "dsp/filter/zero_phase.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

const Timebase kTimebase{40'000.0, 0.0};
constexpr std::size_t kSamples = 480;  // 12 ms

struct Bump {
  double at_ms, height_uv;
};

// Adult BAEP.
std::vector<double> Baep(const std::vector<Bump>& bumps) {
  std::vector<double> sweep(kSamples, 0.0);
  for (std::size_t i = 0; i < kSamples; ++i) {
    const double ms = kTimebase.LatencyMs(static_cast<double>(i));
    for (const Bump& bump : bumps) {
      sweep[i] += bump.height_uv * std::exp(-std::pow((ms - bump.at_ms) / 0.3, 2.0));
    }
  }
  return sweep;
}

const std::vector<Bump> kNormal = {{1.7, 0.25}, {2.8, 0.15}, {3.8, 0.3}, {4.9, 0.2}, {5.8, 0.45}};

std::vector<WaveMark> Mark(const std::vector<double>& sweep, double noise_uv = 0.01,
                           double tube_delay_ms = 0.0) {
  const auto marks = MarkWaves(sweep, kTimebase, noise_uv, BaepWaves(tube_delay_ms));
  EXPECT_TRUE(marks.ok()) << marks.status();
  return marks.ok() ? *marks : std::vector<WaveMark>(5);
}

TEST(MarkWaves, FindsAllFiveInTheirOrder) {
  const auto marks = Mark(Baep(kNormal));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(marks[i].presence, Presence::kPresent) << i;
    EXPECT_NEAR(marks[i].peak.latency_ms, kNormal[i].at_ms, 0.06) << i;
  }
  // IV falls to the trough before V, V to the base line.
  EXPECT_NEAR(marks[3].amplitude_uv, 0.14, 0.06);
  EXPECT_LT(marks[3].following_ms, 5.8);
  EXPECT_NEAR(marks[4].amplitude_uv, 0.45, 0.02);
  EXPECT_GT(marks[4].following_ms, 6.5);
}

TEST(MarkWaves, OneHumpOfTwoWavesIsTheFifth) {
  const auto marks = Mark(Baep({{1.7, 0.25}, {3.8, 0.3}, {5.4, 0.25}, {5.75, 0.4}}));
  EXPECT_EQ(marks[3].presence, Presence::kAbsent);
  EXPECT_NEAR(marks[4].peak.latency_ms, 5.7, 0.15);
}

TEST(MarkWaves, AMissingWaveMovesNoOther) {
  auto bumps = kNormal;
  bumps.erase(bumps.begin());  // no I
  const auto marks = Mark(Baep(bumps));
  EXPECT_EQ(marks[0].presence, Presence::kAbsent);
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_NEAR(marks[i].peak.latency_ms, kNormal[i].at_ms, 0.06) << i;
  }
}

TEST(MarkWaves, WavesThatAreLateTogetherKeepTheirNames) {
  auto bumps = kNormal;
  for (std::size_t i = 2; i < 5; ++i) bumps[i].at_ms += 1.0;  // I-III prolonged by 1 ms
  const auto marks = Mark(Baep(bumps));
  EXPECT_NEAR(marks[2].peak.latency_ms, 4.8, 0.05);
  EXPECT_NEAR(marks[4].peak.latency_ms, 6.8, 0.05);
}

TEST(MarkWaves, AnInsertsTubeDelaysAllOfThem) {
  auto bumps = kNormal;
  for (Bump& bump : bumps) bump.at_ms += 0.88;
  const auto marks = Mark(Baep(bumps), 0.01, 0.88);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(marks[i].peak.latency_ms, bumps[i].at_ms, 0.06) << i;
  }
}

TEST(MarkWaves, NoiseIsNoWave) {
  TestNoise noise(3);
  constexpr int kSweeps = 200;
  int uncertain = 0;
  for (int i = 0; i < kSweeps; ++i) {
    for (const WaveMark& mark : Mark(noise.Gaussian(kSamples, 0.05), 0.05)) {
      EXPECT_NE(mark.presence, Presence::kPresent);
      uncertain += mark.presence == Presence::kUncertain;
    }
  }
  EXPECT_LE(uncertain, 5 * kSweeps / 4);
  EXPECT_EQ(Mark(std::vector<double>(kSamples, 0.0))[4].presence, Presence::kAbsent);
}

TEST(MarkWaves, ALostFifthIsNotPresent) {
  TestNoise noise(4);
  for (int i = 0; i < 100; ++i) {
    auto sweep = Baep({kNormal.begin(), kNormal.begin() + 3});
    const auto added = noise.Gaussian(kSamples, 0.02);
    for (std::size_t k = 0; k < kSamples; ++k) sweep[k] += added[k];
    const auto marks = Mark(sweep, 0.02);
    EXPECT_NE(marks[0].presence, Presence::kAbsent);
    EXPECT_NE(marks[2].presence, Presence::kAbsent);
    EXPECT_NE(marks[4].presence, Presence::kPresent);
  }
}

TEST(MarkWaves, WithoutKnownNoiseWhatIsFoundIsUncertain) {
  for (const WaveMark& mark : Mark(Baep(kNormal), kNaN)) {
    EXPECT_EQ(mark.presence, Presence::kUncertain);
  }
}

TEST(MarkWaves, HostileInputIsRefused) {
  auto sweep = Baep(kNormal);
  EXPECT_FALSE(MarkWaves(sweep, kTimebase, 0.01, {}).ok());
  EXPECT_FALSE(MarkWaves(sweep, kTimebase, -1.0, BaepWaves(0.0)).ok());
  auto options = BaepWaves(0.0);
  options.waves.resize(kMaxWaves + 1, options.waves[0]);
  EXPECT_FALSE(MarkWaves(sweep, kTimebase, 0.01, options).ok());
  options = BaepWaves(0.0);
  options.waves[1].window = {5.0, 2.0};
  EXPECT_FALSE(MarkWaves(sweep, kTimebase, 0.01, options).ok());
  sweep[30] = kNaN;
  EXPECT_FALSE(MarkWaves(sweep, kTimebase, 0.01, BaepWaves(0.0)).ok());
  EXPECT_TRUE(MarkWaves({}, kTimebase, 0.01, BaepWaves(0.0)).ok());
}

// A recorded level series (../shared/data/abr_level_series): 100 kHz, 512 averages, waves as an
// expert set them.
class RecordedAbr : public testing::Test {
 protected:
  static std::string Path(const char* name) { return DataFolder() + "/abr_level_series/" + name; }

  // The column of a level.
  static std::vector<double> ReadSweep(int level_db) {
    std::ifstream file(Path("ABR-52-3.csv"));
    std::string line;
    std::getline(file, line);
    std::istringstream heads(line);
    std::size_t column = 0;
    const std::string wanted = std::to_string(level_db) + "dB_uV";
    for (std::string head; std::getline(heads, head, ',') && head != wanted;) ++column;
    std::vector<double> sweep;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string field;
      for (std::size_t i = 0; i <= column; ++i) std::getline(fields, field, ',');
      sweep.push_back(std::stod(field));
    }
    return sweep;
  }

  // P1 to P5 of a level, ms.
  static std::vector<double> ReadExpert(int level_db) {
    std::ifstream file(Path("ABR-52-3-analyzed.txt"));
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      double level = 0.0;
      if (!(fields >> level) || level != level_db) continue;
      std::vector<double> numbers;
      for (double number; fields >> number;) numbers.push_back(number);
      return {numbers.at(2), numbers.at(6), numbers.at(10), numbers.at(14), numbers.at(18)};
    }
    return {};
  }
};

TEST_F(RecordedAbr, WavesAreWhereTheExpertHasThemFromFiftyDecibelsOn) {
  if (!FileExists(Path("ABR-52-3.csv"))) GTEST_SKIP() << "skipped: no data";
  // The expert's filter, as the file gives it: zeros 1 and -1, two poles, gain.
  constexpr double kPole = 0.9934729, kOtherPole = 0.73615843, kGain = 0.13432327438619873;
  const Cascade filter = {{kGain, 0.0, -kGain, -(kPole + kOtherPole), kPole * kOtherPole}};
  const Timebase timebase{100'000.0, 0.0};
  WaveSeriesOptions options;
  // A mouse's waves come earlier than a man's.
  options.waves = {{"I", Polarity::kPeak, {0.9, 1.8}},
                   {"II", Polarity::kPeak, {1.7, 2.7}},
                   {"III", Polarity::kPeak, {2.5, 3.5}},
                   {"IV", Polarity::kPeak, {3.5, 4.7}},
                   {"V", Polarity::kPeak, {4.7, 6.0}}};
  double worst_ms = 0.0;
  for (const int level_db : {50, 60, 70, 80}) {
    const auto sweep = ZeroPhaseFilter(filter, ReadSweep(level_db));
    ASSERT_TRUE(sweep.ok()) << sweep.status();
    const auto marks = MarkWaves(*sweep, timebase, 0.05, options);
    ASSERT_TRUE(marks.ok()) << marks.status();
    const std::vector<double> expert_ms = ReadExpert(level_db);
    ASSERT_EQ(expert_ms.size(), 5u) << level_db;
    for (std::size_t wave = 0; wave < 5; ++wave) {
      EXPECT_NE((*marks)[wave].presence, Presence::kAbsent) << level_db << " " << wave;
      EXPECT_NEAR((*marks)[wave].peak.latency_ms, expert_ms[wave], 0.05) << level_db << " " << wave;
      worst_ms = std::max(worst_ms, std::fabs((*marks)[wave].peak.latency_ms - expert_ms[wave]));
    }
  }
  std::printf("five waves at four levels: within %.3f ms of the expert\n", worst_ms);
}

TEST_F(RecordedAbr, BelowTheThresholdThereIsNoWaveV) {
  if (!FileExists(Path("ABR-52-3.csv"))) GTEST_SKIP() << "skipped: no data";
  const auto sweep = ReadSweep(10);
  WaveSeriesOptions options;
  options.waves = {{"V", Polarity::kPeak, {4.7, 6.0}}};
  // The noise of the same average, behind the response: 7 to 8.5 ms.
  double squares = 0.0;
  for (std::size_t i = 700; i < 850; ++i) squares += sweep[i] * sweep[i];
  const double noise_uv = std::sqrt(squares / 150.0);
  const auto marks = MarkWaves(sweep, {100'000.0, 0.0}, noise_uv, options);
  ASSERT_TRUE(marks.ok());
  EXPECT_EQ((*marks)[0].presence, Presence::kAbsent);
}

}  // namespace
}  // namespace remora::dsp
