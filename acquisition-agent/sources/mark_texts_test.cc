#include "acquisition-agent/sources/mark_texts.h"

#include "acquisition-agent/sources/recording_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(MarkTexts, KeepsEachTextOnceAndKnowsStimuli) {
  MarkTexts texts;
  EXPECT_EQ(*texts.Add("Stimulus S  1"), 0);
  EXPECT_EQ(*texts.Add("Response R  2"), 1);
  EXPECT_EQ(*texts.Add("Stimulus S  1"), 0);
  EXPECT_EQ(*texts.Add("Stimulus S  2"), 2);
  TriggerOptions options;
  options.annotation_prefix = "Stimulus";
  options.code_labels = {{2, "TIB R"}};
  Recording recording;
  ASSERT_TRUE(texts.GiveTo(options, &recording).ok());
  ASSERT_EQ(recording.texts.size(), 3u);
  EXPECT_EQ(recording.texts[0].stimulus->code, 1);
  EXPECT_EQ(recording.texts[0].stimulus->label, "S 1");
  EXPECT_EQ(recording.texts[2].stimulus->label, "TIB R");
  EXPECT_FALSE(recording.texts[1].stimulus);
  EXPECT_THAT(recording.info.notes, Contains(HasSubstr("begin with \"Stimulus\"")));
}

TEST(MarkTexts, HostileTextsAreCleanedCutAndBounded) {
  MarkTexts texts;
  ASSERT_TRUE(texts.Add("a\x1B[2Jb\xB5").ok());
  EXPECT_EQ(texts.texts()[0], "a [2Jb\u00B5");
  std::string longer(static_cast<size_t>(kMaxMarkText) - 1, 'x');
  longer += "\u4E2D\u4E2D";
  ASSERT_TRUE(texts.Add(longer).ok());
  EXPECT_EQ(texts.texts()[1].size(), static_cast<size_t>(kMaxMarkText) - 1);
  EXPECT_EQ(texts.cut(), 1);
  absl::Status status;
  for (int i = 0; status.ok() && i < 10'000; ++i) {
    status = texts.Add(std::to_string(i) + std::string(4000, 'y')).status();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace remora::agent
