#include "tests/faults/fault_command.h"

#include "gtest/gtest.h"

namespace remora::testing {
namespace {

using Action = FaultCommand::Action;

TEST(FaultCommand, ShapesNameTheirUnit) {
  const auto delay = ParseFaultCommand("delay 80 ms");
  ASSERT_TRUE(delay.ok()) << delay.status();
  EXPECT_EQ(delay->action, Action::kDelay);
  EXPECT_EQ(delay->time, Duration::Milliseconds(80));
  EXPECT_TRUE(delay->up && delay->down);

  const auto rate = ParseFaultCommand("on reader rate 64kbit/s down for 10 min");
  ASSERT_TRUE(rate.ok()) << rate.status();
  EXPECT_EQ(rate->link, "reader");
  EXPECT_EQ(rate->number, 64'000u);
  EXPECT_FALSE(rate->up);
  EXPECT_TRUE(rate->down);
  EXPECT_EQ(rate->lasts, Duration::Seconds(600));

  const auto buffer = ParseFaultCommand("buffer 64 KiB up");
  ASSERT_TRUE(buffer.ok()) << buffer.status();
  EXPECT_EQ(buffer->number, 65'536u);
  EXPECT_FALSE(buffer->down);
}

TEST(FaultCommand, AppliesItsPartOfAShapeAlone) {
  LinkShape shape;
  ParseFaultCommand("rate 2 Mbit/s")->ApplyTo(&shape);
  ParseFaultCommand("jitter 5 ms")->ApplyTo(&shape);
  EXPECT_EQ(shape.rate_bits_per_second, 2'000'000u);
  EXPECT_EQ(shape.jitter, Duration::Milliseconds(5));
  EXPECT_EQ(shape.buffer_bytes, kDefaultBufferBytes);
  ParseFaultCommand("rate none")->ApplyTo(&shape);
  EXPECT_EQ(shape.rate_bits_per_second, 0u);
}

TEST(FaultCommand, EndsAreWithResetUnlessToldOtherwise) {
  EXPECT_TRUE(ParseFaultCommand("cut")->reset);
  EXPECT_TRUE(ParseFaultCommand("cut rst for 5 s")->reset);
  EXPECT_FALSE(ParseFaultCommand("drop fin")->reset);
}

TEST(FaultCommand, AScriptIsInTheOrderOfItsTimes) {
  const auto script = ParseFaultScript(
      "at 10 s cut for 600 s; at 500ms delay 20 ms\n"
      "# the reader's link alone\n"
      "at 2 s on reader stall up   # half of it\n");
  ASSERT_TRUE(script.ok()) << script.status();
  ASSERT_EQ(script->size(), 3u);
  EXPECT_EQ((*script)[0].at, Duration::Milliseconds(500));
  EXPECT_EQ((*script)[1].command.action, Action::kStall);
  EXPECT_FALSE((*script)[1].command.down);
  EXPECT_EQ((*script)[2].command.lasts, Duration::Seconds(600));
}

TEST(FaultCommand, HostileTextIsRefusedWithWhatWasWrong) {
  for (const char* text :
       {"", "at", "delay", "delay 80", "delay ms", "delay 80 mm", "delay -1 s", "rate 0 kbit/s",
        "rate 64 parsec", "cut sideways", "cut up", "pass for 5 s", "drop for 1 s", "buffer 1 B",
        "on reader", "for 5 s", "delay 1e300 s", "delay nan s", "stall up down"}) {
    EXPECT_FALSE(ParseFaultCommand(text).ok()) << text;
  }
  const auto script = ParseFaultScript("at 1 s pass; in 5 s cut");
  EXPECT_NE(script.status().message().find("'in 5 s cut'"), absl::string_view::npos)
      << script.status();
  EXPECT_FALSE(ParseFaultScript("at soon cut").ok());
}

}  // namespace
}  // namespace remora::testing
