#include "acquisition-agent/spool/entry.h"

#include <gtest/gtest.h>

#include "acquisition-agent/spool/limits.h"

namespace remora::agent {
namespace {

std::string Encoded(absl::string_view payload, uint64_t number = 7) {
  std::string bytes;
  AppendEntry(
      {.type = EntryType::kRecord, .lane = 3, .number = number, .ordinal = 9, .payload = payload},
      &bytes);
  return bytes;
}

TEST(SpoolEntry, ComesBackAsWritten) {
  for (const std::string& payload : {std::string(), std::string("x"), std::string(5000, '\0')}) {
    const std::string bytes = Encoded(payload);
    const std::string file = bytes + "what follows";
    const std::optional<Entry> entry = ParseEntry(file);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->type, EntryType::kRecord);
    EXPECT_EQ(entry->lane, 3);
    EXPECT_EQ(entry->number, 7u);
    EXPECT_EQ(entry->ordinal, 9u);
    EXPECT_EQ(entry->payload, payload);
    EXPECT_EQ(EntryBytes(*entry), bytes.size());
  }
}

TEST(SpoolEntry, HostileEveryTurnedBitIsFound) {
  const std::string bytes = Encoded("a record's bytes");
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_FALSE(ParseEntry(damaged)) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(SpoolEntry, HostileEveryCutIsFound) {
  const std::string bytes = Encoded("a record's bytes");
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseEntry(absl::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(SpoolEntry, HostileALengthBeyondTheLimitIsNone) {
  const std::string bytes = Encoded(std::string(kMaxEntryPayloadBytes + 1, 'x'));
  EXPECT_FALSE(ParseEntry(bytes));
}

TEST(SpoolEntry, IsFoundAgainAfterDamage) {
  const std::string first = Encoded("one", 1);
  const std::string second = Encoded("RMSP in the text", 2);
  std::string bytes = first + second + second;
  bytes[5] = static_cast<char>(bytes[5] ^ 1);
  const size_t at = FindEntry(bytes, 0);
  ASSERT_EQ(at, first.size());
  EXPECT_EQ(ParseEntry(absl::string_view(bytes).substr(at))->number, 2u);
  EXPECT_EQ(FindEntry(bytes, bytes.size() - second.size() + 1), bytes.size());
  EXPECT_EQ(FindEntry("", 0), 0u);
}

}  // namespace
}  // namespace remora::agent
