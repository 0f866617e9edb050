#include "hub/fanout/credit_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "common/limits.h"
#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

DeviceTime At(double ms) { return DeviceTime::FromNanoseconds(static_cast<int64_t>(ms * 1e6)); }

TEST(CreditWindow, NothingMoreThanTheWindowIsOnItsWay) {
  CreditWindow credit(kBulkWindowSlack);
  EXPECT_EQ(credit.window(), kFirstBulkWindowBytes);
  EXPECT_TRUE(credit.Allows(4096, kFirstBulkWindowBytes - 4096));
  credit.OnSent(kFirstBulkWindowBytes, At(0));
  EXPECT_FALSE(credit.Allows(1, 0));
}

TEST(CreditWindow, ARecordLargerThanTheWindowGoesAlone) {
  CreditWindow credit(kBulkWindowSlack);
  EXPECT_TRUE(credit.Allows(kFirstBulkWindowBytes + 1, 0));
  EXPECT_FALSE(credit.Allows(kFirstBulkWindowBytes + 1, 2 * kMaxBlockBytes));
}

TEST(CreditWindow, HostileReportsAreCutToWhatCanBe) {
  CreditWindow credit(kBulkWindowSlack);
  credit.OnSent(1000, At(0));
  credit.OnShown(~uint64_t{0}, At(1));
  EXPECT_EQ(credit.in_flight(), 0u);
  credit.OnSent(500, At(2));
  credit.OnShown(1000, At(3));  // an old one
  EXPECT_EQ(credit.in_flight(), 500u);
}

TEST(CreditWindow, TheFirstQuestionMeasuresTheRoundTripAndOnlyItsAnswerDoes) {
  CreditWindow credit(kBulkWindowSlack);
  EXPECT_TRUE(credit.IsQuestionDue(false, At(0)));
  credit.OnAsked(At(0));
  EXPECT_FALSE(credit.IsQuestionDue(false, At(0)));
  credit.OnShown(0, At(20));
  EXPECT_EQ(credit.round_trip(), Duration::Milliseconds(20));
  // Of a follower that does not answer: its next report is about something else.
  credit.OnAsked(At(100));
  credit.OnSent(100, At(200));
  credit.OnShown(100, At(300));
  EXPECT_EQ(credit.round_trip(), Duration::Milliseconds(20));
}

// A link of so many bytes a second each way half a round trip away, and a follower that answers
// questions and reports each 20 ms when 16 KiB have come. Bulk is always there to be sent.
struct Link {
  Link(double rate, double round_trip) : bytes_per_ms(rate / 1000), one_way(round_trip / 2) {}

  void RunFor(double ms) {
    for (const double end = now + ms; now < end; now += 0.25) Step();
  }
  void Step() {
    if (credit.IsQuestionDue(blocked, At(now))) {
      credit.OnAsked(At(now));
      down.push_back({Departs(20) + one_way, 0, true});
    }
    blocked = false;
    size_t batch = 0;
    while (!blocked && (batch == 0 || batch + record_bytes <= credit.write_bytes())) {
      blocked = !credit.Allows(record_bytes, batch);
      if (!blocked) batch += record_bytes;
    }
    if (batch > 0) {
      credit.OnSent(batch, At(now));
      sent += batch;
      down.push_back({Departs(batch) + one_way, batch, false});
    }
    for (; !down.empty() && down.front().at <= now; down.pop_front()) {
      got += down.front().bytes;
      if (down.front().question || (got - reported >= 16384 && now - reported_at >= 20)) {
        reported = got;
        reported_at = now;
        up.push_back({now + one_way, got, false});
      }
    }
    for (; !up.empty() && up.front().at <= now; up.pop_front()) {
      credit.OnShown(up.front().bytes, At(now));
    }
    most_waiting_ms = std::max(most_waiting_ms, free_at - now);
  }
  // When the last byte has left; the link carries one after the other.
  double Departs(size_t bytes) {
    free_at = std::max(free_at, now) + static_cast<double>(bytes) / bytes_per_ms;
    return free_at;
  }

