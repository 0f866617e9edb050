#include "acquisition-agent/pipelines/strip_site.h"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remora::agent {
namespace {

using testing::Pair;

std::pair<std::string, uint32_t> Taken(std::string site) {
  const uint32_t contact = TakeContact(&site);
  return {site, contact};
}

TEST(StripSite, TheNumberAtItsEndIsTheContact) {
  EXPECT_THAT(Taken("3"), Pair("", 3));
  EXPECT_THAT(Taken("contact 3"), Pair("contact ", 3));
  EXPECT_THAT(Taken("T10 contact 3"), Pair("T10 contact ", 3));
  EXPECT_THAT(Taken("C3"), Pair("C", 3));
  EXPECT_THAT(Taken("grid 12"), Pair("grid ", 12));
  EXPECT_THAT(Taken("T10-3"), Pair("T10-", 3));
  EXPECT_THAT(Taken("L3/2"), Pair("L3/", 2));
}

TEST(StripSite, ALevelOfTheSpineIsNone) {
  for (const char* level : {"T10", "th4", "L1", "S1", "at T10"}) {
    EXPECT_THAT(Taken(level), Pair(level, 0));
  }
}

TEST(StripSite, TheLastWordForASideCounts) {
  for (const char* right : {"L4 right", "R L5", "left R", "V1,r"}) {
    std::vector<std::string> words = WordsOf(right);
    EXPECT_EQ(TakeSide(&words), v1::SIDE_RIGHT) << right;
  }
  for (const char* none : {"L4", "LR", "", "lefty"}) {
    std::vector<std::string> words = WordsOf(none);
    EXPECT_EQ(TakeSide(&words), std::nullopt) << none;
  }
}

TEST(StripSite, HostileNamesHaveNone) {
  for (const char* name : {"", " ", "G", "99999999999999999999", "\xff\xfe", "3a"}) {
    EXPECT_EQ(Taken(name).second, 0u) << name;
  }
}

}  // namespace
}  // namespace remora::agent
