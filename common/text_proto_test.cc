#include "common/text_proto.h"

#include <string>

#include "common/testing/fake_file_system.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "remora/v1/plan.pb.h"

namespace remora {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string ErrorOf(const std::string& text) {
  v1::Plan plan;
  const absl::Status status = ParseTextProto(text, "spine.plan", &plan);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(TextProto, ReadsAFile) {
  FakeFileSystem files;
  auto file = files.OpenAppend("/spine.plan").value();
  ASSERT_TRUE(file->Append("# a plan\nprocedure: \"T4-L2\"\nmains_hz: 50\n").ok());
  v1::Plan plan;
  const absl::Status status = ReadTextProto(files, "/spine.plan", &plan);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(plan.procedure(), "T4-L2");
  EXPECT_EQ(plan.mains_hz(), 50);
  EXPECT_TRUE(absl::IsNotFound(ReadTextProto(files, "/none.plan", &plan)));
}

TEST(TextProto, HostileFieldGetsLineColumnAndTheNearestName) {
  const std::string error = ErrorOf("procedure: \"x\"\n  montage_fil: \"y\"\n");
  EXPECT_THAT(error, HasSubstr("spine.plan:2:3: "));
  EXPECT_THAT(error, HasSubstr("montage_fil"));
  EXPECT_THAT(error, HasSubstr("Did you mean \"montage_file\"?"));
}

TEST(TextProto, HostileNestedFieldGetsANameOfItsOwnMessage) {
  EXPECT_THAT(
      ErrorOf("evoked {\n  trigger {\n    label_prefx: \"STIM\"\n  }\n}\n"),
      testing::AllOf(HasSubstr("spine.plan:3:5: "), HasSubstr("Did you mean \"label_prefix\"?")));
}

TEST(TextProto, HostileEnumGetsTheNearestValue) {
  const std::string error = ErrorOf("evoked {\n  modality: MODALITY_SEP_UPER\n}\n");
  EXPECT_THAT(error, HasSubstr("spine.plan:2:"));
  EXPECT_THAT(error, HasSubstr("Did you mean \"MODALITY_SEP_UPPER\"?"));
}

TEST(TextProto, HostileNameThatIsNearToNothingGetsNoSuggestion) {
  EXPECT_THAT(ErrorOf("zzzzzzzzzz: 1\n"), Not(HasSubstr("Did you mean")));
}

TEST(TextProto, HostileTextsGetOneMessageWithAPlace) {
  EXPECT_THAT(ErrorOf("procedure: \"open\n"), HasSubstr("spine.plan:1:"));
  EXPECT_THAT(ErrorOf("mains_hz: fifty\n"), HasSubstr("spine.plan:1:11: "));
  EXPECT_THAT(ErrorOf("evoked {\n"), HasSubstr("spine.plan:2:1: "));
  EXPECT_THAT(ErrorOf("mains_hz: 50\nprocedure: \"\xff\"\n"),
              HasSubstr("spine.plan:2:1: not UTF-8"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "evoked {";
  EXPECT_THAT(ErrorOf(deep), HasSubstr("spine.plan:1:"));
  EXPECT_THAT(ErrorOf("mains_hz: 50 mains_hz: 60"), HasSubstr("spine.plan:1:"));
}

TEST(TextProto, HostileSizeIsRefused) {
  FakeFileSystem files;
  auto file = files.OpenAppend("/large.plan").value();
  ASSERT_TRUE(file->Append(std::string(2 * 1024 * 1024, '#')).ok());
  v1::Plan plan;
  EXPECT_TRUE(absl::IsInvalidArgument(ReadTextProto(files, "/large.plan", &plan)));
}

}  // namespace
}  // namespace remora