  struct Message {
    double at;
    uint64_t bytes;
    bool question;
  };
  double bytes_per_ms;
  double one_way;
  size_t record_bytes = 4000;
  CreditWindow credit{kBulkWindowSlack};
  std::deque<Message> down, up;
  double now = 0, free_at = 0, reported_at = 0, most_waiting_ms = 0;
  uint64_t sent = 0, got = 0, reported = 0;
  bool blocked = false;
};

// What an alert waits behind, and what of the link is used.
TEST(CreditWindow, AlertsWaitLittleAndTheLinkIsUsed) {
  for (const double rate : {250e3, 1.25e6, 12.5e6}) {
    for (const double round_trip : {2.0, 20.0, 80.0}) {
      Link link(rate, round_trip);
      link.RunFor(3000);
      const uint64_t before = link.got;
      link.most_waiting_ms = 0;
      link.RunFor(3000);
      const double used = static_cast<double>(link.got - before) / (3 * rate);
      EXPECT_LT(link.most_waiting_ms, 40) << rate << " B/s, " << round_trip << " ms";
      EXPECT_GT(used, 0.85) << rate << " B/s, " << round_trip << " ms";
    }
  }
}

TEST(CreditWindow, ALinkThatSlowsDownIsFoundOut) {
  Link link(1.25e6, 20);
  link.RunFor(3000);
  link.bytes_per_ms = 32;  // 256 kbit/s
  link.RunFor(5000);
  link.most_waiting_ms = 0;
  link.RunFor(5000);
  // One record takes 125 ms.
  EXPECT_LT(link.most_waiting_ms, 260);
}

TEST(CreditWindow, AFastReaderOnOneMachineIsNotHeldBack) {
  Link link(400e6, 0.5);
  link.RunFor(3000);
  EXPECT_EQ(link.credit.window(), kMaxBulkWindowBytes);
  EXPECT_EQ(link.credit.write_bytes(), kMaxBulkWriteBytes);
}

TEST(CreditWindow, ASlowTrickleIsNoSlowLink) {
  CreditWindow credit(kBulkWindowSlack);
  credit.OnSent(4000, At(0));
  credit.OnShown(4000, At(1));
  const double rate = credit.rate();
  for (int i = 1; i < 100; ++i) {  // one record each 100 ms, reported twice a second
    credit.OnSent(4000, At(i * 100));
    if (i % 5 == 0) credit.OnShown(static_cast<uint64_t>(i + 1) * 4000, At(i * 100 + 1));
  }
  EXPECT_GE(credit.rate(), rate);
}

// A theatre's block each 100 ms: questions cost as much as the blocks.
TEST(CreditWindow, ATrickleIsSeldomAskedAboutEvenWhereItBeganBadly) {
  CreditWindow credit(kBulkWindowSlack);
  credit.OnAsked(At(0));
  credit.OnShown(0, At(30));
  int questions = 0;
  uint64_t sent = 0;
  for (int i = 1; i <= 200; ++i) {
    const double now = i * 100;
    credit.OnSent(4000, At(now));
    sent += 4000;
    const double answered = now + (i < 5 ? 80 : 3);  // everybody came at once
    if (credit.IsQuestionDue(false, At(now))) {
      ++questions;
      credit.OnAsked(At(now));
      credit.OnShown(sent, At(answered));
    } else if (i % 5 == 0) {
      credit.OnShown(sent, At(answered));
    }
  }
  EXPECT_LT(questions, 25);
  EXPECT_GT(credit.rate(), 1e6);
}

TEST(CreditWindow, ManySmallBatchesWithoutReportStayBounded) {
  CreditWindow credit(kBulkWindowSlack);
  for (int i = 0; i < 100'000; ++i) credit.OnSent(1, At(i));
  EXPECT_EQ(credit.in_flight(), 100'000u);
  credit.OnShown(100'000, At(100'001));
  EXPECT_EQ(credit.in_flight(), 0u);
}

}  // namespace
}  // namespace remora::hub
