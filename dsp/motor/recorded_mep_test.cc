// Recorded motor evoked potentials against their published table (../shared/data/mep_tms_uef):
// first dorsal interosseus, 152 sweeps, and extensor carpi radialis, 70 sweeps of a recruitment
// curve, 15 of them without a response; 3 kHz, single sweeps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "dsp/motor/motor_response.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

using Table = std::vector<std::vector<double>>;

// Without its first line.
Table ReadTable(const std::string& path) {
  Table table;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    auto& row = table.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) row.push_back(std::stod(field));
  }
  return table;
}

struct Published {
  double amplitude_uv, onset_ms, peak_ms, trough_ms;
};

struct Recording {
  Timebase timebase;
  Table sweeps;
  std::vector<Published> published;
};

Recording Read(const std::string& name) {
  const std::string path = DataFolder() + "/mep_tms_uef/" + name;
  const Table samples = ReadTable(path + ".csv");
  Recording recording;
  recording.timebase = {3000.0, samples.at(0).at(0)};
  recording.sweeps.resize(samples[0].size() - 1);
  for (const auto& row : samples) {
    for (std::size_t i = 0; i < recording.sweeps.size(); ++i) {
      recording.sweeps[i].push_back(row.at(i + 1));
    }
  }
  for (const auto& row : ReadTable(path + "_features.csv")) {
    recording.published.push_back({row.at(0), row.at(1), row.at(7), row.at(9)});
  }
  return recording;
}

// Amplitude within 1 %, peak and trough within 0.35 ms, in every sweep; how many are absent.
void Compare(const std::string& name, LatencyWindow search, int absent) {
  const std::string path = DataFolder() + "/mep_tms_uef/" + name + ".csv";
  if (!FileExists(path)) GTEST_SKIP() << "skipped: no data";
  const Recording recording = Read(name);
  ASSERT_EQ(recording.sweeps.size(), recording.published.size());
  int without = 0;
  std::vector<double> onset_errors_ms;
  double worst_percent = 0.0;
  double worst_ms = 0.0;
  for (std::size_t i = 0; i < recording.sweeps.size(); ++i) {
    const Published& published = recording.published[i];
    MotorResponseOptions options;
    options.search = search;
    options.noise = {-45.0, -2.0};
    options.least_uv = 50.0;  // as published
    const auto response = MeasureMotorResponse(recording.sweeps[i], recording.timebase, options);
    ASSERT_TRUE(response.ok()) << response.status();
    if (published.amplitude_uv == 0.0) {
      ++without;
      EXPECT_EQ(response->presence, Presence::kAbsent) << i << " " << response->amplitude_uv;
      continue;
    }
    EXPECT_NE(response->presence, Presence::kAbsent) << i << " " << response->amplitude_uv;
    EXPECT_NEAR(response->amplitude_uv, published.amplitude_uv, 0.01 * published.amplitude_uv) << i;
    EXPECT_NEAR(response->first.latency_ms, published.peak_ms, 0.35) << i;
    EXPECT_NEAR(response->second.latency_ms, published.trough_ms, 0.35) << i;
    worst_percent = std::max(
        worst_percent, 100.0 * std::fabs(response->amplitude_uv / published.amplitude_uv - 1.0));
    worst_ms = std::max({worst_ms, std::fabs(response->first.latency_ms - published.peak_ms),
                         std::fabs(response->second.latency_ms - published.trough_ms)});
    onset_errors_ms.push_back(response->onset_ms - published.onset_ms);
  }
  EXPECT_EQ(without, absent);
  std::printf("%zu sweeps, %d without a response: amplitude within %.2f %%, peaks within %.2f ms\n",
              recording.sweeps.size(), without, worst_percent, worst_ms);
  std::sort(onset_errors_ms.begin(), onset_errors_ms.end());
  EXPECT_NEAR(onset_errors_ms[onset_errors_ms.size() / 2], 0.0, 1.5) << "onset, median";
}

TEST(RecordedMep, FirstDorsalInterosseusAsPublished) { Compare("ID01", {18.0, 75.0}, 0); }

TEST(RecordedMep, ExtensorCarpiRadialisAsPublishedWithItsSweepsOfNoResponse) {
  Compare("ID10_1", {12.0, 60.0}, 15);
}

}  // namespace
}  // namespace remora::dsp
