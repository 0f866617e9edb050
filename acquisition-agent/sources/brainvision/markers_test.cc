#include "acquisition-agent/sources/brainvision/markers.h"

#include "acquisition-agent/sources/testing/brainvision_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::brainvision {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Markers Read(const std::vector<std::string>& lines) {
  TestRecording r;
  r.markers = lines;
  absl::StatusOr<Markers> markers = ParseMarkers(MarkersOf(r), 1'000'000);
  EXPECT_TRUE(markers.ok()) << markers.status();
  return *std::move(markers);
}

TEST(BrainVisionMarkers, ReadsMarkersAndSegments) {
  const Markers markers =
      Read({"New Segment,,1,1,0,20131113161403794232", "Stimulus,S  1,487,1,0",
            "Stimulus,S  1,497,1,3", "Comment,a\\1 b,600,20,0", "Bad Interval,,700,50,4",
            "New Segment,,801,1,0", "Stimulus,S  1,900"});
  ASSERT_EQ(markers.markers.size(), 5u);
  EXPECT_EQ(markers.markers[0].position, 486);
  EXPECT_EQ(markers.markers[0].size, 1);
  EXPECT_EQ(markers.markers[2].size, 20);
  EXPECT_EQ(markers.markers[4].position, 899);
  EXPECT_THAT(markers.texts.texts(),
              ElementsAre("Stimulus S  1", "Comment a, b", "Bad Interval (channel 4)"));
  EXPECT_EQ(markers.markers[1].text, 0);
  ASSERT_EQ(markers.segments.size(), 2u);
  EXPECT_EQ(markers.segments[0].position, 0);
  EXPECT_EQ(markers.segments[0].date_ns, 1'384'359'243'794'232'000);
  EXPECT_FALSE(markers.segments[1].date_ns);
  EXPECT_THAT(markers.notes, IsEmpty());
}

TEST(BrainVisionMarkers, HostileDatesAreUnknown) {
  for (const char* date : {"00000000000000000000", "20131313161403794232", "20130231161403794232",
                           "2013111316140379423", "201311131614037942321", "2013111316140379423x",
                           "99991231235959999999", "20131113256003794232", ""}) {
    const Markers markers = Read({std::string("New Segment,,1,1,0,") + date});
    ASSERT_EQ(markers.segments.size(), 1u);
    EXPECT_FALSE(markers.segments[0].date_ns) << date;
  }
}

TEST(BrainVisionMarkers, HostileLinesAreSkippedAndCounted) {
  const Markers markers =
      Read({"Stimulus,S  1,x,1,0", "Stimulus,S  1", "Stimulus,S  1,99999999999999999999,1,0",
            "Stimulus,S  1,-9223372036854775808,1,0", "Stimulus,S  1,2000000,1,0",
            "Stimulus,S  1,5,-7,0", ",,6,1,0"});
  ASSERT_EQ(markers.markers.size(), 2u);
  EXPECT_EQ(markers.markers[0].size, 0);
  EXPECT_EQ(markers.texts.texts()[1], "");
  EXPECT_THAT(
      markers.notes,
      ElementsAre(HasSubstr("5 lines of the marker file are no marker (the first is line 6)")));
}

TEST(BrainVisionMarkers, HostileFilesAreRefused) {
  EXPECT_THAT(std::string(ParseMarkers("", 100).status().message()),
              HasSubstr("it must be like \"Brain Vision Data Exchange Marker File Version 1.0\""));
  EXPECT_FALSE(ParseMarkers(HeaderOf(TestRecording{}), 100).ok());
}

}  // namespace
}  // namespace remora::agent::brainvision
