#include "reader-client/cc/app/record_stream.h"

#include "common/testing/fake_dialer.h"
#include "common/testing/manual_executor.h"
#include "common/testing/sample_records.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::reader {
namespace {

using ::testing::HasSubstr;

// A stream of at most four records on a real link; the test is the hub.
class RecordStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    LinkOptions options;
    options.origin = OriginIdForTest(1);
    options.shown_at_once = false;
    link_ =
        std::make_unique<ParticipantLink>(options, executor_, clock_, *random_, dialer_, stream_);
    link_->Start();
    Welcome();
    v1::Follow follow;
    follow.set_case_id(CaseIdForTest().ToString());
    follow.set_delivery(v1::DELIVERY_COMPLETE);
    stream_.Follow(follow, [this](std::function<void(ParticipantLink&)> call) {
      executor_.Post([this, call = std::move(call)] { call(*link_); });
    });
    executor_.RunUntilIdle();
    TakeWritten();
  }

  void Welcome() {
    executor_.RunUntilIdle();
    v1::Down down;
    down.mutable_welcome()->set_version(1);
    down.mutable_welcome()->set_hub_boot_id(4);
    Deliver(down);
  }
  void Deliver(const v1::Down& down) {
    dialer_.Deliver(down);
    executor_.RunUntilIdle();
  }
  void DeliverRecords(uint64_t first, uint64_t last,
                      v1::Record::BodyCase kind = v1::Record::kMessage) {
    for (uint64_t seq = first; seq <= last; ++seq) {
      std::string record = SampleRecord(kind, seq).SerializeAsString();
      AppendStamp({1, seq, HubTime::FromNanoseconds(1), false}, &record);
      std::string frames;
      AppendFrame(record, &frames);
      dialer_.DeliverBytes(frames);
    }
    executor_.RunUntilIdle();
  }
  std::vector<uint64_t> Read(int count) {
    std::vector<uint64_t> read;
    for (int i = 0; i < count; ++i) {
      const std::optional<DeliveredRecord> next = stream_.Next(Duration());
      if (next.has_value()) read.push_back(next->record.stamp.seq);
      executor_.RunUntilIdle();
    }
    return read;
  }
  std::vector<v1::Up> TakeWritten() {
    std::vector<v1::Up> written;
    for (v1::Up& up : dialer_.TakeWritten()) {
      if (!up.has_clock_probe() && !up.has_heartbeat()) written.push_back(std::move(up));
    }
    return written;
  }
  void Answer() {
    v1::Down down;
    down.mutable_history_page()->set_request_id(1);
    down.mutable_history_page()->set_last(true);
    Deliver(down);
  }
  using Seqs = std::vector<uint64_t>;

  FakeClock clock_;
  ManualExecutor executor_{clock_};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  FakeDialer dialer_{executor_};
  RecordStream stream_{4, 1};
  std::unique_ptr<ParticipantLink> link_;
};

TEST_F(RecordStreamTest, HandsRecordsOnInOrder) {
  DeliverRecords(1, 3);
  EXPECT_EQ(Read(4), (Seqs{1, 2, 3}));
  EXPECT_TRUE(TakeWritten().empty());
}

TEST_F(RecordStreamTest, LetsTheFollowGoWhenFullAndGoesOnHeartbeating) {
  DeliverRecords(1, 4);
  const std::vector<v1::Up> written = TakeWritten();
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[0].cancel_follow().follow_id(), 1u);
  EXPECT_TRUE(written[1].has_history_request());
  // What was under way is not taken, however much it is.
  DeliverRecords(5, 100);
  executor_.RunFor(Duration::Seconds(2));
  bool heartbeat = false;
  for (const v1::Up& up : dialer_.TakeWritten())
    heartbeat |= up.has_heartbeat() || up.has_clock_probe();
  EXPECT_TRUE(heartbeat);
  EXPECT_EQ(Read(10), (Seqs{1, 2, 3, 4}));
}

TEST_F(RecordStreamTest, TakesItUpWhereItWasOnlyAfterTheHubsAnswer) {
  DeliverRecords(1, 4);
  TakeWritten();
  EXPECT_EQ(Read(4), (Seqs{1, 2, 3, 4}));
  EXPECT_TRUE(TakeWritten().empty()) << "the hub has not answered";
  DeliverRecords(5, 6);  // under way when the follow was let go
  Answer();
  const std::vector<v1::Up> written = TakeWritten();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].follow().follow_id(), 2u);
  EXPECT_EQ(written[0].follow().delivery(), v1::DELIVERY_COMPLETE);
  EXPECT_EQ(written[0].follow().cursor().lanes(0).seq(), 4u);
  DeliverRecords(5, 7);
  EXPECT_EQ(Read(4), (Seqs{5, 6, 7}));
}

TEST_F(RecordStreamTest, WaitsForTheReaderAfterTheHubsAnswer) {
  DeliverRecords(1, 4);
  Answer();
  TakeWritten();
  EXPECT_EQ(Read(2), (Seqs{1, 2}));
  EXPECT_TRUE(TakeWritten().empty());
  EXPECT_EQ(Read(1), (Seqs{3}));
  EXPECT_TRUE(TakeWritten().at(0).has_follow());
}

TEST_F(RecordStreamTest, ANewSessionIsAnAnswerToo) {
  DeliverRecords(1, 4);
  EXPECT_EQ(Read(4), (Seqs{1, 2, 3, 4}));
  dialer_.Break(absl::UnavailableError("gone"));
  executor_.RunFor(Duration::Seconds(1));
  Welcome();
  bool followed = false;
  for (const v1::Up& up : TakeWritten()) followed |= up.has_follow();
  EXPECT_TRUE(followed);
}

