#include "hub/ops/event_log.h"

#include <gtest/gtest.h>

#include <string>

namespace remora::hub {
namespace {

TEST(EventLog, WritesOneLineAnEvent) {
  std::string text;
  EventLog log(LogLevel::kInfo, &text);
  log.Info("started", {{"grpc", "127.0.0.1:7443"}, {"rooms", "3"}});
  log.Debug("not shown");
  log.Error("journal-failed", {{"why", "disk is full"}});
  EXPECT_EQ(text,
            "info started grpc=127.0.0.1:7443 rooms=3\n"
            "error journal-failed why=\"disk is full\"\n");
}

TEST(EventLog, HostileValuesForgeNoLineAndReachNoTerminal) {
  std::string text;
  EventLog log(LogLevel::kInfo, &text);
  log.Warning("refused", {{"why", "x\ninfo all is well\x1b[31m{}"},
                          {"long", std::string(10'000, 'x')},
                          {"empty", ""}});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 500u);
}

TEST(EventLog, KnowsItsLevels) {
  EXPECT_TRUE(ParseLogLevel("warning").ok());
  EXPECT_FALSE(ParseLogLevel("loud").ok());
}

}  // namespace
}  // namespace remora::hub
