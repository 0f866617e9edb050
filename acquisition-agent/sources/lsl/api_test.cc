#include "acquisition-agent/sources/lsl/api.h"

#include "acquisition-agent/sources/open.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::lsl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(LoadLsl, TakesTheFirstLibraryThatIsThere) {
  const absl::StatusOr<LslApi> api = LoadLsl({"libnosuchlsl.so.9", REMORA_FAKE_LIBLSL});
  ASSERT_TRUE(api.ok()) << api.status();
  EXPECT_EQ(api->library_version(), 117);
  EXPECT_EQ(api->local_clock(), 1000);
}

TEST(LoadLsl, SaysWhatToDoWhereItIsNotInstalled) {
  const absl::Status status = LoadLsl({"libnosuchlsl.so.9"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("liblsl is not installed (looked for libnosuchlsl.so.9"),
                    HasSubstr("https://github.com/sccn/liblsl/releases"), HasSubstr("feed:")));
}

TEST(LoadLsl, HostileLibrariesWithoutTheFunctionsAreRefused) {
  const absl::Status status = LoadLsl({REMORA_EMPTY_LIBLSL}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has no function lsl_local_clock"));
  EXPECT_FALSE(LoadLsl({"/dev/null"}).ok());
}

// From the address through dlopen to the samples.
TEST(LoadLsl, StreamsComeThroughTheLibrary) {
  const std::string library = std::string("library=") + REMORA_FAKE_LIBLSL;
  auto source = OpenSource("lsl:Fake EEG,Fake markers?codes=7:MED R&" + library);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_TRUE((*source)->info().live);
  EXPECT_EQ((*source)->info().channels[1].label, "Fz");
  int64_t samples = 0;
  std::vector<StimulusTrigger> triggers;
  while (true) {
    absl::StatusOr<Item> item = (*source)->Next();
    ASSERT_TRUE(item.ok()) << item.status();
    if (std::holds_alternative<NothingYet>(*item)) break;
    if (const auto* trigger = std::get_if<StimulusTrigger>(&*item)) triggers.push_back(*trigger);
    if (const auto* block = std::get_if<SampleBlock>(&*item)) {
      for (int32_t i = 0; i < block->samples_per_channel; ++i, ++samples) {
        EXPECT_EQ(block->channel(0)[i], samples);
        EXPECT_NEAR(block->channel(1)[i], samples, 1e-9);
      }
    }
  }
  EXPECT_EQ(samples, 450);  // the last 100 ms are held for markers
  ASSERT_EQ(triggers.size(), 1u);
  EXPECT_EQ(triggers[0].label, "MED R");
  EXPECT_NEAR(triggers[0].time_ns, 200'000'000, 1000);
}

}  // namespace
}  // namespace remora::agent::lsl
