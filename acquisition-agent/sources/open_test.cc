#include "acquisition-agent/sources/open.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "acquisition-agent/sources/testing/edf_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string TempPath(const std::string& name) {
  return (std::filesystem::path(::testing::TempDir()) / name).string();
}

std::string WriteTempRecording(const std::string& name) {
  edf::TestRecording recording;
  edf::TestSignal trigger;
  trigger.label = "Marker";
  trigger.dimension = "";
  trigger.count = [](int64_t i) { return i == 15 ? 2 : 0; };
  trigger.physical_min = "-32768";
  trigger.physical_max = "32767";
  recording.signals = {edf::TestSignal{}, trigger};
  const std::vector<uint8_t> bytes = WriteRecording(recording);
  const std::string path = TempPath(name);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  return path;
}

std::string ErrorOf(const std::string& uri,
                    absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  const auto source = OpenSource(uri);
  if (source.ok()) return "no error";
  EXPECT_EQ(source.status().code(), code) << source.status();
  return std::string(source.status().message());
}

TEST(OpenSource, OpensARecordingWithItsOptions) {
  const std::string path = WriteTempRecording("remora open?test%.edf");
  std::string escaped = path;
  escaped.replace(escaped.find('%'), 1, "%25");
  escaped.replace(escaped.find('?'), 1, "%3F");
  auto source =
      OpenSource("edf:" + escaped + "?triggers=channel:Marker&codes=2:MED R,3:MED L&block_ms=100");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->info().name, path);
  int triggers = 0;
  while (true) {
    const absl::StatusOr<Item> item = (*source)->Next();
    ASSERT_TRUE(item.ok());
    if (std::holds_alternative<EndOfSource>(*item)) break;
    if (const auto* trigger = std::get_if<StimulusTrigger>(&*item)) {
      ++triggers;
      EXPECT_EQ(trigger->label, "MED R");
      EXPECT_EQ(trigger->time_ns, 1'500'000'000);
    }
  }
  EXPECT_EQ(triggers, 1);
  std::remove(path.c_str());
}

TEST(OpenSource, OpensShippedAndOwnScenarios) {
  for (const char* uri :
       {"sim:", "sim:quiet", "sim:cord?seed=3&rate=2000&seconds=5&mains_hz=60&block_ms=10",
        "sim:noisy"}) {
    auto source = OpenSource(uri);
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_EQ((*source)->info().channels.size(), 16u);
  }
  EXPECT_EQ((*OpenSource("sim:cord?seconds=5"))->info().duration_ns, 5'000'000'000);
  EXPECT_FALSE((*OpenSource("sim:cord"))->info().duration_ns);
  const std::string path = TempPath("remora_open_test.scenario");
  std::ofstream(path) << "channels CPz, Fz\n";
  EXPECT_EQ((*OpenSource("sim:" + path))->info().channels.size(), 2u);
  std::ofstream(path) << "channels CPz, Fz\nat 3 s: diatermy\n";
  EXPECT_THAT(ErrorOf("sim:" + path),
              AllOf(HasSubstr("remora_open_test.scenario:2: \"diatermy\" is not an event"),
                    ::testing::Not(HasSubstr("source \""))));
  std::remove(path.c_str());
}

TEST(OpenSource, HostileAddressesGetOneClearMessage) {
  EXPECT_THAT(ErrorOf(""),
              HasSubstr("a source is edf:PATH for a recording or sim:NAME for the simulator"));
  EXPECT_THAT(ErrorOf("/tmp/x.edf"), HasSubstr("source \"/tmp/x.edf\": a source is edf:PATH"));
  EXPECT_THAT(ErrorOf("edf:"), HasSubstr("no file; write edf:PATH"));
  EXPECT_THAT(ErrorOf("edf:/nonexistent.edf", absl::StatusCode::kNotFound),
              HasSubstr("cannot open /nonexistent.edf"));
  EXPECT_THAT(ErrorOf("edf:/x?trigger=none"),
              HasSubstr("no option \"trigger\" (did you mean \"triggers\"?)"));
  EXPECT_THAT(ErrorOf("edf:/x?triggers=channel"),
              HasSubstr("must be auto, none, annotations:PREFIX or channel:LABEL"));
  EXPECT_THAT(ErrorOf("edf:/x?codes=MED R"), HasSubstr("must be like 1:MED R"));
  EXPECT_THAT(ErrorOf("edf:/x?block_ms=0"),
              HasSubstr("option block_ms: \"0\" must be a whole number from 1 to 10000"));
  EXPECT_THAT(ErrorOf("edf:/x?block_ms=1&block_ms=2"), HasSubstr("given twice"));
  EXPECT_THAT(ErrorOf("edf:/100%.edf"), HasSubstr("a percent sign itself is written %25"));
  EXPECT_THAT(ErrorOf("sim:cort"),
              AllOf(HasSubstr("there is no scenario \"cort\" (did you mean \"cord\"?)"),
                    HasSubstr("quiet, cord, noisy")));
  EXPECT_THAT(ErrorOf("sim:none.scenario", absl::StatusCode::kNotFound),
              HasSubstr("cannot open none.scenario"));
  EXPECT_THAT(ErrorOf("sim:quiet?seed=-1"),
              HasSubstr("option seed: \"-1\" must be a whole number from 0"));
  EXPECT_THAT(ErrorOf("sim:quiet?rate=nan"), HasSubstr("option rate"));
  EXPECT_THAT(ErrorOf("sim:quiet?rate=5000&seconds=0"), HasSubstr("option seconds"));
  const std::string path = TempPath("remora_open_test.txt");
  std::ofstream(path) << "This is no recording, but a text that somebody renamed. "
                      << std::string(300, 'x');
  EXPECT_THAT(ErrorOf("edf:" + path),
              HasSubstr("the first 8 bytes are \"This is\"; an EDF recording begins with"));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace remora::agent
