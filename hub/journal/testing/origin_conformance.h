#pragma once

// Which numbers of an origin are held, which were refused, and whose they are.

#include <utility>
#include <vector>

#include "hub/journal/testing/journal_conformance.h"

namespace remora::hub {

// An append of refused numbers alone: as a room makes it that has refused and accepted nothing.
inline CaseAppend RefusalsOf(const CaseScript& script, std::vector<OriginAdvance> origins) {
  const CaseHead head = script.Head();
  CaseAppend append;
  append.case_id = head.case_id;
  append.last_seq = head.last_seq;
  append.chain = head.chain;
  append.lane_seq = head.lane_seq;
  append.origins = std::move(origins);
  return append;
}

template <typename Bench>
class OriginConformance : public JournalConformance<Bench> {};
TYPED_TEST_SUITE_P(OriginConformance);

TYPED_TEST_P(OriginConformance, KeepsOriginRangesWithHoles) {
  CaseScript script = this->NewCase(1);
  CaseAppend append = script.Next({3, 3, 3});
  const OriginId origin = CaseScript::OriginOfLane(3);
  append.origins = {{origin, 3, {{1, 1}, {5, 9}, {100, ~uint64_t{0}}}, {}, "x"}};
  this->AppendOk(append);
  CaseAppend later = script.Next({3});
  later.origins = {{origin, 3, {{3, 4}}, {}, "x"}};
  later.origins[0].late_count = 2;
  later.origins[0].late = {{3, 4}};
  this->AppendOk(later);
  SeqRanges want;
  want.InsertRange(1, 1);
  want.InsertRange(3, 9);
  want.InsertRange(100, ~uint64_t{0});
  const auto expect_held = [&] {
    const absl::StatusOr<CaseRestore> restore = this->journal().Restore(script.case_id());
    ASSERT_TRUE(restore.ok()) << restore.status();
    ASSERT_EQ(restore->origins.size(), 1u);
    EXPECT_EQ(restore->origins[0].held, want);
    EXPECT_EQ(restore->origins[0].late_count, 2u);
    EXPECT_EQ(restore->origins[0].late.ranges(), (std::vector<SeqRanges::Range>{{3, 4}}));
  };
  expect_held();
  if (this->bench_.Reopen()) expect_held();
}

TYPED_TEST_P(OriginConformance, KeepsRefusedNumbersApartAndWhoseOriginItIs) {
  CaseScript script = this->NewCase(1);
  const OriginId stranger = CaseScript::OriginOfLane(1);
  CaseAppend append = script.Next({0});
  append.origins[0].refused = {{5, 6}};
  append.origins[0].participant = "anna";
  this->AppendOk(append);
  // Refused numbers alone, of an origin with records and of one without.
  this->AppendOk(RefusalsOf(script, {{append.origins[0].origin, 0, {}, {{2, 2}}, "anna"},
                                     {stranger, 1, {}, {{1, 1}}, "tom"}}));
  const auto expect_held = [&] {
    const absl::StatusOr<CaseRestore> restore = this->journal().Restore(script.case_id());
    ASSERT_TRUE(restore.ok()) << restore.status();
    EXPECT_EQ(restore->head.last_seq, 1u);
    EXPECT_EQ(restore->head.chain, script.Head().chain);
    ASSERT_EQ(restore->origins.size(), 2u);
    for (const OriginLaneHeld& held : restore->origins) {
      const bool recorded = held.origin == append.origins[0].origin;
      EXPECT_EQ(held.participant, recorded ? "anna" : "tom");
      EXPECT_EQ(held.held.count(), recorded ? 1u : 0u);
      EXPECT_EQ(held.refused.ranges(), recorded ? (std::vector<SeqRanges::Range>{{2, 2}, {5, 6}})
                                                : (std::vector<SeqRanges::Range>{{1, 1}}));
    }
  };
  expect_held();
  if (this->bench_.Reopen()) expect_held();
  this->AppendOk(script.Next({3}));
}

TYPED_TEST_P(OriginConformance, AFailedAppendOfRefusedNumbersLeavesNothing) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.Next({0, 3}));
  const std::vector<OriginAdvance> refused = {{CaseScript::OriginOfLane(1), 1, {}, {{1, 1}}, "x"}};
  for (const bool disk_full : {true, false}) {
    this->bench_.FailCommits(disk_full);
    EXPECT_FALSE(this->Append(RefusalsOf(script, refused)).ok());
    this->bench_.StopFailing();
    this->AppendOk(script.Next({0}));
    ExpectHolds(this->journal(), this->executor(), script);
    if (this->bench_.Reopen()) ExpectHolds(this->journal(), this->executor(), script);
  }
  this->AppendOk(RefusalsOf(script, refused));
}

TYPED_TEST_P(OriginConformance, HostileAppendWithoutRecordsIsRefused) {
  CaseScript script = this->NewCase(1);
  const OriginAdvance refused = {CaseScript::OriginOfLane(1), 1, {}, {{1, 1}}, "x"};
  EXPECT_TRUE(absl::IsInvalidArgument(this->Append(RefusalsOf(script, {refused}))));
  CaseAppend no_run = CaseScript(script).Next({0, 3});
  no_run.runs.clear();
  EXPECT_FALSE(this->Append(no_run).ok());
  this->AppendOk(script.Next({0}));
  OriginAdvance with_record = refused;
  with_record.added = {{2, 2}};
  EXPECT_TRUE(absl::IsInvalidArgument(this->Append(RefusalsOf(script, {with_record}))));
  EXPECT_TRUE(absl::IsInvalidArgument(this->Append(RefusalsOf(script, {}))));
  CaseAppend chain = RefusalsOf(script, {refused});
  chain.chain[0] ^= 1;
  EXPECT_TRUE(absl::IsInvalidArgument(this->Append(chain)));
  ExpectHolds(this->journal(), this->executor(), script);
}

REGISTER_TYPED_TEST_SUITE_P(OriginConformance, KeepsOriginRangesWithHoles,
                            KeepsRefusedNumbersApartAndWhoseOriginItIs,
                            AFailedAppendOfRefusedNumbersLeavesNothing,
                            HostileAppendWithoutRecordsIsRefused);

}  // namespace remora::hub
