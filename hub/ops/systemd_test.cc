#include "hub/ops/systemd.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace remora::hub {
namespace {

TEST(Systemd, IsToldThroughItsSocket) {
  const std::string path = ::testing::TempDir() + "/notify_" + std::to_string(getpid());
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(NotifySystemd(path.c_str(), "READY=1"));
  char buffer[64];
  const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  EXPECT_EQ(std::string(buffer, got), "READY=1");
  close(fd);
  unlink(path.c_str());
}

TEST(Systemd, IsNotToldWhereItDidNotAsk) {
  EXPECT_TRUE(NotifySystemd(nullptr, "READY=1"));
  EXPECT_TRUE(NotifySystemd("", "READY=1"));
}

TEST(Systemd, HostileSocketNamesDoNoHarm) {
  EXPECT_FALSE(NotifySystemd("/no/such/socket", "READY=1"));
  EXPECT_FALSE(NotifySystemd(std::string(500, 'x').c_str(), "READY=1"));
}

}  // namespace
}  // namespace remora::hub
