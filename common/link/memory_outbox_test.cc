#include "common/link/memory_outbox.h"

#include <set>

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
    AddRange(lane, first, last, message.add_held());
    return message;
  }
  static void AddRange(uint32_t lane, uint64_t first, uint64_t last, v1::LaneRanges* ranges) {
    ranges->set_lane(lane);
    ranges->add_ranges()->set_first(first);
    ranges->mutable_ranges(0)->set_last(last);
  }
  static v1::RecordRefused Refusal(uint32_t lane, uint64_t seq, v1::RefusalReason reason,
                                   const std::string& text) {
    v1::RecordRefused refused;
    refused.set_lane(lane);
    refused.set_origin_seq(seq);
    refused.set_reason(reason);
    refused.set_text(text);
    return refused;
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

// docs/protocol.md, "What happens to a record", spelled out again: a reason that is not here is for
// now.
TEST(PermanentRefusal, IsWhatTheProtocolSays) {
  const std::set<v1::RefusalReason> for_ever = {
      v1::REFUSAL_REASON_NOT_PERMITTED,   v1::REFUSAL_REASON_MALFORMED,
      v1::REFUSAL_REASON_TOO_LARGE,       v1::REFUSAL_REASON_WRONG_STAGE,
      v1::REFUSAL_REASON_THEATRE_CLAIMED, v1::REFUSAL_REASON_ID_REUSED};
  for (int number = 0; number < v1::RefusalReason_ARRAYSIZE; ++number) {
    const auto reason = static_cast<v1::RefusalReason>(number);
    EXPECT_EQ(IsPermanentRefusal(reason), for_ever.count(reason) > 0)
        << v1::RefusalReason_Name(reason);
  }
}

TEST_F(MemoryOutboxTest, DoesNotOfferAgainWhatIsRefusedForGood) {
  const RecordKey first = Publish(v1::Record::kMessage);
  const RecordKey second = Publish(v1::Record::kMessage);
  Join();
  EXPECT_EQ(Take().size(), 2u);
  outbox_.OnRefused(Refusal(0, 1, v1::REFUSAL_REASON_NOT_PERMITTED, "a reader may not"));
  outbox_.OnRefused(Refusal(0, 2, v1::REFUSAL_REASON_OUT_OF_ORDER, "wait"));
  v1::Joined joined;
  AddRange(0, 1, 1, joined.add_refused());
  outbox_.OnJoined(joined);
  EXPECT_EQ(Take(), std::vector<RecordKey>{second});
  EXPECT_EQ(outbox_.RefusalText(first), "a reader may not");
  EXPECT_EQ(outbox_.RefusalText(second), "");
  EXPECT_EQ(outbox_.waiting_records(), 1u);
}

TEST_F(MemoryOutboxTest, ARefusedRecordNeverLooksAcknowledged) {
  for (int i = 0; i < 5; ++i) Publish(v1::Record::kMessage);
  Join();
  Take();
  // Whether or not the hub counts a refused number as held, and whichever it says first.
  outbox_.OnRefused(Refusal(0, 1, v1::REFUSAL_REASON_WRONG_STAGE, "the case is closed"));
  outbox_.OnAcknowledged(Held<v1::Acknowledge>(0, 1, 3));
  outbox_.OnRefused(Refusal(0, 2, v1::REFUSAL_REASON_ID_REUSED, "it is on record otherwise"));
  v1::Acknowledge acknowledge;
  AddRange(0, 3, 4, acknowledge.add_refused());
  outbox_.OnAcknowledged(acknowledge);
  EXPECT_EQ(outbox_.RefusalText({origin_, 0, 1}), "the case is closed");
  EXPECT_EQ(outbox_.RefusalText({origin_, 0, 2}), "it is on record otherwise");
  EXPECT_NE(outbox_.RefusalText({origin_, 0, 4}), "");
  for (uint64_t seq = 1; seq <= 4; ++seq) {
    EXPECT_FALSE(outbox_.IsAcknowledged({origin_, 0, seq})) << seq;
  }
  EXPECT_EQ(outbox_.waiting_records(), 1u);
  v1::Joined joined = Held<v1::Joined>(0, 1, 2);
  AddRange(0, 3, 4, joined.add_refused());
  outbox_.OnJoined(joined);
  EXPECT_FALSE(outbox_.IsAcknowledged({origin_, 0, 1}));
  EXPECT_EQ(Take(), (std::vector<RecordKey>{{origin_, 0, 5}}));
  // Why it was refused is not forgotten when the hub only says that it was.
  outbox_.OnRefused(Refusal(0, 3, v1::REFUSAL_REASON_MALFORMED, "no text"));
  EXPECT_EQ(outbox_.RefusalText({origin_, 0, 3}), "no text");
  outbox_.OnAcknowledged(acknowledge);
  outbox_.OnRefused(Refusal(0, 3, v1::REFUSAL_REASON_MALFORMED, "refused before"));
  EXPECT_EQ(outbox_.RefusalText({origin_, 0, 3}), "no text");
  EXPECT_EQ(outbox_.refused_records(), 4u);
}

TEST_F(MemoryOutboxTest, OffersAgainWhatAHubThatHasGoneBackKnowsNeitherAsHeldNorAsRefused) {
  Publish(v1::Record::kMessage);
  Publish(v1::Record::kMessage);
  Join();
  Take();
  outbox_.OnRefused(Refusal(0, 1, v1::REFUSAL_REASON_WRONG_STAGE, "the case is closed"));
  Join();  // a case that is not there: nothing to wait for
  EXPECT_EQ(Take(), (std::vector<RecordKey>{{origin_, 0, 2}}));
  // A lane of a journal waits for number 1: without it nothing behind would be taken.
  v1::Joined back;
  back.set_epoch(2);
  outbox_.OnJoined(back);
  EXPECT_EQ(outbox_.RefusalText({origin_, 0, 1}), "");
  EXPECT_EQ(Take(), (std::vector<RecordKey>{{origin_, 0, 1}, {origin_, 0, 2}}));
  outbox_.OnAcknowledged(Held<v1::Acknowledge>(0, 1, 2));
  EXPECT_TRUE(outbox_.IsAcknowledged({origin_, 0, 1}));
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
  outbox_.OnAcknowledged(Held<v1::Acknowledge>(0, 1, UINT64_MAX));
  v1::Joined joined;
  AddRange(0, 1, UINT64_MAX, joined.add_refused());
  AddRange(77, 1, 1, joined.add_refused());
  AddRange(0, 4, 2, joined.add_refused());
  outbox_.OnJoined(joined);
  outbox_.OnRefused(Refusal(77, 0, v1::REFUSAL_REASON_MALFORMED, ""));
  outbox_.OnRefused(Refusal(0, 1, v1::REFUSAL_REASON_MALFORMED, ""));
  const RecordKey key = Publish(v1::Record::kMessage);
  EXPECT_EQ(key.origin_seq, 1u);              // no number was used up
  EXPECT_FALSE(outbox_.IsAcknowledged(key));  // nor is said to be on record before it was sent
  EXPECT_EQ(outbox_.RefusalText(key), "");
  EXPECT_EQ(Take(), std::vector<RecordKey>{key});
}

}  // namespace
}  // namespace remora
