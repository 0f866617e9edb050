// Followers behind thin links, in virtual time: what is shown is recent, alerts overtake, and what
// is left out is told. The link takes whatever the hub writes at once, as a kernel's buffers do,
// and carries one byte after the other: only the hub's own restraint keeps the queue in it short.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "hub/fanout/limits.h"
#include "hub/participants/testing/core_harness.h"

namespace remora::hub {
namespace {

constexpr double kMbit = 125'000;  // bytes a second
constexpr Duration kStep = Duration::Milliseconds(2);

// Percentile of what was seen.
double Percentile(std::vector<double> values, double percent) {
  EXPECT_FALSE(values.empty());
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = static_cast<double>(values.size() - 1) * percent / 100;
  return values[static_cast<size_t>(at + 0.5)];
}

class ThinLinkTest : public ::testing::Test {
 protected:
  ThinLinkTest()
      : case_id_(hub_.DrawCase()), origin_(hub_.DrawOrigin()), writer_(case_id_, origin_) {
    agent_ = OpenCase(hub_, case_id_, &writer_, origin_);
    reader_ = std::make_unique<TestParticipant>(hub_, ReaderIdentity());
    reader_->reads = false;
    reader_->shows = false;
  }

  // Whatever the link: what a record leaves behind came before it, or was told before it.
  void TearDown() override {
    std::array<std::vector<uint64_t>, kLaneCount> there;
    for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
      const StampedRecord record = *WalkStamped(bytes);
      if (record.stamp.seq > live_from_) there[record.header.lane].push_back(record.stamp.seq);
    }
    std::array<uint64_t, kLaneCount> came_or_told{};
    for (const Sent& sent : sent_) {
      came_or_told[sent.lane] += sent.count;
      if (sent.is_gap) continue;
      const std::vector<uint64_t>& seqs = there[sent.lane];
      const auto behind = std::upper_bound(seqs.begin(), seqs.end(), sent.seq);
      ASSERT_GE(came_or_told[sent.lane], static_cast<uint64_t>(behind - seqs.begin()))
          << "lane " << sent.lane << ", seq " << sent.seq;
    }
  }

  void Follow(double bytes_per_second, Duration round_trip, uint32_t budget = 0,
              uint32_t version = 2) {
    bytes_per_second_ = bytes_per_second;
    reader_->speaks = version;
    reader_->Hello();
    hub_.Run();
    reader_->ReadAll();
    one_way_ = round_trip / 2;
    v1::Follow follow;
    follow.set_follow_id(1);
    follow.set_case_id(case_id_.ToString());
    follow.set_delivery(v1::DELIVERY_LIVE);
    follow.set_bulk_budget_bytes_per_second(budget);
    reader_->Follow(follow);
  }

