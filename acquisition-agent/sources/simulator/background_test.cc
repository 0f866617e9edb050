// What a source delivers that no stimulus evoked: EEG by depth and side, EMG, artefacts, faults.
#include <complex>
#include <numbers>

#include "acquisition-agent/sources/simulator/eeg_rhythms.h"
#include "acquisition-agent/sources/simulator/testing/recording.h"

namespace remora::agent::sim {
namespace {

// No stimuli but one a long time after all.
constexpr char kStill[] = "stimulate median left at 0.1 Hz from 1 h\n";

std::vector<double> Part(const Recording& run, const char* label, double from_s, double to_s) {
  const std::vector<double>& x = run[label];
  return {x.begin() + static_cast<int64_t>(from_s * run.rate_hz()),
          x.begin() + static_cast<int64_t>(to_s * run.rate_hz())};
}

// Power within [low, high] Hz, the mean of stretches of 2 s.
double BandPower(const std::vector<double>& x, double rate_hz, double low_hz, double high_hz) {
  const auto length = static_cast<size_t>(2 * rate_hz);
  double sum = 0;
  size_t stretches = 0;
  for (size_t from = 0; from + length <= x.size(); from += length, ++stretches) {
    for (double hz = low_hz; hz <= high_hz; hz += 0.5) {
      std::complex<double> part = 0;
      const std::complex<double> turn = std::polar(1.0, -2 * std::numbers::pi * hz / rate_hz);
      std::complex<double> phase = 1;
      for (size_t i = 0; i < length; ++i, phase *= turn) part += x[from + i] * phase;
      sum += std::norm(part);
    }
  }
  return sum / static_cast<double>(length * stretches);
}

TEST(SuppressionGain, IsQuietForItsPartOfTheTime) {
  EXPECT_EQ(SuppressionGain(0, 3), 1);
  double quiet_s = 0;
  for (double t = 0; t < 600; t += 0.01) quiet_s += SuppressionGain(0.4, t) < 0.1 ? 0.01 : 0;
  EXPECT_NEAR(quiet_s / 600, 0.4, 0.02);
}

TEST(SimulatedEeg, SlowsAndIsSuppressedInDepth) {
  const Recording run(
      std::string(kStill) +
          "rate 500 Hz\nchannels F3, F4, Fz\neeg 4 uV alpha 8 uV delta 8 uV\n"
          "amplifier 0.2 uV\nmains 50 Hz 0 uV\nat 120 s: depth 1\nat 240 s: depth 0.9\n",
      360);
  const auto light = Part(run, "F3", 0, 120);
  const auto deep = Part(run, "F3", 120, 240);
  const auto deepest = Part(run, "F3", 240, 360);
  EXPECT_LT(BandPower(deep, 500, 8, 12), 0.6 * BandPower(light, 500, 8, 12));
  EXPECT_GT(BandPower(deep, 500, 1, 2), 1.3 * BandPower(light, 500, 1, 2));
  // Under 5 uV for a good half of the time.
  const double wanted = run.truth().Eeg(Side::kLeft, 300).suppression;
  EXPECT_NEAR(wanted, 0.7, 1e-9);
  const auto quiet =
      std::count_if(deepest.begin(), deepest.end(), [](double v) { return std::abs(v) < 2.5; });
  EXPECT_GT(static_cast<double>(quiet) / static_cast<double>(deepest.size()), wanted);
  EXPECT_GT(Rms(deepest), 3);
}

TEST(SimulatedEeg, OneHemisphereSuffersAlone) {
  const Recording run(std::string(kStill) +
                          "rate 500 Hz\nchannels F3, F4\neeg 2 uV alpha 8 uV delta 4 uV\n"
                          "mains 50 Hz 0 uV\nat 100 s: hemisphere left amplitude 0.3\n",
                      200);
  const auto fast = [&](const char* label, double from_s) {
    return BandPower(Part(run, label, from_s, from_s + 100), 500, 8, 13);
  };
  EXPECT_LT(fast("F3", 100) / fast("F3", 0), 0.25);
  EXPECT_GT(fast("F4", 100) / fast("F4", 0), 0.6);
}

TEST(SimulatedEcog, AfterDischargesAreOnTheContactAndItsNeighbours) {
  const Recording run(std::string(kSilent) + kStill +
                          "channels G3, G4, G6, Fz\nat 2 s: afterdischarge G4 300 uV for 4 s\n",
                      10);
  EXPECT_NEAR(*std::max_element(run["G4"].begin(), run["G4"].end()), 300, 10);
  EXPECT_NEAR(*std::max_element(run["G3"].begin(), run["G3"].end()), 150, 5);
  EXPECT_EQ(Rms(run["G6"]), 0);
  EXPECT_EQ(Rms(Part(run, "G4", 0, 2)), 0);
  EXPECT_EQ(Rms(Part(run, "G4", 6.5, 10)), 0);
}

TEST(SimulatedEmg, TrainsOfThreeKindsAndSilence) {
  const Recording run(std::string(kSilent) + kStill +
                          "channels TA L, TA R, AH L\n"
                          "at 1 s: emg b-train TA L 40 Hz 100 uV for 4 s\n"
                          "at 1 s: emg c-train TA R 60 Hz 100 uV for 4 s\n"
                          "at 1 s: emg train AH L 100 Hz 100 uV for 4 s\n"
                          "at 3 s: emg silence AH L for 1 s\n",
                      8);
  // A B-train swells and dies away.
  EXPECT_LT(Rms(Part(run, "TA L", 1, 1.2)), 0.5 * Rms(Part(run, "TA L", 2.5, 3.5)));
  EXPECT_LT(Rms(Part(run, "TA L", 4.8, 5)), 0.5 * Rms(Part(run, "TA L", 2.5, 3.5)));
  // A C-train's discharges differ in height and distance.
  std::vector<double> heights, times;
  const std::vector<double> c = Part(run, "TA R", 1, 5);
  for (size_t i = 1; i + 1 < c.size(); ++i) {
    if (c[i] > 20 && c[i] >= c[i - 1] && c[i] > c[i + 1]) {
      heights.push_back(c[i]);
      times.push_back(static_cast<double>(i) / 5000);
    }
  }
  EXPECT_NEAR(static_cast<double>(heights.size()), 240, 50);
  EXPECT_GT(*std::max_element(heights.begin(), heights.end()) /
                *std::min_element(heights.begin(), heights.end()),
            1.8);
  EXPECT_LT(Rms(Part(run, "AH L", 3.1, 3.9)), 0.1 * Rms(Part(run, "AH L", 1.1, 2.9)));
  EXPECT_EQ(Rms(Part(run, "TA R", 5.2, 8)), 0);
}

TEST(SimulatedEmg, ShiveringIsInAllMusclesAndNowhereElse) {
  const Recording run(std::string(kSilent) + kStill +
                          "channels TA L, APB R, CP3\nat 1 s: shivering 80 uV for 3 s\n",
                      6);
  EXPECT_GT(Rms(Part(run, "TA L", 1, 4)), 5);
  EXPECT_GT(Rms(Part(run, "APB R", 1, 4)), 5);
  EXPECT_EQ(Rms(run["CP3"]), 0);
  EXPECT_EQ(Rms(Part(run, "TA L", 4.2, 6)), 0);
}

TEST(SimulatedArtefacts, DrillAndAspiratorAreEverywhereWhileTheyLast) {
  const Recording run(std::string(kSilent) + kStill +
                          "channels TA L, CP3\nat 1 s: drill 300 uV for 1 s\n"
                          "at 3 s: cusa 100 uV for 1 s\n",
                      5);
  for (const char* label : {"TA L", "CP3"}) {
    EXPECT_NEAR(Rms(Part(run, label, 1, 2)), 300 * 0.5 / std::sqrt(3), 10) << label;
    EXPECT_NEAR(Rms(Part(run, label, 3, 4)), 25, 2) << label;
    EXPECT_EQ(Rms(Part(run, label, 2, 3)), 0) << label;
  }
}

TEST(SimulatedFaults, SwappedLeadsCarryEachOthersSignal) {
  const Recording plain(std::string(kSilent) + kStill +
                            "channels AH L, AH R\nat 1 s: emg train AH L 100 Hz 100 uV for 2 s\n",
                        4);
  const Recording swapped(std::string(kSilent) + kStill +
                              "channels AH L, AH R\nat 1 s: emg train AH L 100 Hz 100 uV for 2 s\n"
                              "at 0 s: swap AH L with AH R\n",
                          4);
  EXPECT_GT(Rms(plain["AH L"]), 10);
  EXPECT_EQ(swapped["AH R"], plain["AH L"]);
  EXPECT_EQ(swapped["AH L"], plain["AH R"]);
}

}  // namespace
}  // namespace remora::agent::sim
