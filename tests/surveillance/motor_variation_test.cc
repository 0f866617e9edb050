#include "tests/surveillance/motor_variation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace remora::surveillance {
namespace {

TEST(MotorVariation, MeasuresSpreadAndWhatFollowsWhat) {
  std::vector<double> amplitudes;
  for (int i = 0; i < 60; ++i) amplitudes.push_back(i % 3 == 0 ? 100 : i % 3 == 1 ? 300 : 200);
  amplitudes.push_back(0);
  const auto variation = MeasureVariation(amplitudes);
  ASSERT_TRUE(variation.ok());
  EXPECT_EQ(variation->trials, 60);
  EXPECT_EQ(variation->absent, 1);
  EXPECT_NEAR(variation->cv, 0.408, 0.001);
  EXPECT_NEAR(variation->serial_correlation, -0.5, 0.1);
}

TEST(MotorVariation, OfFewTrialsIsRefused) {
  EXPECT_FALSE(MeasureVariation(std::vector<double>(19, 100.0)).ok());
}

TEST(MotorVariation, HostileTablesAreRefused) {
  EXPECT_EQ(ReadAmplitudes("/nowhere.csv").status().code(), absl::StatusCode::kNotFound);
  const std::string path = testing::TempDir() + "/features.csv";
  std::ofstream(path) << "Latency\n1\n";
  EXPECT_FALSE(ReadAmplitudes(path).ok());
  std::ofstream(path) << "Latency,Amplitude\n1\n";
  EXPECT_FALSE(ReadAmplitudes(path).ok());
  std::ofstream(path) << "Latency,Amplitude\n1,12.5\n";
  EXPECT_EQ(*ReadAmplitudes(path), std::vector<double>{12.5});
}

TEST(MotorVariation, OfRealResponsesIsSkewedToTheSmallSide) {
  const char* folder = std::getenv("REMORA_DATA");
  const std::string data = folder == nullptr ? "../shared/data" : folder;
  const auto amplitudes = ReadAmplitudes(data + "/mep_tms_uef/ID01_features.csv");
  if (!amplitudes.ok()) GTEST_SKIP() << "no data: " << amplitudes.status();
  const auto variation = MeasureVariation(*amplitudes);
  ASSERT_TRUE(variation.ok());
  EXPECT_EQ(variation->trials, 152);
  EXPECT_NEAR(variation->cv, 0.59, 0.01);
  EXPECT_LT(variation->log_skewness, -0.5);
}

}  // namespace
}  // namespace remora::surveillance