  // Blocks of so many bytes a second, a sweep and a measurement each second, an alert each 0.7 s.
  void RunFor(Duration time, double block_bytes_per_second) {
    const DeviceTime end = hub_.clock().Now() + time;
    while (hub_.clock().Now() < end) {
      owed_bytes_ += block_bytes_per_second * kStep.seconds();
      while (owed_bytes_ > 0) {
        owed_bytes_ -= static_cast<double>(Publish(BlockBody("EMG/1", ++blocks_, 1'900)));
      }
      const int64_t ms = steps_++ * kStep.milliseconds();
      if (ms % 1'000 == 0) {
        Publish(SweepBody("SEP/R", ++sweeps_, false));
        Publish(MeasurementBody("SEP/R", 90, v1::MEASUREMENT_STATE_WITHIN_LIMITS));
      }
      if (ms % 700 == 0) Publish(AlertBody("alert"));
      hub_.RunFor(kStep);
      Carry();
    }
  }

  // Nothing is published.
  void IdleFor(Duration time) {
    for (const DeviceTime end = hub_.clock().Now() + time; hub_.clock().Now() < end; Carry()) {
      hub_.RunFor(kStep);
    }
  }

  size_t Publish(v1::Record body) {
    const std::string bytes = writer_.Write(std::move(body));
    const RecordKey key = WalkRecord(bytes)->key();
    published_at_[{key.lane, key.origin_seq}] = hub_.clock().Now();
    agent_->Publish({bytes});
    return bytes.size();
  }

  void Carry() {
    const DeviceTime now = hub_.clock().Now();
    if (!stopped_) {
      for (size_t r = reader_->records.size(), d = reader_->downs.size(); reader_->ReadOne();
           r = reader_->records.size(), d = reader_->downs.size()) {
        size_t bytes = 20;  // headers
        for (size_t i = r; i < reader_->records.size(); ++i) {
          bytes += reader_->records[i].bytes.size();
        }
        const bool control = reader_->downs.size() > d;
        Note(r, control ? &reader_->downs.back() : nullptr);
        if (control) bytes += reader_->downs.back().ByteSizeLong();
        free_at_ = std::max(free_at_, now) +
                   Duration::FromSeconds(static_cast<double>(bytes) / bytes_per_second_);
        down_.push_back({free_at_ + one_way_, reader_->records.size(), reader_->bulk_bytes,
                         control && reader_->downs.back().has_heartbeat(), reader_->question});
      }
    }
    for (; !down_.empty() && down_.front().at <= now; down_.pop_front()) Arrive(down_.front(), now);
    for (; !up_.empty() && up_.front().at <= now; up_.pop_front()) {
      reader_->Shown(up_.front().shown, answers_ ? up_.front().answered : 0);
    }
  }

  // What the hub gave to the link: the records from `first_record` on, or a control message.
  void Note(size_t first_record, const v1::Down* control) {
    if (control != nullptr && control->has_snapshot()) live_from_ = control->snapshot().head_seq();
    if (control != nullptr && control->has_gap()) {
      const v1::Gap& gap = control->gap();
      sent_.push_back({true, gap.lane(), gap.to_seq(), gap.count()});
    }
    for (size_t i = first_record; i < reader_->records.size(); ++i) {
      const Received& record = reader_->records[i];
      if (record.lane() < 2 || !IsOf(case_id_, record)) continue;
      sent_.push_back({false, record.lane(), record.seq(), 1});
    }
  }

  static bool IsOf(const CaseId& case_id, const Received& record) {
    return record.stamped.header.case_id == case_id;
  }
  // Another case, of another theatre, with so many blocks of 4 KB on record.
  CaseId CaseWithBlocks(int blocks) {
    const CaseId other = hub_.DrawCase();
    const OriginId origin = hub_.DrawOrigin();
    RecordWriter writer(other, origin);
    const auto agent = OpenCase(hub_, other, &writer, origin, "OR 2", "agent-2");
    for (int i = 0; i < blocks; ++i) agent->Publish({writer.Write(BlockBody("EMG/1", i, 1'900))});
    hub_.Run();
    return other;
  }
  // And one with so many messages of some 350 bytes.
  CaseId CaseWithMessages(int messages) {
    const CaseId other = hub_.DrawCase();
    const OriginId origin = hub_.DrawOrigin();
    RecordWriter writer(other, origin);
    const auto agent = OpenCase(hub_, other, &writer, origin, "OR 2", "agent-2");
    const std::string text(200, 'x');
    for (int i = 0; i < messages; ++i) {
      agent->Publish({writer.Write(MessageBody(text, agent->identity.display_name))});
    }
    hub_.Run();
    return other;
  }
  void AskForHistory(const CaseId& case_id) {
    v1::Up ask;
    ask.mutable_history_request()->set_request_id(7);
    ask.mutable_history_request()->set_case_id(case_id.ToString());
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      ask.mutable_history_request()->add_lanes(lane);
    }
    reader_->SendUp(ask);
  }
  bool HasAllHistory() const {
    const v1::Down* page = reader_->Last(v1::Down::kHistoryPage);
    return page != nullptr && page->history_page().last();
  }
  size_t CameOf(const CaseId& case_id) const {
    return std::count_if(reader_->records.begin(), reader_->records.end(),
                         [&](const Received& record) { return IsOf(case_id, record); });
  }

  struct Sent {
    bool is_gap;
    uint32_t lane;
    uint64_t seq;
    uint64_t count;
  };
  struct Arrival {
    DeviceTime at;
    size_t records;
    uint64_t bulk_bytes;
    bool asked;
    uint32_t question;
  };
  struct Report {
    DeviceTime at;
    uint64_t shown;
    uint32_t answered;
  };
  void Arrive(const Arrival& arrival, DeviceTime now) {
    longest_silence_ = std::max(longest_silence_, now - arrived_at_);
    arrived_at_ = now;
    for (; shown_ < arrival.records; ++shown_) {
      const RecordHeader& header = reader_->records[shown_].stamped.header;
      const auto published = published_at_.find({header.lane, header.origin_seq});
      // The hub writes records of its own.
      if (published == published_at_.end() || header.origin != origin_) continue;
      ages_ms_[header.lane].push_back((now - published->second).seconds() * 1e3);
    }
    // One of version 1 is not asked.
    const bool due = arrival.asked || reader_->speaks == 1;
    if (!due && arrival.bulk_bytes - reported_ < 16 * 1024) return;
    reported_ = arrival.bulk_bytes;
    up_.push_back({now + one_way_, reported_, arrival.question});
  }
  // A block that waited at its sender.
  v1::Up Backlog() {
    v1::Up up;
    up.add_records(writer_.Write(BlockBody("EMG/1", ++blocks_, 1'900)));
    up.set_backlog(true);
    return up;
  }
  uint64_t GapRecords(v1::GapCause cause, uint32_t lane) const {
    uint64_t count = 0;
    for (const v1::Down& down : reader_->downs) {
      if (down.gap().cause() == cause && down.gap().lane() == lane) count += down.gap().count();
    }
    return count;
  }

  HubHarness hub_;
  CaseId case_id_;
  OriginId origin_;
  RecordWriter writer_;
  std::unique_ptr<TestParticipant> agent_, reader_;
  double bytes_per_second_ = 1, owed_bytes_ = 0;
  Duration one_way_;
  DeviceTime free_at_;
  std::deque<Arrival> down_;
  std::vector<Sent> sent_;
  uint64_t live_from_ = 0;
  std::deque<Report> up_;
  // Questions are given back.
  bool answers_ = true;
  std::map<std::pair<uint32_t, uint64_t>, DeviceTime> published_at_;
  std::array<std::vector<double>, kLaneCount> ages_ms_;
  size_t shown_ = 0;
  uint64_t reported_ = 0;
  DeviceTime arrived_at_;
  Duration longest_silence_;
  uint32_t blocks_ = 0, sweeps_ = 0;
  int64_t steps_ = 0;
  bool stopped_ = false;
};

TEST_F(ThinLinkTest, AlertsOvertakeWaveformsThatFillTheLink) {
  Follow(2 * kMbit, Duration::Milliseconds(20));
  RunFor(Duration::Seconds(3), 400'000);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(60), 400'000);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 50);
  EXPECT_GT(ages_ms_[5].size() * 4'000.0, 60 * 2 * kMbit * 0.5) << "waveforms use the link";
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_FOLLOWER, 5), 0u);
}

TEST_F(ThinLinkTest, WhatIsShownOfATheatreOn256KbitIsRecent) {
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  RunFor(Duration::Seconds(10), 45'000);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(60), 45'000);
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (lane == 1 || lane == 4) continue;  // not published here
    EXPECT_LT(Percentile(ages_ms_[lane], 99), 1'000) << "lane " << lane;
  }
  EXPECT_EQ(GapRecords(v1::GAP_CAUSE_SLOW_LINK, 5), 0u);
}

TEST_F(ThinLinkTest, ALinkOf64KbitGetsLanes0To2AndIsToldWhatItLeavesOut) {
  Follow(0.064 * kMbit, Duration::Milliseconds(60));
  RunFor(Duration::Seconds(20), 45'000);
  int begins = 0;
  for (const v1::Down& down : reader_->downs) {
    begins +=
        down.has_gap() && down.gap().cause() == v1::GAP_CAUSE_SLOW_LINK && down.gap().count() == 0;
  }
  EXPECT_EQ(begins, 3) << "once a lane";
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(120), 45'000);
  EXPECT_LT(Percentile(ages_ms_[0], 95), 1'000);
  EXPECT_LT(Percentile(ages_ms_[2], 95), 1'000);
  EXPECT_LE(ages_ms_[3].size() + ages_ms_[5].size(), 5u) << "a probe now and then";
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_LINK, 5), 1'000u);
}

TEST_F(ThinLinkTest, AFollowerOfVersion1IsToldOnlyCausesThatItKnows) {
  Follow(0.064 * kMbit, Duration::Milliseconds(60), 0, 1);
  RunFor(Duration::Seconds(1), 45'000);
  agent_->SendUp(Backlog());
  RunFor(Duration::Seconds(30), 45'000);
  for (const v1::Down& down : reader_->downs) {
    if (!down.has_gap()) continue;
    EXPECT_LE(down.gap().cause(), v1::GAP_CAUSE_BUDGET);
    EXPECT_GT(down.gap().count(), 0u);
  }
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_FOLLOWER, 5), 100u);
}

TEST_F(ThinLinkTest, ALinkThatCarriesMoreAgainGetsItsWaveformsBack) {
  Follow(0.064 * kMbit, Duration::Milliseconds(60));
  RunFor(Duration::Seconds(20), 45'000);
  bytes_per_second_ = 10 * kMbit;
  RunFor(kLongestLinkProbe, 45'000);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(5), 45'000);
  EXPECT_GT(ages_ms_[5].size(), 40u);
  EXPECT_LT(Percentile(ages_ms_[5], 99), 100);
}

TEST_F(ThinLinkTest, AFollowerThatStoppedForMinutesStaysSmallAndStartsWithWhatIsNew) {
  Follow(10 * kMbit, Duration::Milliseconds(20));
  RunFor(Duration::Seconds(5), 150'000);
  stopped_ = true;
  RunFor(Duration::Seconds(180), 150'000);
  EXPECT_LT(hub_.metrics().gauge(metric::kFollowQueueBytes), 8.0 * 1024 * 1024);
  stopped_ = false;
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(2), 150'000);
  ASSERT_FALSE(ages_ms_[5].empty());
  EXPECT_LT(ages_ms_[5].front(), 1'000);
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_FOLLOWER, 5), 0u);
}

TEST_F(ThinLinkTest, ACompleteFollowDelaysNoAlertOfALiveOne) {
  const CaseId other = CaseWithBlocks(200);
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  RunFor(Duration::Seconds(1), 2'000);
  reader_->FollowComplete(2, other);
  for (auto& ages : ages_ms_) ages.clear();
  longest_silence_ = Duration();
  RunFor(Duration::Seconds(20), 2'000);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 500);
  EXPECT_LT(longest_silence_.seconds(), 1) << "nobody takes the hub for stale";
  EXPECT_GT(CameOf(other), 50u) << "it uses the link";
  EXPECT_LT(CameOf(other), 200u);
  RunFor(Duration::Seconds(40), 2'000);
  EXPECT_GT(CameOf(other), 200u) << "whole, with what is in it beside the blocks";
}

TEST_F(ThinLinkTest, ACompleteFollowGoesOnBesideALiveOneThatFillsTheLink) {
  const CaseId other = CaseWithBlocks(200);
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  RunFor(Duration::Seconds(5), 45'000);
  reader_->FollowComplete(2, other);
  for (auto& ages : ages_ms_) ages.clear();
  longest_silence_ = Duration();
  RunFor(Duration::Seconds(30), 45'000);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 600);
  EXPECT_LT(longest_silence_.seconds(), 1) << "nobody takes the hub for stale";
  EXPECT_GT(CameOf(other), 50u);
}

TEST_F(ThinLinkTest, ACompleteFollowThatIsBehindIsToldHowFarAndHearsTheHubAllTheTime) {
  const CaseId other = CaseWithBlocks(200);
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  v1::Up cancel;
  cancel.mutable_cancel_follow()->set_follow_id(1);
  reader_->SendUp(cancel);
  reader_->FollowComplete(2, other);
  RunFor(Duration::Seconds(1), 0);
  longest_silence_ = Duration();
  RunFor(Duration::Seconds(10), 0);
  EXPECT_LT(longest_silence_.seconds(), 1);
  int heads = 0;
  for (const v1::Down& down : reader_->downs) {
    for (const v1::CaseHead& head : down.heartbeat().heads()) {
      heads += head.case_id() == other.ToString() && head.head_seq() >= 200;
    }
  }
  EXPECT_GE(heads, 8) << "each second";
}

TEST_F(ThinLinkTest, ACompleteFollowerThatNeverSaysWhatItHasShownNeedsNoCredit) {
  const CaseId other = CaseWithBlocks(200);
  TestParticipant silent(hub_, ReaderIdentity("reader-2"));
  silent.shows = false;
  silent.Hello();
  silent.FollowComplete(1, other);
  hub_.RunFor(Duration::Milliseconds(500));
  EXPECT_LE(silent.bulk_bytes, kFirstBulkWindowBytes + kMaxBlockBytes);
  hub_.RunFor(kReportPatience);
  EXPECT_EQ(silent.OfLane(5).size(), 200u);
}

TEST_F(ThinLinkTest, HistoryBesideALiveFollowDelaysNoAlert) {
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  RunFor(Duration::Seconds(5), 45'000);
  AskForHistory(case_id_);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(30), 2'000);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 600);
  EXPECT_GT(reader_->CountOf(v1::Down::kHistoryPage), 20);
}

TEST_F(ThinLinkTest, HistoryGoesOnBesideALiveFollowThatFillsTheLink) {
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  RunFor(Duration::Seconds(5), 45'000);
  AskForHistory(case_id_);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(30), 45'000);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 600);
  EXPECT_GT(reader_->CountOf(v1::Down::kHistoryPage), 20);
}

// What the live follow has to send says nothing of what the link carries.
TEST_F(ThinLinkTest, HistoryBesideALightLiveFollowUsesTheLink) {
  const CaseId other = CaseWithBlocks(600);  // 2.4 MB: 2 s of the link
  Follow(10 * kMbit, Duration::Milliseconds(20));
  RunFor(Duration::Seconds(5), 45'000);
  AskForHistory(other);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(4), 45'000);
  EXPECT_TRUE(HasAllHistory()) << reader_->CountOf(v1::Down::kHistoryPage) << " pages";
  EXPECT_LT(Percentile(ages_ms_[0], 99), 100);
  EXPECT_LT(Percentile(ages_ms_[5], 99), 200);
}

TEST_F(ThinLinkTest, HistoryOfAFollowerThatGivesNoQuestionBackGoesOnAndDelaysNoAlert) {
  const CaseId other = CaseWithBlocks(20);
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  answers_ = false;
  RunFor(Duration::Seconds(5), 2'000);
  AskForHistory(other);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(20), 2'000);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 600);
  EXPECT_TRUE(HasAllHistory()) << reader_->CountOf(v1::Down::kHistoryPage) << " pages";
}

TEST_F(ThinLinkTest, HistoryOfAFollowerOfVersion1GoesOnAlsoWhenNothingElseIsShown) {
  const CaseId other = CaseWithBlocks(20);
  Follow(0.256 * kMbit, Duration::Milliseconds(40), 0, 1);
  RunFor(Duration::Seconds(5), 20'000);
  IdleFor(Duration::Seconds(1));
  AskForHistory(other);
  IdleFor(Duration::Seconds(20));
  EXPECT_TRUE(HasAllHistory()) << reader_->CountOf(v1::Down::kHistoryPage) << " pages";
}

TEST_F(ThinLinkTest, HistoryTakesNoMoreThanItsPartOfALinkOf64Kbit) {
  Follow(0.064 * kMbit, Duration::Milliseconds(60));
  RunFor(Duration::Seconds(20), 45'000);
  AskForHistory(case_id_);
  for (auto& ages : ages_ms_) ages.clear();
  RunFor(Duration::Seconds(60), 45'000);
  EXPECT_LT(Percentile(ages_ms_[0], 95), 1'000);
  EXPECT_LT(Percentile(ages_ms_[2], 95), 1'500);
  EXPECT_GT(ages_ms_[2].size(), 50u);
  EXPECT_GT(reader_->CountOf(v1::Down::kHistoryPage), 20);
}

// The hub's own sign of life before there was anything to follow asks as well.
TEST_F(ThinLinkTest, ControlRecordsAloneGoByTheCreditAlsoOfASessionThatWasIdle) {
  const CaseId other = CaseWithMessages(3'000);
  bytes_per_second_ = 0.256 * kMbit;
  one_way_ = Duration::Milliseconds(20);
  reader_->Hello();
  IdleFor(Duration::Seconds(3));
  reader_->FollowComplete(2, other);
  IdleFor(Duration::Seconds(1));
  for (int i = 0; i < 10; ++i) {
    IdleFor(Duration::Seconds(1));
    EXPECT_LT((free_at_ - hub_.clock().Now()).milliseconds(), 500) << "in the buffers";
  }
  EXPECT_GT(CameOf(other), 500u) << "it uses the link";
}

TEST_F(ThinLinkTest, AlertsOvertakeACompleteFollowOfControlRecordsAlone) {
  const CaseId other = CaseWithMessages(3'000);
  Follow(0.256 * kMbit, Duration::Milliseconds(40));
  RunFor(Duration::Seconds(2), 2'000);
  reader_->FollowComplete(2, other);
  for (auto& ages : ages_ms_) ages.clear();
  longest_silence_ = Duration();
  RunFor(Duration::Seconds(20), 2'000);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 500);
  EXPECT_LT(longest_silence_.seconds(), 1) << "nobody takes the hub for stale";
  EXPECT_GT(CameOf(other), 500u) << "it uses the link";
  EXPECT_LT(CameOf(other), 3'000u);
}

// A sign of life is no report: one that shows nothing is not sent megabytes for its answers.
TEST_F(ThinLinkTest, ACompleteFollowerThatShowsNothingMoreGetsABatchASecond) {
  const CaseId other = CaseWithBlocks(200);
  TestParticipant stuck(hub_, ReaderIdentity("reader-2"));
  stuck.shows = false;
  stuck.Hello();
  stuck.Shown(0);
  stuck.FollowComplete(1, other);
  for (int ms = 0; ms < 10'000; ms += 100) {
    hub_.RunFor(Duration::Milliseconds(100));
    stuck.Shown(0);
  }
  EXPECT_GT(stuck.bulk_bytes, 2 * kFirstBulkWindowBytes);
  EXPECT_LE(stuck.bulk_bytes, kFirstBulkWindowBytes + 10 * kMaxBatchBytes);
}

TEST_F(ThinLinkTest, ACompleteFollowerThatStoppedShowingGetsABatchASecond) {
  const CaseId other = CaseWithBlocks(2'000);
  TestParticipant stuck(hub_, ReaderIdentity("reader-2"));
  stuck.reads = stuck.shows = false;
  stuck.Hello();
  stuck.FollowComplete(1, other);
  uint64_t shown = 0;
  const auto run = [&](int ms, bool shows) {
    for (; ms > 0; ms -= 2) {
      hub_.RunFor(Duration::Milliseconds(2));
      while (stuck.ReadOne()) {
      }
      if (shows) shown = stuck.bulk_bytes;
      stuck.Shown(shown);
    }
  };
  run(20, true);
  EXPECT_GT(stuck.bulk_bytes, 4 * kFirstBulkWindowBytes) << "its rate is known";
  run(2'000, false);
  const uint64_t before = stuck.bulk_bytes;
  run(10'000, false);
  EXPECT_GT(stuck.bulk_bytes, before);
  EXPECT_LE(stuck.bulk_bytes - before, 11 * kMaxBatchBytes);
}

TEST_F(ThinLinkTest, AFollowMayHaveABudgetOfItsOwn) {
  Follow(10 * kMbit, Duration::Milliseconds(20), 16'000);
  RunFor(Duration::Seconds(30), 45'000);
  EXPECT_LT(static_cast<double>(reader_->bulk_bytes), 31 * 16'000.0);
  EXPECT_GT(static_cast<double>(reader_->bulk_bytes), 25 * 16'000.0);
  EXPECT_LT(Percentile(ages_ms_[0], 99), 50);
}

}  // namespace
}  // namespace remora::hub
