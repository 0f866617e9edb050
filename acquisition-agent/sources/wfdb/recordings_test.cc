// The reader against records of PhysioNet (../shared/data/emg_needle_physionet): the numbers are
// those of the record's own headers and of its PROVENANCE.md.
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "acquisition-agent/sources/open.h"
#include "acquisition-agent/sources/testing/collected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::filesystem::path DataFolder() {
  if (const char* folder = std::getenv("REMORA_DATA")) return folder;
  const char* source = std::getenv("REMORA_SOURCE_DIR");
  return std::filesystem::path(source != nullptr ? source : ".") / "../shared/data";
}

TEST(WfdbRecordings, ReadAsTheirHeadersSay) {
  const struct {
    const char* name;
    size_t samples;
    int first;
    int16_t checksum;
  } records[] = {{"emg_healthy", 50'860, -333, -29'438}, {"emg_neuropathy", 147'858, 900, 16'686}};
  for (const auto& wanted : records) {
    const std::filesystem::path path =
        DataFolder() / "emg_needle_physionet" / (std::string(wanted.name) + ".hea");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no data";
    auto source = OpenSource("wfdb:" + path.string());
    ASSERT_TRUE(source.ok()) << source.status();
    const SourceInfo& info = (*source)->info();
    for (const std::string& note : info.notes) {
      EXPECT_THAT(note, Not(HasSubstr("checksum"))) << "the checksum must fit";
      EXPECT_THAT(note, Not(HasSubstr("age"))) << "comments are about the patient";
    }
    ASSERT_EQ(info.channels.size(), 1u);
    EXPECT_EQ(info.channels[0].label, "EMG");
    EXPECT_EQ(info.channels[0].sample_rate_hz, 4000);
    EXPECT_NEAR(info.channels[0].uv_per_count, 0.1, 1e-15);  // 10000 a mV
    const Collected collected = Collect(source->get());
    EXPECT_TRUE(collected.gaps.empty());
    const std::vector<double> samples = Samples(collected, 0, 0);
    ASSERT_EQ(samples.size(), wanted.samples);
    EXPECT_EQ(info.channels[0].CountOf(samples[0]), wanted.first);
    uint16_t sum = 0;
    for (const double sample : samples) {
      // -32768 stands for no value, and counts in the checksum.
      const int64_t count = std::isnan(sample) ? -32'768 : info.channels[0].CountOf(sample);
      sum = static_cast<uint16_t>(sum + static_cast<uint16_t>(count));
    }
    EXPECT_EQ(static_cast<int16_t>(sum), wanted.checksum);
  }
}

}  // namespace
}  // namespace remora::agent
