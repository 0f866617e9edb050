#include "acquisition-agent/pipelines/laryngeal_site.h"

#include <string>

#include <gtest/gtest.h>

namespace remora::agent {
namespace {

std::string Read(absl::string_view text) {
  const std::optional<LaryngealSite> site = LaryngealSiteOf(text);
  return site ? NameOf(*site) : "none";
}

TEST(LaryngealSite, EverySpellingHasOneName) {
  for (const char* station : {"L1", "V1", "R1", "R2", "V2", "L2"})
    EXPECT_EQ(Read(station), station);
  EXPECT_EQ(Read("v1"), "V1");
  EXPECT_EQ(Read("v1 left"), "V1 left");
  EXPECT_EQ(Read("V1 L"), "V1 left");
  EXPECT_EQ(Read("L V1"), "V1 left");
  EXPECT_EQ(Read("r2r"), "R2 right");
  EXPECT_EQ(Read("R2-R"), "R2 right");
  EXPECT_EQ(Read("Left r2, proximal"), "R2 left proximal");
}

TEST(LaryngealSite, ANameIsReadBackTheSame) {
  for (const char* text : {"left r2, proximal", "V2R", "l1"}) {
    EXPECT_EQ(Read(Read(text)), Read(text));
  }
}

TEST(LaryngealSite, WhatIsNoStationIsNone) {
  for (const char* text :
       {"", "V", "V3", "L4 L", "V1 R1", "V1 left right", "V1L right", "V1x", "vagus left", "R12"}) {
    EXPECT_EQ(Read(text), "none") << text;
  }
}

TEST(LaryngealSite, HostileBytesAreNoStationNorLost) {
  EXPECT_EQ(Read(absl::string_view("V1\0left", 7)), "none");
  EXPECT_EQ(Read("\xc3\xa4 V1"), "V1 \xc3\xa4");
  EXPECT_EQ(Read(std::string(200, '-')), "none");
  const std::string longest = "v1l " + std::string(123, 'x');
  EXPECT_EQ(Read(longest), "V1 left " + std::string(120, 'x'));
}

}  // namespace
}  // namespace remora::agent
