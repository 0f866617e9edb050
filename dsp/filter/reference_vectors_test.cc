// Every design and every filter against SciPy's numbers (../shared/data/dsp_vectors).
//
// Tolerance: |difference| <= 1e-9 x the largest magnitude of the vector compared (a section's
// numerator or denominator, an impulse response, an output). Element by element would compare
// rounding with rounding where a value passes through zero, as the zero-frequency sum of a
// band-pass numerator or the start of a steady-state response does.
//
// What starts in steady state is as exact as the reference itself: SciPy solves for the states,
// which loses eps / (1 + a1 + a2) where a pole is near z = 1. In exact arithmetic on SciPy's own
// coefficients its states are off by 5e-9 for HP2_0.5_20k and 2.6e-9 for DWAVE, and below 1e-10 for
// the other eighteen; SteadyTolerance allows for that and for nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

#include "dsp/filter/butterworth.h"
#include "dsp/filter/notch.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/filter/zero_phase.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

using Json = nlohmann::json;

constexpr double kTolerance = 1e-9;

// The input that the file describes in words; its first eight values are checked against the file.
std::vector<double> ReferenceInput() {
  std::vector<double> input(1024);
  std::uint64_t state = 12345;
  for (std::size_t i = 0; i < input.size(); ++i) {
    state = (1103515245u * state + 12345u) % (std::uint64_t{1} << 31);
    const double noise = static_cast<double>(state) / 2147483648.0 - 0.5;
    const double t = static_cast<double>(i);
    input[i] = std::sin(2.0 * std::numbers::pi * 0.01 * t) +
               0.5 * std::sin(2.0 * std::numbers::pi * 0.06 * t + 0.3) + 0.25 * noise +
               (i >= 256 ? 0.1 : 0.0);
  }
  return input;
}

void ExpectNear(const std::vector<double>& actual, const std::vector<double>& expected,
                double scale, const std::string& what, double tolerance = kTolerance) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance * scale) << what << " [" << i << "]";
  }
}

double SteadyTolerance(const Cascade& cascade) {
  double smallest = 1.0;
  for (const Section& s : cascade) smallest = std::min(smallest, 1.0 + s.a1 + s.a2);
  return std::max(kTolerance, std::numeric_limits<double>::epsilon() / smallest);
}

std::vector<double> Picked(const std::vector<double>& values, const Json& indices) {
  std::vector<double> picked;
  for (const auto& index : indices) picked.push_back(values[index.get<std::size_t>()]);
  return picked;
}

absl::StatusOr<Cascade> Design(const Json& reference) {
  const int order = reference["order"];
  const double rate = reference["fs_hz"];
  const std::string type = reference["btype"];
  const Json& corner = reference["cutoff_hz"];
  const auto single = [&] {
    return corner.is_array() ? corner[0].get<double>() : corner.get<double>();
  };
  if (type.starts_with("low")) return ButterworthLowPass(order, single(), rate);
  if (type.starts_with("high")) return ButterworthHighPass(order, single(), rate);
  if (type.starts_with("bandp")) return ButterworthBandPass(order, corner[0], corner[1], rate);
  return ButterworthBandStop(order, corner[0], corner[1], rate);
}

std::vector<double> Filtered(StreamingFilter filter, const std::vector<double>& input) {
  std::vector<double> output(input.size());
  filter.Process(input, output);
  return output;
}

class ReferenceVectors : public testing::Test {
 protected:
  Json Load(const std::string& name) {
    std::ifstream file(DataFolder() + "/dsp_vectors/" + name);
    return file.good() ? Json::parse(file, nullptr, false) : Json();
  }
};

