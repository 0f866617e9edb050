#include "reader-client/cc/app/seen_table.h"

#include "gtest/gtest.h"

namespace remora::reader {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
// 2026-01-31 08:41:00 UTC.
constexpr int64_t kNoon = 1'769'848'860 * kSecond;

SeenView View(int64_t at_s, const std::string& actor, uint64_t screen, double age_ms) {
  SeenView seen;
  seen.recorded_unix_ns = kNoon + at_s * kSecond;
  seen.view.set_actor(actor);
  seen.view.set_screen_id(screen);
  seen.view.set_mode(v1::SEEN_MODE_LIVE);
  seen.view.set_link(v1::LINK_CONDITION_LIVE);
  seen.view.set_link_age_ms(300);
  seen.view.set_acquisition_age_ms(-1);
  seen.view.set_response_age_ms(21'000);
  v1::SeenTrace& trace = *seen.view.add_traces();
  trace.set_trace_id("SEP_UPPER/L/CPc-Front");
  trace.mutable_newest()->set_origin(std::string(16, 'a'));
  trace.mutable_newest()->set_lane(3);
  trace.mutable_newest()->set_origin_seq(42);
  trace.set_age_ms(age_ms);
  return seen;
}

nlohmann::json Rows(const Table& table) {
  return nlohmann::json::parse(table.ToText(OutputFormat::kJson));
}

TEST(SeenTable, OverTimeEachViewIsALineWithItsThreeAges) {
  const nlohmann::json rows = Rows(SeenOverTime({View(0, "Maya", 1, 5'000), View(2, "Tom", 2, 1)}));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["actor"], "Maya");
  EXPECT_EQ(rows[0]["link_age_s"], "0.3");
  EXPECT_TRUE(rows[0]["acquisition_age_s"].is_null()) << "not known";
  EXPECT_EQ(rows[0]["response_age_s"], "21.0");
  EXPECT_EQ(rows[0]["oldest_trace_s"], "5.0");
}

TEST(SeenTable, AtATimeEachScreensNewestViewCountsAndItsAgesHaveGrown) {
  const std::vector<SeenView> views{View(0, "Maya", 1, 9'000), View(10, "Maya", 1, 1'000),
                                    View(12, "Tom", 2, 2'000), View(30, "Maya", 1, 500)};
  const nlohmann::json rows = Rows(SeenAt(views, kNoon + 14 * kSecond));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["age_s"], "5.0") << "1 s when it was written, 4 s before";
  EXPECT_EQ(rows[1]["age_s"], "4.0");
  EXPECT_EQ(rows[1]["trace"], "SEP_UPPER/L/CPc-Front");
}

TEST(SeenTable, OfAScreenThatSaidNothingForLongNothingIsKnown) {
  EXPECT_TRUE(Rows(SeenAt({View(0, "Maya", 1, 0)}, kNoon + 46 * kSecond)).empty());
  EXPECT_TRUE(Rows(SeenAt({View(0, "Maya", 1, 0)}, kNoon - kSecond)).empty());
}

TEST(SeenTable, ATimeOfDayIsOfTheCasesDay) {
  EXPECT_EQ(*ParseSeenTime("08:41:05", kNoon), kNoon + 5 * kSecond);
  EXPECT_EQ(*ParseSeenTime("2026-01-31T08:41:00.5", 0), kNoon + kSecond / 2);
  EXPECT_FALSE(ParseSeenTime("nine", kNoon).ok());
}

}  // namespace
}  // namespace remora::reader
