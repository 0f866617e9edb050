#include "acquisition-agent/sources/text.h"

#include "gtest/gtest.h"

namespace remora::agent {
namespace {

TEST(CleanText, KeepsUtf8AndReadsTheRestAsLatin1) {
  EXPECT_EQ(CleanText("\u4E2D\u6587 ok"), "\u4E2D\u6587 ok");
  EXPECT_EQ(CleanText("\xB5V"), "\u00B5V");
  EXPECT_EQ(CleanText("M\xFCller"), "M\u00FCller");
  EXPECT_EQ(CleanText("\xF0\x9F\xA7\xA0"), "\U0001F9E0");
}

TEST(CleanText, HostileControlCharactersBecomeSpaces) {
  EXPECT_EQ(CleanText(absl::string_view("a\x1B[2J\0b", 7)), "a [2J b");
  EXPECT_EQ(CleanText("x\xC2\x9By"), "x y");  // C1 control in UTF-8
  EXPECT_EQ(CleanText("x\x9By"), "x y");
  EXPECT_EQ(CleanText("  \t "), "");
  EXPECT_EQ(CleanText("x\x7Fy"), "x y");
}

TEST(IsValidUtf8, HostileSequencesAreNot) {
  for (const char* bad : {"\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3",
                          "\xE2\x82", "\x80", "\xF0\x9F\xA7", "\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(bad)) << bad;
  }
  EXPECT_TRUE(IsValidUtf8("\xEF\xBF\xBD"));
}

TEST(CleanText, HostileBytesAlwaysGiveValidUtf8) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string bytes = {static_cast<char>(a), static_cast<char>(b), 'x'};
      EXPECT_TRUE(IsValidUtf8(CleanText(bytes))) << a << " " << b;
    }
  }
}

}  // namespace
}  // namespace remora::agent
