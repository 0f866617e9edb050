#include "common/link/memory_outbox.h"

#include "common/testing/fake_clock.h"
#include "common/testing/sample_records.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

class MemoryOutboxTest : public testing::Test {
 protected:
  RecordKey Publish(v1::Record::BodyCase kind) {
    v1::Record record;
    const v1::Record sample = SampleRecord(kind);
    record.MergeFrom(sample);
    const auto key = outbox_.Publish(record);
    EXPECT_TRUE(key.ok()) << key.status();
    return key.value_or(RecordKey());
  }
  void Join() { outbox_.OnJoined(v1::Joined()); }
  std::vector<RecordKey> Take(size_t max_bytes = 1'000'000) {
    std::string frames;
    outbox_.NextBatch(max_bytes, &frames);
    std::vector<RecordKey> keys;
    absl::string_view rest = frames;
    while (!rest.empty()) {
      const auto header = WalkRecord(TakeFrame(&rest).value());
      EXPECT_TRUE(header.ok()) << header.status();
      keys.push_back(header->key());
    }
    return keys;
  }
  template <typename Message>
  static Message Held(uint32_t lane, uint64_t first, uint64_t last) {
    Message message;
    v1::LaneRanges* held = message.add_held();
    held->set_lane(lane);
    held->add_ranges()->set_first(first);
    held->mutable_ranges(0)->set_last(last);
    return message;
  }

  FakeClock clock_;
  const OriginId origin_ = OriginIdForTest(9);
  MemoryOutbox outbox_{clock_, CaseIdForTest(8), origin_};
};

TEST_F(MemoryOutboxTest, NumbersEachLaneFromOneAndSignsWithItsOrigin) {
  EXPECT_EQ(Publish(v1::Record::kMessage), (RecordKey{origin_, 0, 1}));
  EXPECT_EQ(Publish(v1::Record::kAnnotation), (RecordKey{origin_, 1, 1}));
  EXPECT_EQ(Publish(v1::Record::kMessage), (RecordKey{origin_, 0, 2}));
  EXPECT_EQ(outbox_.waiting_records(), 3u);
}

TEST_F(MemoryOutboxTest, GivesLanes0And1InTheOrderPublishedAndBeforeTheOthers) {
  const RecordKey sweep = Publish(v1::Record::kSweep);
  const RecordKey measurement = Publish(v1::Record::kMeasurement);
  const RecordKey baseline = Publish(v1::Record::kBaselineSet);
  const RecordKey alert = Publish(v1::Record::kAlert);
  const RecordKey note = Publish(v1::Record::kAnnotation);
  Join();
  EXPECT_EQ(Take(), (std::vector<RecordKey>{baseline, alert, note, measurement, sweep}));
  EXPECT_FALSE(outbox_.HasPending());
  EXPECT_TRUE(Take().empty());
}

TEST_F(MemoryOutboxTest, GivesAtLeastOneRecordHoweverSmallTheBatch) {
  Publish(v1::Record::kMessage);
  Publish(v1::Record::kMessage);
  Join();
  EXPECT_EQ(Take(1).size(), 1u);
  EXPECT_EQ(Take(1).size(), 1u);
  EXPECT_FALSE(outbox_.HasPending());
}

TEST_F(MemoryOutboxTest, OffersAgainWhatTheHubLacksAfterJoiningAnew) {
  for (int i = 0; i < 4; ++i) Publish(v1::Record::kMessage);
  Join();
  EXPECT_EQ(Take().size(), 4u);
  outbox_.OnAcknowledged(Held<v1::Acknowledge>(0, 1, 3));
  EXPECT_TRUE(outbox_.IsAcknowledged({origin_, 0, 3}));
  EXPECT_FALSE(outbox_.IsAcknowledged({origin_, 0, 4}));
  EXPECT_EQ(outbox_.waiting_records(), 1u);
  // The journal has gone back to 1.
  outbox_.OnJoined(Held<v1::Joined>(0, 1, 1));
  EXPECT_EQ(Take(), (std::vector<RecordKey>{{origin_, 0, 2}, {origin_, 0, 3}, {origin_, 0, 4}}));
}

TEST_F(MemoryOutboxTest, DoesNotOfferAgainWhatIsRefusedForGood) {
  const RecordKey first = Publish(v1::Record::kMessage);
  const RecordKey second = Publish(v1::Record::kMessage);
  v1::RecordRefused refused;
  refused.set_origin_seq(1);
  refused.set_reason(v1::REFUSAL_REASON_NOT_PERMITTED);
  refused.set_text("a reader may not");
  outbox_.OnRefused(refused);
  refused.set_origin_seq(2);
  refused.set_reason(v1::REFUSAL_REASON_OUT_OF_ORDER);
  outbox_.OnRefused(refused);
  Join();
  EXPECT_EQ(Take(), std::vector<RecordKey>{second});
  EXPECT_EQ(outbox_.RefusalText(first), "a reader may not");
  EXPECT_EQ(outbox_.RefusalText(second), "");
  EXPECT_EQ(outbox_.waiting_records(), 1u);
}

TEST_F(MemoryOutboxTest, WhenFullForgetsWhatIsOnRecordAndRefusesTheRest) {
  for (size_t i = 0; i < kMaxMemoryOutboxRecords; ++i) {
    v1::Record record;
    record.mutable_message()->set_kind(v1::MESSAGE_KIND_CHAT);
    record.mutable_message()->set_text("x");
    ASSERT_TRUE(outbox_.Publish(record).ok());
  }
  v1::Record one_more;
  one_more.mutable_message()->set_kind(v1::MESSAGE_KIND_CHAT);
  one_more.mutable_message()->set_text("x");
  EXPECT_TRUE(absl::IsResourceExhausted(outbox_.Publish(one_more).status()));
  outbox_.OnAcknowledged(Held<v1::Acknowledge>(0, 1, 2));
  EXPECT_TRUE(outbox_.Publish(one_more).ok());
  EXPECT_TRUE(outbox_.Publish(one_more).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(outbox_.Publish(one_more).status()));
}

TEST_F(MemoryOutboxTest, HostileRecordsAndAnswersAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(outbox_.Publish(v1::Record()).status()));
  v1::Record empty_text;
  empty_text.mutable_message()->set_kind(v1::MESSAGE_KIND_CHAT);
  EXPECT_TRUE(absl::IsInvalidArgument(outbox_.Publish(empty_text).status()));
  EXPECT_EQ(outbox_.waiting_records(), 0u);
  outbox_.OnAcknowledged(Held<v1::Acknowledge>(99, 1, 2));
  outbox_.OnAcknowledged(Held<v1::Acknowledge>(0, 5, 2));
  v1::RecordRefused refused;
  refused.set_lane(77);
  outbox_.OnRefused(refused);
  EXPECT_EQ(Publish(v1::Record::kMessage).origin_seq, 1u);  // no number was used up
}

}  // namespace
}  // namespace remora
