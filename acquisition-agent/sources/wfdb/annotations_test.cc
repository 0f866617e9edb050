#include "acquisition-agent/sources/wfdb/annotations.h"

#include "acquisition-agent/sources/testing/wfdb_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::wfdb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Annotations Read(const std::vector<uint8_t>& bytes) {
  absl::StatusOr<Annotations> annotations = ParseAnnotations(bytes);
  EXPECT_TRUE(annotations.ok()) << annotations.status();
  return annotations.ok() ? *std::move(annotations) : Annotations();
}

// "TIME TEXT" of each.
std::vector<std::string> Told(const Annotations& annotations) {
  std::vector<std::string> out;
  for (const Annotation& a : annotations.annotations) {
    out.push_back(std::to_string(a.time) + " " + annotations.texts.texts()[a.text]);
  }
  return out;
}

// The first annotations of MIT-BIH record 100, byte for byte: a rhythm "+" with "(N" at sample 18,
// then beats at 77, 370 and 662.
TEST(WfdbAnnotations, AreWhatTheDescriptionSays) {
  const Annotations annotations =
      Read({0x12, 0x70, 0x03, 0xFC, '(', 'N', 0, 0, 0x3B, 0x04, 0x25, 0x05, 0x24, 0x05, 0, 0});
  EXPECT_THAT(Told(annotations), ElementsAre("18 + (N", "77 N", "370 N", "662 N"));
  EXPECT_THAT(annotations.notes, IsEmpty());
}

TEST(WfdbAnnotations, KeepsFieldsAndSkips) {
  const Annotations annotations = Read(AnnotationWriter()
                                           .Add(22, 0)
                                           .Aux("## time resolution: 1000")
                                           .Add(5, 1023)
                                           .Field(61, 2)
                                           .Add(1, 100'000)
                                           .Field(62, 3)
                                           .Field(60, -1)
                                           .Add(22, 5)
                                           .Aux("STIM MED R")
                                           .Add(1, -50)
                                           .Field(62, 0)
                                           .Field(60, 0)
                                           .Add(0, 7)
                                           .Add(50, 3)
                                           .Finish());
  EXPECT_EQ(annotations.time_resolution_hz, 1000);
  EXPECT_THAT(Told(annotations),
              ElementsAre("1023 V subtype 2", "101023 N channel 3 num -1",
                          "101028 STIM MED R channel 3 num -1", "100978 N", "100988 code 50"));
}

TEST(WfdbAnnotations, HostileEndsAreToldOrRefused) {
  const std::vector<uint8_t> whole =
      AnnotationWriter().Add(1, 5).Add(22, 2000).Aux("some text").Finish();
  for (size_t length = 0; length < whole.size(); ++length) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<long>(length));
    const absl::StatusOr<Annotations> annotations = ParseAnnotations(cut);
    if (annotations.ok()) {
      EXPECT_THAT(annotations->notes, ElementsAre(HasSubstr("no end mark"))) << length;
    } else {
      EXPECT_THAT(std::string(annotations.status().message()),
                  HasSubstr("it ends inside an annotation"));
    }
  }
  std::vector<uint8_t> more = whole;
  more.push_back(9);
  EXPECT_THAT(Read(more).notes, ElementsAre(HasSubstr("1 more bytes; not read")));
}

TEST(WfdbAnnotations, HostileTimesAreRefused) {
  AnnotationWriter writer;
  for (int i = 0; i < 140'000; ++i) writer.Add(1, INT32_MAX);
  EXPECT_THAT(std::string(ParseAnnotations(writer.Finish()).status().message()),
              HasSubstr("the annotation lies at sample 28"));
}

}  // namespace
}  // namespace remora::agent::wfdb
