#include "acquisition-agent/sources/open.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "acquisition-agent/sources/testing/brainvision_files.h"
#include "acquisition-agent/sources/testing/collected.h"
#include "acquisition-agent/sources/testing/edf_writer.h"
#include "acquisition-agent/sources/testing/wfdb_files.h"
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

void Write(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

TEST(OpenSource, OpensBrainVisionWithTheFilesBesideIt) {
  const std::filesystem::path folder = TempPath("remora_open_brainvision");
  std::filesystem::create_directories(folder);
  brainvision::TestRecording recording;
  for (const auto& [name, bytes] : brainvision::FilesOf(recording)) Write(folder / name, bytes);
  const std::string uri = "brainvision:" + (folder / "case.vhdr").string();
  auto source = OpenSource(uri + "?codes=1:MED L&block_ms=10");
  ASSERT_TRUE(source.ok()) << source.status();
  const Collected collected = Collect(source->get());
  ASSERT_EQ(collected.triggers.size(), 1u);
  EXPECT_EQ(collected.triggers[0].label, "MED L");
  EXPECT_EQ(collected.blocks.size(), 10u);
  // A header does not lead anywhere else.
  for (const char* name : {"../secret.eeg", "/etc/passwd", "a\\b", ".."}) {
    recording.data_file = name;
    Write(folder / "case.vhdr", BytesOf(HeaderOf(recording)));
    EXPECT_THAT(ErrorOf(uri), HasSubstr("only files beside the header are read")) << name;
  }
  std::filesystem::remove_all(folder);
}

TEST(OpenSource, OpensWfdbWithItsAnnotations) {
  const std::filesystem::path folder = TempPath("remora_open_wfdb");
  std::filesystem::create_directories(folder);
  Write(folder / "r.hea", BytesOf("r 1 100\nr.dat 16 1/uV\n"));
  Write(folder / "r.dat", wfdb::EncodeSamples(16, std::vector<int32_t>(300, 7)));
  Write(folder / "r.atr", wfdb::AnnotationWriter().Add(1, 10).Finish());
  Write(folder / "r.qrs", wfdb::AnnotationWriter().Add(1, 150).Add(5, 60).Finish());
  const std::string uri = "wfdb:" + (folder / "r.hea").string();
  auto source = OpenSource(uri + "?annotator=qrs&from=1s&to=2.5&loop=2");
  ASSERT_TRUE(source.ok()) << source.status();
  const Collected collected = Collect(source->get());
  EXPECT_EQ(Samples(collected, 0, 0).size(), 300u);
  ASSERT_EQ(collected.events.size(), 4u);
  EXPECT_EQ(collected.events[1].text, "V");
  EXPECT_EQ(collected.events[3].time_ns, 2'600'000'000);
  EXPECT_THAT(ErrorOf(uri + "?annotator=..%2Fx"), HasSubstr("only files beside the header"));
  std::filesystem::remove_all(folder);
}

// Whatever is skipped, the rest is as without.
TEST(OpenSource, PartsOfARecordingAreThoseOfTheWhole) {
  const std::string path = WriteTempRecording("remora open part.edf");
  const std::string options = "?triggers=channel:Marker&codes=2:MED R";
  const Collected whole = Collect(OpenSource("edf:" + path + options)->get());
  ASSERT_EQ(whole.triggers.size(), 1u);
  for (const char* from : {"0.3s", "1.4", "1500ms", "1.6s", "2.9s"}) {
    auto source = OpenSource("edf:" + path + options + "&from=" + from);
    ASSERT_TRUE(source.ok()) << source.status();
    const Collected part = Collect(source->get());
    const std::vector<double> all = Samples(whole, 0, 0);
    const std::vector<double> rest = Samples(part, 0, 0);
    ASSERT_LT(rest.size(), all.size());
    EXPECT_TRUE(std::equal(rest.rbegin(), rest.rend(), all.rbegin())) << from;
    const int64_t from_ns = 3'000'000'000 - part.blocks.back().end_time_ns;
    ASSERT_EQ(part.triggers.size(), from_ns <= 1'500'000'000 ? 1u : 0u) << from;
    if (!part.triggers.empty()) {
      EXPECT_EQ(part.triggers[0].time_ns, whole.triggers[0].time_ns - from_ns);
    }
  }
  auto endless = OpenSource("edf:" + path + "?loop=true");
  ASSERT_TRUE(endless.ok());
  EXPECT_FALSE((*endless)->info().duration_ns);
  std::remove(path.c_str());
}

TEST(OpenSource, HostilePlaybackOptionsAreRefused) {
  EXPECT_THAT(ErrorOf("edf:/x?from=yesterday"),
              HasSubstr("option from: \"yesterday\" must be a time such as 90s, 1m30s, 1.5h"));
  for (const char* bad : {"-1s", "nan", "inf", "1e300", "", "-0.5"}) {
    EXPECT_THAT(ErrorOf(std::string("wfdb:/x?to=") + bad), HasSubstr("option to: ")) << bad;
  }
  for (const char* bad : {"0", "-1", "yes", "1000001", ""}) {
    EXPECT_THAT(ErrorOf(std::string("brainvision:/x?loop=") + bad),
                HasSubstr("must be true, false or a number of rounds from 1 to 1000000"));
  }
  EXPECT_THAT(ErrorOf("sim:quiet?from=1s"), HasSubstr("there is no option \"from\""));
  EXPECT_THAT(ErrorOf("edf:/x?annotator=atr"), HasSubstr("there is no option \"annotator\""));
  EXPECT_THAT(ErrorOf("wfdb:"), HasSubstr("no file; write wfdb:PATH.hea"));
  EXPECT_THAT(ErrorOf("lsl:"), HasSubstr("no stream; write lsl:NAME, or lsl:?type=EEG"));
  EXPECT_THAT(ErrorOf("lsl:EEG?library=/nonexistent.so", absl::StatusCode::kUnavailable),
              HasSubstr("liblsl is not installed"));
}

TEST(OpenSource, HostileAddressesGetOneClearMessage) {
  EXPECT_THAT(
      ErrorOf(""),
      HasSubstr("a source is edf:PATH, brainvision:PATH.vhdr or wfdb:PATH.hea for a recording, "
                "lsl:NAME for a stream, feed:ENDPOINT for a device, or sim:NAME"));
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

TEST(OpenSource, HostileFeedsAreRefusedBeforeAnythingIsWaitedFor) {
  EXPECT_THAT(ErrorOf("feed:"), HasSubstr("write feed:tcp://HOST:PORT"));
  EXPECT_THAT(ErrorOf("feed:udp://amp:1"), HasSubstr("tcp://HOST:PORT or ipc://PATH"));
  EXPECT_THAT(ErrorOf("feed:tcp://192.0.2.1:5570"), HasSubstr("needs keys"));
  EXPECT_THAT(ErrorOf("feed:ipc://amp?wait_s=0"), HasSubstr("option wait_s"));
  EXPECT_THAT(ErrorOf("feed:ipc://amp?key=a"), HasSubstr("go together"));
  EXPECT_THAT(ErrorOf("feed:ipc://amp?codes=MED R"), HasSubstr("must be like 1:MED R"));
  EXPECT_THAT(ErrorOf("feed:ipc://amp?speed=2"), HasSubstr("there is no option \"speed\""));
  EXPECT_THAT(ErrorOf("feed:ipc://amp?key=/none&server_key=/none", absl::StatusCode::kNotFound),
              HasSubstr("/none"));
}

}  // namespace
}  // namespace remora::agent