TEST_F(ReferenceVectors, ButterworthCoefficientsAgreeWithSciPy) {
  const Json file = Load("butterworth_sos.json");
  if (file.is_null()) GTEST_SKIP() << "skipped: no data";
  ASSERT_EQ(file["cases"].size(), 20u);
  for (const Json& reference : file["cases"]) {
    const std::string name = reference["name"];
    const auto cascade = Design(reference);
    ASSERT_TRUE(cascade.ok()) << name << ": " << cascade.status();
    ASSERT_EQ(cascade->size(), reference["sos"].size()) << name;
    for (std::size_t i = 0; i < cascade->size(); ++i) {
      const std::vector<double> row = reference["sos"][i];
      const Section& s = (*cascade)[i];
      const std::vector<double> numerator(row.begin(), row.begin() + 3);
      const std::vector<double> denominator(row.begin() + 3, row.end());
      ExpectNear({s.b0, s.b1, s.b2}, numerator, MaxAbs(numerator), name + " numerator");
      ExpectNear({1.0, s.a1, s.a2}, denominator, MaxAbs(denominator), name + " denominator");
    }
  }
}

TEST_F(ReferenceVectors, ButterworthResponsesAgreeWithSciPy) {
  const Json file = Load("butterworth_sos.json");
  if (file.is_null()) GTEST_SKIP() << "skipped: no data";
  for (const Json& reference : file["cases"]) {
    const std::string name = reference["name"];
    const auto cascade = Design(reference);
    ASSERT_TRUE(cascade.ok()) << name;
    const std::vector<double> frequencies = reference["freqs_hz"];
    const std::vector<double> decibels = reference["mag_db"];
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      // As gains: a level of -300 dB is rounding, whatever computes it.
      const double gain = std::abs(ResponseAt(*cascade, frequencies[i], reference["fs_hz"]));
      EXPECT_NEAR(gain, std::pow(10.0, decibels[i] / 20.0), kTolerance)
          << name << " at " << frequencies[i] << " Hz";
    }
    std::vector<double> impulse(64, 0.0);
    impulse[0] = 1.0;
    const std::vector<double> expected = reference["impulse64"];
    ExpectNear(Filtered(StreamingFilter(*cascade), impulse), expected, MaxAbs(expected),
               name + " impulse");
  }
}

TEST_F(ReferenceVectors, SteadyStateAgreesWithSciPy) {
  const Json file = Load("butterworth_sos.json");
  if (file.is_null()) GTEST_SKIP() << "skipped: no data";
  for (const Json& reference : file["cases"]) {
    const auto cascade = Design(reference);
    ASSERT_TRUE(cascade.ok());
    std::vector<double> actual;
    for (const SectionState& state : SteadyState(*cascade)) {
      actual.insert(actual.end(), state.begin(), state.end());
    }
    std::vector<double> expected;
    for (const auto& row : reference["sosfilt_zi"]) {
      for (const double value : row) expected.push_back(value);
    }
    ExpectNear(actual, expected, MaxAbs(expected), reference["name"], SteadyTolerance(*cascade));
  }
}

TEST_F(ReferenceVectors, OnlyTwoDesignsNeedTheSteadyTolerance) {
  const Json file = Load("butterworth_sos.json");
  if (file.is_null()) GTEST_SKIP() << "skipped: no data";
  std::vector<std::string> names;
  for (const Json& reference : file["cases"]) {
    const auto cascade = Design(reference);
    ASSERT_TRUE(cascade.ok());
    if (SteadyTolerance(*cascade) > kTolerance) names.push_back(reference["name"]);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"DWAVE", "HP2_0.5_20k"}));
}

