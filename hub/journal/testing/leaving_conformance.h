#pragma once

// Cases that leave: from memory, and for good.

#include <utility>
#include <vector>

#include "hub/journal/testing/journal_conformance.h"

namespace remora::hub {

template <typename Bench>
class LeavingConformance : public JournalConformance<Bench> {};
TYPED_TEST_SUITE_P(LeavingConformance);

TYPED_TEST_P(LeavingConformance, AReleasedCaseIsAsBefore) {
  this->journal().Release(CaseIdOf(9));  // that is not there
  CaseScript script = this->NewCase(1);
  this->journal().Release(script.case_id());
  std::vector<absl::Status> done;
  for (int i = 0; i < 20; ++i) {
    this->journal().Append(script.NextDrawn(),
                           [&](absl::Status status) { done.push_back(std::move(status)); });
    if (i % 3 == 0) this->journal().Release(script.case_id());
    if (i % 7 == 0) this->executor().RunUntil([&] { return done.size() > i; });
  }
  this->journal().SaveCheckpoint(script.case_id(), {script.last_seq(), "state"});
  this->journal().Release(script.case_id());
  ASSERT_TRUE(this->journal().Flush().ok());
  this->executor().RunUntil([&] { return done.size() == 20; });
  for (const absl::Status& status : done) EXPECT_TRUE(status.ok()) << status;
  ExpectHolds(this->journal(), this->executor(), script);
  EXPECT_EQ(this->journal().Restore(script.case_id())->checkpoint.seq, script.last_seq());
  const CaseAppend append = script.Next({0});
  this->AppendOk(append);
  this->journal().Release(script.case_id());
  EXPECT_TRUE(absl::IsInvalidArgument(this->Append(append))) << "what it holds, it holds";
  this->journal().Release(script.case_id());
  ASSERT_TRUE(PurgeAndWait(this->journal(), this->executor(), TombstoneOf(script)).ok());
}

TYPED_TEST_P(LeavingConformance, OfAPurgedCaseTheTombstoneAloneStays) {
  CaseScript gone = this->NewCase(1);
  CaseScript stays = this->NewCase(2);
  for (int i = 0; i < 50; ++i) {
    this->AppendOk(gone.NextDrawn());
    this->AppendOk(stays.NextDrawn());
  }
  this->journal().SaveCheckpoint(gone.case_id(), {gone.last_seq(), "state"});
  const Tombstone tombstone = TombstoneOf(gone);
  ASSERT_TRUE(PurgeAndWait(this->journal(), this->executor(), tombstone).ok());
  const auto expect_gone = [&] {
    EXPECT_TRUE(absl::IsNotFound(this->journal().Restore(gone.case_id()).status()));
    EXPECT_TRUE(absl::IsAlreadyExists(this->journal().CreateCase(gone.case_id()).status()));
    EXPECT_EQ(this->journal().ListCases()->size(), 1u);
    ASSERT_EQ(this->journal().ListTombstones()->size(), 1u);
    EXPECT_EQ(this->journal().ListTombstones()->at(0), tombstone);
    EXPECT_TRUE(this->journal().IsPurged(gone.case_id()));
    EXPECT_FALSE(this->journal().IsPurged(stays.case_id()));
    const auto find = [&](const CaseId& case_id) {
      return FindTombstoneAndWait(this->journal(), this->executor(), case_id);
    };
    ASSERT_TRUE(find(gone.case_id()).ok());
    EXPECT_EQ(*find(gone.case_id()), tombstone);
    EXPECT_TRUE(absl::IsNotFound(find(stays.case_id()).status()));
    EXPECT_EQ(this->journal().CountPurges()->count, 1u);
    EXPECT_EQ(this->journal().CountPurges()->newest_unix_ns, tombstone.purged_unix_ns);
    ReadRequest request;
    request.case_id = gone.case_id();
    EXPECT_TRUE(absl::IsNotFound(ReadAndWait(this->journal(), this->executor(), request).status()));
    EXPECT_TRUE(absl::IsNotFound(this->Append(CaseScript(gone).NextDrawn())));
    EXPECT_TRUE(absl::IsNotFound(PurgeAndWait(this->journal(), this->executor(), tombstone)));
  };
  expect_gone();
  if (this->bench_.Reopen()) expect_gone();
  this->AppendOk(stays.NextDrawn());
  ExpectHolds(this->journal(), this->executor(), stays);
  CaseScript next = this->NewCase(3);
  this->AppendOk(next.NextDrawn());
  ExpectHolds(this->journal(), this->executor(), next);
}

TYPED_TEST_P(LeavingConformance, CaseThatWentOnSinceItWasArchivedIsNotPurged) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.NextDrawn());
  const Tombstone early = TombstoneOf(script);
  this->AppendOk(script.NextDrawn());
  EXPECT_TRUE(absl::IsFailedPrecondition(PurgeAndWait(this->journal(), this->executor(), early)));
  Tombstone other = TombstoneOf(script);
  other.chain[0] ^= 1;
  EXPECT_TRUE(absl::IsFailedPrecondition(PurgeAndWait(this->journal(), this->executor(), other)));
  ExpectHolds(this->journal(), this->executor(), script);
  EXPECT_TRUE(this->journal().ListTombstones()->empty());
}

TYPED_TEST_P(LeavingConformance, AFailedPurgeLeavesTheCaseAsItWas) {
  for (const bool disk_full : {true, false}) {
    CaseScript script = this->NewCase(disk_full ? 1 : 2);
    for (int i = 0; i < 20; ++i) this->AppendOk(script.NextDrawn());
    this->bench_.FailCommits(disk_full);
    EXPECT_FALSE(PurgeAndWait(this->journal(), this->executor(), TombstoneOf(script)).ok());
    this->bench_.StopFailing();
    this->AppendOk(script.NextDrawn());
    ExpectHolds(this->journal(), this->executor(), script);
    EXPECT_TRUE(this->journal().ListTombstones()->empty());
    if (this->bench_.Reopen()) ExpectHolds(this->journal(), this->executor(), script);
  }
}

REGISTER_TYPED_TEST_SUITE_P(LeavingConformance, AReleasedCaseIsAsBefore,
                            OfAPurgedCaseTheTombstoneAloneStays,
                            CaseThatWentOnSinceItWasArchivedIsNotPurged,
                            AFailedPurgeLeavesTheCaseAsItWas);

}  // namespace remora::hub