TEST_F(RecordStreamTest, CountsBulkAsShownWhenItIsTaken) {
  DeliverRecords(1, 2, v1::Record::kSampleBlock);
  executor_.RunFor(Duration::Milliseconds(200));
  for (const v1::Up& up : TakeWritten()) EXPECT_FALSE(up.has_shown());
  const std::optional<DeliveredRecord> first = stream_.Next(Duration());
  ASSERT_TRUE(first.has_value());
  executor_.RunFor(Duration::Milliseconds(200));
  ASSERT_FALSE(TakeWritten().empty());
}

TEST_F(RecordStreamTest, SaysHowFarItIsBehindAndNotEachTime) {
  const auto head = [this](uint64_t seq) {
    v1::Down down;
    v1::CaseHead* out = down.mutable_heartbeat()->add_heads();
    out->set_case_id(CaseIdForTest().ToString());
    out->set_head_seq(seq);
    for (int lane = 0; lane < 6; ++lane) out->add_lane_seq(lane == 5 ? seq : 0);
    Deliver(down);
  };
  const auto come = [this](uint64_t seq) {
    DeliverRecords(seq, seq);
    Read(1);
  };
  come(4);
  head(4 + kBehindRecords - 1);
  EXPECT_THAT(stream_.TakeLinkChanges(), testing::IsEmpty()) << "a busy case";
  head(504);
  EXPECT_THAT(stream_.TakeLinkChanges(),
              testing::ElementsAre(HasSubstr("behind the record by 500 records")));
  head(700);
  come(300);
  head(704);
  EXPECT_THAT(stream_.TakeLinkChanges(), testing::IsEmpty()) << "neither twice nor half of it";
  come(600);
  head(704);
  EXPECT_THAT(stream_.TakeLinkChanges(),
              testing::ElementsAre(HasSubstr("behind the record by 104 records")));
  come(704);
  EXPECT_THAT(stream_.TakeLinkChanges(), testing::ElementsAre("caught up with the record"));
  head(704);
  EXPECT_THAT(stream_.TakeLinkChanges(), testing::IsEmpty());
}

TEST_F(RecordStreamTest, EndsWithTheReasonWhenTheFollowIsRefusedOrEnded) {
  v1::Down down;
  down.mutable_refused()->set_reason(v1::REFUSAL_REASON_NOT_PERMITTED);
  down.mutable_refused()->set_follow_id(1);
  Deliver(down);
  EXPECT_TRUE(absl::IsPermissionDenied(stream_.ended()));
}

TEST_F(RecordStreamTest, EndsWithTheHubsCause) {
  v1::Down down;
  down.mutable_follow_ended()->set_follow_id(1);
  down.mutable_follow_ended()->set_cause("cursor not known");
  Deliver(down);
  EXPECT_TRUE(absl::IsUnavailable(stream_.ended()));
  EXPECT_NE(stream_.ended().message().find("cursor not known"), std::string::npos);
}

TEST_F(RecordStreamTest, AnotherFollowsEndIsNotItsEnd) {
  v1::Down down;
  down.mutable_follow_ended()->set_follow_id(77);
  Deliver(down);
  EXPECT_TRUE(stream_.ended().ok());
}

TEST_F(RecordStreamTest, TellsOfAStaleAndALostLinkAndThatItIsBack) {
  EXPECT_TRUE(stream_.TakeLinkChanges().empty()) << "the first connection is nothing to tell";
  executor_.RunFor(Duration::Seconds(3));
  std::vector<std::string> changes = stream_.TakeLinkChanges();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0], HasSubstr("link to the hub STALE"));
  executor_.RunFor(Duration::Seconds(8));
  changes = stream_.TakeLinkChanges();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0], HasSubstr("link to the hub LOST"));
  executor_.RunFor(Duration::Seconds(6));
  Welcome();
  changes = stream_.TakeLinkChanges();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0], HasSubstr("link to the hub back"));
}

TEST_F(RecordStreamTest, TellsThatTheCaseIsNotRecordedAndThatItIsAgain) {
  v1::Down down;
  down.mutable_recording()->set_condition(v1::RECORDING_CONDITION_UNRECORDED);
  down.mutable_recording()->set_cause("the disk is full");
  Deliver(down);
  std::vector<std::string> changes = stream_.TakeLinkChanges();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0], HasSubstr("UNRECORDED"));
  EXPECT_THAT(changes[0], HasSubstr("the disk is full"));
  down.mutable_recording()->set_condition(v1::RECORDING_CONDITION_RECORDING);
  Deliver(down);
  changes = stream_.TakeLinkChanges();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0], "the case is recorded again");
}

TEST_F(RecordStreamTest, AHubThatStartedAgainMeanwhileIsNotTakenForOneThatCannotRecord) {
  v1::Down down;
  down.mutable_recording()->set_condition(v1::RECORDING_CONDITION_UNRECORDED);
  Deliver(down);
  stream_.TakeLinkChanges();
  stream_.OnWelcome(v1::Welcome());
  std::vector<std::string> changes = stream_.TakeLinkChanges();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0], HasSubstr("unless it says otherwise"));
  stream_.OnWelcome(v1::Welcome());
  EXPECT_TRUE(stream_.TakeLinkChanges().empty());
}

}  // namespace
}  // namespace remora::reader
