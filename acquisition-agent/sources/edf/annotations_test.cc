#include "acquisition-agent/sources/edf/annotations.h"

#include <string>
#include <vector>

#include "acquisition-agent/sources/simulator/random.h"
#include "gtest/gtest.h"

namespace remora::agent::edf {
namespace {

struct Parsed {
  std::vector<TimedText> texts;
  int32_t malformed = 0;
};

Parsed Parse(const std::string& bytes) {
  Parsed out;
  out.malformed = ParseAnnotations(
      std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
      [&](const TimedText& text) {
        out.texts.push_back(text);
        return true;
      });
  return out;
}

const std::string kNul(1, '\0');

TEST(ParseAnnotations, ReadsTimesDurationsAndSeveralTexts) {
  const std::string bytes = "+567\x14\x14" + kNul +
                            "-0.5\x15"
                            "0.25\x14"
                            "left\x14"
                            "right\x14" +
                            kNul + kNul + kNul;
  const Parsed parsed = Parse(bytes);
  EXPECT_EQ(parsed.malformed, 0);
  ASSERT_EQ(parsed.texts.size(), 3u);
  EXPECT_EQ(parsed.texts[0].onset_ns, 567'000'000'000);
  EXPECT_EQ(parsed.texts[0].text, "");
  EXPECT_EQ(parsed.texts[1].onset_ns, -500'000'000);
  EXPECT_EQ(parsed.texts[1].duration_ns, 250'000'000);
  EXPECT_EQ(parsed.texts[1].text, "left");
  EXPECT_EQ(parsed.texts[2].text, "right");
}

TEST(ParseAnnotations, StopsWhenTheVisitorDoes) {
  const std::string bytes =
      "+1\x14"
      "a\x14"
      "b\x14" +
      kNul;
  int seen = 0;
  ParseAnnotations(
      std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
      [&](const TimedText&) { return ++seen < 1; });
  EXPECT_EQ(seen, 1);
}

TEST(ParseOnset, CountsNineDecimals) {
  EXPECT_EQ(ParseOnset("+0.3945312", true), 394'531'200);
  EXPECT_EQ(ParseOnset("+0.0000000019", true), 1);
  EXPECT_EQ(ParseOnset("+.5", true), 500'000'000);
  EXPECT_EQ(ParseOnset("7.", false), 7'000'000'000);
}

TEST(ParseOnset, HostileNumbersAreNone) {
  for (const char* bad :
       {"", "+", "1", "+1e5", "+-1", "+1.2.3", "+.", "+ 1", "+1 ", "+nan", "+inf", "+0x10",
        "+99999999999999999999999999", "-99999999999999999999999999", "+400000000"}) {
    EXPECT_FALSE(ParseOnset(bad, true)) << bad;
  }
}

TEST(ParseAnnotations, HostileStretchesAreSkippedAndCounted) {
  for (const std::string& bad : {std::string("garbage"),
                                 std::string("+1\x14"
                                             "text without end"),
                                 std::string("\x14"), std::string("+1"),
                                 std::string("+x\x14text\x14"), std::string("+1\x15-3\x14text\x14"),
                                 std::string("+1\x15x\x14text\x14"), std::string("\x15\x14\x14")}) {
    const std::string bytes = bad + kNul + "+2\x14ok\x14" + kNul;
    const Parsed parsed = Parse(bytes);
    EXPECT_EQ(parsed.malformed, 1) << bad;
    ASSERT_EQ(parsed.texts.size(), 1u) << bad;
    EXPECT_EQ(parsed.texts[0].text, "ok");
  }
}

TEST(ParseAnnotations, HostileRandomBytesNeverFail) {
  sim::SimRandom random(20240607, 0);
  const std::string alphabet = std::string("+-.0123\x14\x15 a\xFF") + kNul;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (int i = 0; i < 40; ++i) bytes.push_back(alphabet[random.NextBits() % alphabet.size()]);
    const Parsed parsed = Parse(bytes);
    EXPECT_LE(parsed.texts.size(), bytes.size());
  }
}

}  // namespace
}  // namespace remora::agent::edf
