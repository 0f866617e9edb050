#pragma once

// A case with an agent and a technologist that is to be closed, for tests; what was signed of it is
// proved against its records.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>

#include "common/chain.h"
#include "common/fold/case_fold.h"
#include "common/random.h"
#include "common/record_seal.h"
#include "hub/participants/testing/one_case.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

class ClosingTest : public OneCaseTest {
 protected:
  ClosingTest() {
    tech_ = std::make_unique<TestParticipant>(hub_, TechnologistIdentity());
    tech_->Hello();
    tech_->Join(case_id_);
    hub_.Run();
    tech_writer_ = std::make_unique<RecordWriter>(case_id_, tech_->origin);
  }

  void FromAgent(const v1::Record& body) {
    agent_->Publish({writer_.Write(body)});
    hub_.Run();
  }
  void FromTech(const v1::Record& body) {
    tech_->Publish({tech_writer_->Write(body)});
    hub_.Run();
  }
  // A block under a number of its own: what is left out is missing.
  void Block(uint64_t origin_seq) {
    agent_->Publish({writer_.WriteAs(origin_seq, BlockBody("EMG/L", origin_seq * 64))});
    hub_.Run();
  }
  v1::Record Total(uint64_t lane_5) const {
    v1::Record body;
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      // Of lane 1 it counts itself.
      const uint64_t last = lane == 5   ? lane_5
                            : lane == 1 ? writer_.next(lane)
                                        : writer_.next(lane) - 1;
      if (last == 0) continue;
      v1::LaneTotal* total = body.mutable_publisher_total()->add_lanes();
      total->set_lane(lane);
      total->set_last_origin_seq(last);
    }
    return body;
  }
  v1::Record WithGaps(const std::string& reason) const {
    v1::Record body = LifecycleBody(v1::CASE_TRANSITION_CLOSED, "", reason);
    body.mutable_case_lifecycle()->set_with_gaps(true);
    body.mutable_case_lifecycle()->set_actor(tech_->identity.display_name);
    return body;
  }
  v1::Record ToldGap(uint64_t first, uint64_t last) const {
    v1::Record body;
    body.mutable_data_gap()->set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
    body.mutable_data_gap()->set_origin(origin_.ToString());
    body.mutable_data_gap()->set_lane(5);
    body.mutable_data_gap()->set_first_origin_seq(first);
    body.mutable_data_gap()->set_last_origin_seq(last);
    return body;
  }
  std::string LastRefusal(const TestParticipant& participant) const {
    const v1::Down* refused = participant.Last(v1::Down::kRecordRefused);
    return refused == nullptr ? "" : refused->record_refused().text();
  }

  // All certificates and heads on record, each proved against the records before it.
  void CheckSeals() {
    certificates_.clear();
    heads_.clear();
    ChainHead chain{};
    CaseFold fold(case_id_);
    struct Lane {
      SeqRanges numbers;
      uint64_t late = 0;
    };
    std::map<std::pair<OriginId, uint32_t>, Lane> held;
    const std::string& key = hub_.signer().public_key();
    for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
      const StampedRecord stamped = *WalkStamped(bytes);
      const uint64_t seq = stamped.stamp.seq;
      v1::Record record;
      ASSERT_TRUE(record.ParseFromString(bytes));
      const auto check = [&](const auto& seal) {
        EXPECT_TRUE(IsSigned(case_id_, seal, key)) << seq;
        EXPECT_EQ(seal.seq(), seq - 1);
        EXPECT_EQ(seal.chain(), std::string(chain.begin(), chain.end())) << seq;
        EXPECT_EQ(seal.state_digest(), Blake2b256(fold.EncodeCheckpoint())) << seq;
        EXPECT_EQ(seal.fold_version(), kFoldVersion);
      };
      if (record.has_signed_head()) {
        check(record.signed_head());
        heads_.push_back(record.signed_head());
      } else if (record.has_certificate()) {
        check(record.certificate());
        EXPECT_EQ(record.certificate().record_count(), seq - 1);
        certificates_.push_back(record.certificate());
        for (const v1::OriginLaneHead& head : record.certificate().heads()) {
          const Lane& lane = held[{OriginId::FromBytes(head.origin()), head.lane()}];
          EXPECT_EQ(head.held_count(), lane.numbers.count()) << seq;
          EXPECT_EQ(head.late_count(), lane.late) << seq;
          SeqRanges all = lane.numbers;
          for (const v1::NamedGap& gap : head.gaps()) {
            all.InsertRange(gap.first_origin_seq(), gap.last_origin_seq());
          }
          EXPECT_EQ(all.contiguous(), head.last_origin_seq()) << "each number is held or named";
        }
      }
      Lane& lane = held[{stamped.header.origin, stamped.header.lane}];
      const bool bulk = stamped.header.lane >= kControlLaneCount;
      lane.late += bulk && stamped.header.origin_seq < lane.numbers.largest() ? 1 : 0;
      lane.numbers.Insert(stamped.header.origin_seq);
      chain = ExtendChain(chain, bytes);
      FoldedRecord folded;
      folded.bytes.frame = SharedBytes(bytes);
      folded.seq = seq;
      folded.recorded_unix_ns = stamped.stamp.recorded_at.nanoseconds();
      folded.lane = stamped.header.lane;
      fold.Apply(folded);
    }
  }
  const v1::OriginLaneHead* HeadOf(const v1::Certificate& certificate, uint32_t lane) const {
    for (const v1::OriginLaneHead& head : certificate.heads()) {
      if (head.origin() == origin_.bytes() && head.lane() == lane) return &head;
    }
    return nullptr;
  }
  v1::CaseStage Stage() {
    TestParticipant reader(hub_, ReaderIdentity());
    reader.Hello();
    reader.FollowDirectory(1);
    hub_.Run();
    summary_ = reader.Last(v1::Down::kDirectory)->directory().cases(0);
    return summary_.stage();
  }

  std::unique_ptr<TestParticipant> tech_;
  std::unique_ptr<RecordWriter> tech_writer_;
  std::vector<v1::Certificate> certificates_;
  std::vector<v1::SignedHead> heads_;
  v1::CaseSummary summary_;
};

}  // namespace remora::hub
