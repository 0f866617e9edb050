#include "hub/participants/websocket/http_text.h"

#include <gtest/gtest.h>

#include <string>

namespace remora::hub {
namespace {

TEST(HttpText, TakesATargetApart) {
  const std::optional<TargetParts> parts = ParseTarget("/v1/stream?identity=a%2Eb&x=&y");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->path, "/v1/stream");
  EXPECT_EQ(parts->Query("identity"), "a.b");
  EXPECT_EQ(parts->Query("x"), "");
  EXPECT_EQ(parts->Query("y"), "");
  EXPECT_EQ(parts->Query("z"), std::nullopt);
}

TEST(HttpText, HostileTargetsAreNotRead) {
  for (const char* target : {"", "v1", "http://evil.example/", "/%", "/%4", "/%zz", "/%00", "*",
                             "/x?a=%0", "/x?%00=1"}) {
    EXPECT_FALSE(ParseTarget(target).has_value()) << target;
  }
}

TEST(HttpText, AFieldThatOccursTwiceHasNoValue) {
  EXPECT_EQ(ParseTarget("/x?identity=a&identity=b")->Query("identity"), std::nullopt);
}

TEST(HttpText, ReadsCookies) {
  const auto cookies = ParseCookies(" a=1;b=2=3 ;  c; =d;;");
  ASSERT_EQ(cookies.size(), 4u);
  EXPECT_EQ(cookies[0], std::make_pair(std::string("a"), std::string("1")));
  EXPECT_EQ(cookies[1], std::make_pair(std::string("b"), std::string("2=3")));
  EXPECT_EQ(cookies[2], std::make_pair(std::string("c"), std::string()));
  EXPECT_TRUE(ParseCookies("").empty());
}

TEST(HttpText, ComparesOriginAndHost) {
  EXPECT_TRUE(IsSameHost("http://127.0.0.1:8080", "127.0.0.1:8080"));
  EXPECT_TRUE(IsSameHost("https://hub.example", "hub.example"));
  EXPECT_TRUE(IsSameHost("https://hub.example", "hub.example:443"));
  EXPECT_TRUE(IsSameHost("http://HUB.example:80", "hub.EXAMPLE"));
}

TEST(HttpText, HostileOriginsAreOtherHosts) {
  const std::string host = "127.0.0.1:8080";
  for (const char* origin :
       {"", "null", "http://", "http://evil.example", "http://127.0.0.1:8081", "127.0.0.1:8080",
        "http://127.0.0.1:8080/", "http://x@127.0.0.1:8080", "ftp://127.0.0.1:8080",
        "http://127.0.0.1:8080.evil.example", "https://localhost:8080"}) {
    EXPECT_FALSE(IsSameHost(origin, host)) << origin;
  }
  EXPECT_FALSE(IsSameHost("https://hub.example:80", "hub.example"));
}

}  // namespace
}  // namespace remora::hub
