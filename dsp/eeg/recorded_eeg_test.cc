// Recorded EEG through loss of consciousness under propofol (../shared/data/eeg_propofol_loc):
// 1024 Hz, 46 real gaps, with the spectral edge of each 4-s window as SciPy computes it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "dsp/eeg/eeg_measures.h"
#include "dsp/eeg/eeg_windows.h"
#include "dsp/spectral/welch.h"
#include "dsp/testing/test_signals.h"
#include "nlohmann/json.hpp"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 1024.0;

std::string Folder() { return DataFolder() + "/eeg_propofol_loc/"; }

std::vector<double> ReadSamples() {
  std::ifstream file(Folder() + "eeg_uV_1024hz.f32", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return {values.begin(), values.end()};
}

struct Reference {
  double start_s, edge_hz, median_hz, delta_uv2, theta_uv2, alpha_uv2, beta_uv2;
};

std::vector<Reference> ReadReference() {
  std::ifstream file(Folder() + "sef_4s_windows.csv");
  std::string line;
  std::getline(file, line);
  std::vector<Reference> windows;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::vector<double> row;
    for (std::string field; std::getline(fields, field, ',');) row.push_back(std::stod(field));
    windows.push_back(
        {row.at(0), row.at(1), row.at(2), row.at(3), row.at(4), row.at(5), row.at(6)});
  }
  return windows;
}

TEST(RecordedEeg, EdgeOfEachWindowIsThatOfTheReferenceAndGapsStayGaps) {
  if (!FileExists(Folder() + "reference.json")) GTEST_SKIP() << "skipped: no data";
  const std::vector<double> samples = ReadSamples();
  const auto reference = nlohmann::json::parse(std::ifstream(Folder() + "reference.json"));
  ASSERT_EQ(samples.size(), reference["n_samples"].get<std::size_t>());
  const double began_s = reference["t_range_s"][0];

  auto windows = EegWindows::Create({kRateHz, 4'000.0, 4'000.0}).value();
  auto estimator = WelchEstimator::Create({kRateHz, 2'048}).value();
  std::vector<std::pair<double, EegMeasures>> measured;
  for (const auto& segment : reference["segments"]) {
    const std::size_t first = segment["start_index"], length = segment["length"];
    // Where it lies in time: the gaps before it count.
    const double start_s = segment["t_start_s"];
    const auto position = static_cast<std::uint64_t>(std::llround((start_s - began_s) * kRateHz));
    const auto part = std::span<const double>(samples).subspan(first, length);
    windows.Push(position, part, [&](std::uint64_t at, std::span<const double> window) {
      const auto measures = MeasureEeg(estimator.Estimate(window).value());
      ASSERT_TRUE(measures.ok()) << measures.status();
      measured.emplace_back(began_s + static_cast<double>(at) / kRateHz, *measures);
    });
  }

  const std::vector<Reference> expected = ReadReference();
  ASSERT_EQ(measured.size(), expected.size());
  double worst_hz = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [start_s, measures] = measured[i];
    worst_hz = std::max(worst_hz, std::fabs(measures.spectral_edge_hz - expected[i].edge_hz));
    EXPECT_NEAR(start_s, expected[i].start_s, 0.002);
    EXPECT_NEAR(measures.spectral_edge_hz, expected[i].edge_hz, 0.5) << start_s;
    EXPECT_NEAR(measures.median_frequency_hz, expected[i].median_hz, 0.5) << start_s;
    EXPECT_NEAR(measures.delta_uv2, expected[i].delta_uv2, 0.01 * expected[i].delta_uv2) << start_s;
    EXPECT_NEAR(measures.theta_uv2, expected[i].theta_uv2, 0.01 * expected[i].theta_uv2) << start_s;
    EXPECT_NEAR(measures.alpha_uv2, expected[i].alpha_uv2, 0.01 * expected[i].alpha_uv2) << start_s;
    EXPECT_NEAR(measures.beta_uv2, expected[i].beta_uv2, 0.01 * expected[i].beta_uv2) << start_s;
  }
  std::printf("%zu windows: SEF95 within %.3f Hz\n", expected.size(), worst_hz);
}

}  // namespace
}  // namespace remora::dsp
