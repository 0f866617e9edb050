#include "hub/participants/listen_address.h"

#include <gtest/gtest.h>

#include <string>

namespace remora::hub {
namespace {

TEST(ListenAddress, ReadsWhatAnEngineerWrites) {
  for (const char* text : {"127.0.0.1:7443", "[::1]:7443", "0.0.0.0:0", "10.1.2.3:65535",
                           "[2001:db8::1]:1", "unix:/run/remora/hub.sock"}) {
    const absl::StatusOr<ListenAddress> address = ListenAddress::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ListenAddress::Parse("localhost:80")->ToString(), "127.0.0.1:80");
}

TEST(ListenAddress, KnowsWhatIsReachedFromThisMachineAlone) {
  for (const char* text : {"127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1", "unix:/x"}) {
    EXPECT_TRUE(ListenAddress::Parse(text)->is_local()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_FALSE(ListenAddress::Parse(text)->is_local()) << text;
  }
}

TEST(ListenAddress, HostileTextIsRefusedWithAnExample) {
  for (const char* text :
       {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
        "hub.example:80", "::1:80", "[::1]", "[::1:80", "unix:", "127.0.0.1 :80", "127.1:80"}) {
    const absl::StatusOr<ListenAddress> address = ListenAddress::Parse(text);
    EXPECT_FALSE(address.ok()) << text;
    EXPECT_NE(std::string(address.status().message()).find("127.0.0.1:7443"), std::string::npos);
  }
  EXPECT_FALSE(ListenAddress::Parse("unix:" + std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace remora::hub