TEST_F(ReferenceVectors, StreamedOutputsAgreeWithSciPyInAnyBlocks) {
  const Json file = Load("butterworth_sos.json");
  if (file.is_null()) GTEST_SKIP() << "skipped: no data";
  const std::vector<double> input = ReferenceInput();
  const std::vector<double> first8 = file["input_first8"];
  ExpectNear({input.begin(), input.begin() + 8}, first8, 1.0, "input");
  for (const Json& reference : file["cases"]) {
    const std::string name = reference["name"];
    const auto cascade = Design(reference);
    ASSERT_TRUE(cascade.ok()) << name;
    StreamingFilter filter(*cascade);
    std::vector<double> output(input.size());
    for (std::size_t at = 0, length = 1; at < input.size();
         at += length, length = length % 97 + 5) {
      length = std::min(length, input.size() - at);
      filter.Process(std::span(input).subspan(at, length), std::span(output).subspan(at, length));
    }
    EXPECT_EQ(output, Filtered(StreamingFilter(*cascade), input)) << name << ": blocks differ";
    const std::vector<double> expected = reference["y_zero_state"];
    ExpectNear(Picked(output, reference["y_zero_state_idx"]), expected, MaxAbs(output), name);

    std::vector<double> state;
    for (const SectionState& s : filter.state()) state.insert(state.end(), s.begin(), s.end());
    std::vector<double> expected_state;
    for (const auto& row : reference["state_after_1024"]) {
      for (const double value : row) expected_state.push_back(value);
    }
    ExpectNear(state, expected_state, MaxAbs(expected_state), name + " state");

    StreamingFilter settled(*cascade);
    settled.ResetTo(input[0]);
    const std::vector<double> expected_settled = reference["y_zi_x0"];
    const std::vector<double> settled_output = Filtered(settled, input);
    ExpectNear(Picked(settled_output, reference["y_zero_state_idx"]), expected_settled,
               MaxAbs(settled_output), name + " from steady state", SteadyTolerance(*cascade));
  }
}

TEST_F(ReferenceVectors, ZeroPhaseOutputsAgreeWithSciPy) {
  const Json file = Load("butterworth_sos.json");
  if (file.is_null()) GTEST_SKIP() << "skipped: no data";
  const std::vector<double> input = ReferenceInput();
  for (const Json& reference : file["cases"]) {
    const std::string name = reference["name"];
    const auto cascade = Design(reference);
    ASSERT_TRUE(cascade.ok()) << name;
    const auto output = ZeroPhaseFilter(*cascade, input);
    ASSERT_TRUE(output.ok()) << name << ": " << output.status();
    const std::vector<double> expected = reference["y_filtfilt"];
    ExpectNear(Picked(*output, reference["y_zero_state_idx"]), expected, MaxAbs(*output), name,
               SteadyTolerance(*cascade));
  }
}

TEST_F(ReferenceVectors, NotchesAgreeWithSciPy) {
  const Json file = Load("notch.json");
  if (file.is_null()) GTEST_SKIP() << "skipped: no data";
  ASSERT_EQ(file["cases"].size(), 7u);
  const std::vector<double> input = ReferenceInput();
  for (const Json& reference : file["cases"]) {
    const std::string name = "notch " + reference["f0"].dump() + " Q " + reference["Q"].dump();
    const auto notch = DesignNotch(reference["f0"], reference["Q"], reference["fs"]);
    ASSERT_TRUE(notch.ok()) << name;
    const std::vector<double> b = reference["b"];
    const std::vector<double> a = reference["a"];
    ExpectNear({notch->b0, notch->b1, notch->b2}, b, MaxAbs(b), name);
    ExpectNear({1.0, notch->a1, notch->a2}, a, MaxAbs(a), name);
    const std::vector<double> frequencies = reference["freqs"];
    const std::vector<double> decibels = reference["mag_db"];
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      const double gain = std::abs(ResponseAt({*notch}, frequencies[i], reference["fs"]));
      EXPECT_NEAR(gain, std::pow(10.0, decibels[i] / 20.0), kTolerance) << name;
    }
    const std::vector<double> expected = reference["y"];
    const std::vector<double> output = Filtered(StreamingFilter({*notch}), input);
    ExpectNear(Picked(output, reference["y_idx"]), expected, MaxAbs(output), name);
  }
}

}  // namespace
}  // namespace remora::dsp
