#pragma once

// Checkpoints and their notes are caches: kept, dropped when they cannot be true.

#include <map>
#include <string>
#include <vector>

#include "hub/journal/case_tail.h"
#include "hub/journal/limits.h"
#include "hub/journal/testing/journal_conformance.h"

namespace remora::hub {

template <typename Bench>
class CheckpointConformance : public JournalConformance<Bench> {};
TYPED_TEST_SUITE_P(CheckpointConformance);

TYPED_TEST_P(CheckpointConformance, KeepsTheLastCheckpoint) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 5; ++i) this->AppendOk(script.NextDrawn());
  this->journal().SaveCheckpoint(script.case_id(), {2, "early"});
  this->journal().SaveCheckpoint(script.case_id(), {script.last_seq(), std::string(100'000, 's')});
  ASSERT_TRUE(this->journal().Flush().ok());
  const auto expect_kept = [&] {
    const absl::StatusOr<CaseRestore> restore = this->journal().Restore(script.case_id());
    ASSERT_TRUE(restore.ok()) << restore.status();
    EXPECT_EQ(restore->checkpoint.seq, script.last_seq());
    EXPECT_EQ(restore->checkpoint.state, std::string(100'000, 's'));
  };
  expect_kept();
  if (this->bench_.Reopen()) expect_kept();
}

TYPED_TEST_P(CheckpointConformance, ListsTheNoteOfACheckpointAtTheCasesEndElseWhoseTheOriginsAre) {
  CaseScript rests = this->NewCase(1);
  CaseScript went_on = this->NewCase(2);
  CaseScript noted_no_more = this->NewCase(3);
  for (int i = 0; i < 5; ++i) {
    for (CaseScript* script : {&rests, &went_on, &noted_no_more}) {
      this->AppendOk(script->NextDrawn());
    }
  }
  for (CaseScript* script : {&rests, &went_on, &noted_no_more}) {
    this->journal().SaveCheckpoint(script->case_id(), {script->last_seq(), "state", "note"});
  }
  ASSERT_TRUE(this->journal().Flush().ok());
  this->AppendOk(went_on.NextDrawn());
  this->journal().SaveCheckpoint(noted_no_more.case_id(), {noted_no_more.last_seq(), "state"});
  ASSERT_TRUE(this->journal().Flush().ok());
  const auto expect_listed = [&] {
    const absl::StatusOr<std::vector<ListedCase>> cases = this->journal().ListCases();
    ASSERT_TRUE(cases.ok()) << cases.status();
    std::map<CaseId, ListedCase> listed;
    for (const ListedCase& one : *cases) listed[one.case_id] = one;
    ASSERT_EQ(listed.size(), 3u);
    EXPECT_EQ(listed[rests.case_id()].note, "note");
    EXPECT_TRUE(listed[rests.case_id()].owners.empty());
    EXPECT_EQ(this->journal().Restore(rests.case_id())->checkpoint.note, "note");
    for (const CaseScript* script : {&went_on, &noted_no_more}) {
      EXPECT_EQ(listed[script->case_id()].note, "");
      EXPECT_EQ(listed[script->case_id()].owners, OwnersOf(script->Origins()));
      EXPECT_FALSE(listed[script->case_id()].owners.empty());
    }
  };
  expect_listed();
  if (this->bench_.Reopen()) expect_listed();
}

TYPED_TEST_P(CheckpointConformance, ANoteThatIsTooLargeIsNotKeptAndItsCheckpointIs) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.NextDrawn());
  this->journal().SaveCheckpoint(script.case_id(), {script.last_seq(), "state",
                                                    std::string(kMaxCheckpointNoteBytes + 1, 'n')});
  ASSERT_TRUE(this->journal().Flush().ok());
  EXPECT_EQ(this->journal().ListCases()->at(0).note, "");
  EXPECT_EQ(this->journal().Restore(script.case_id())->checkpoint.state, "state");
}

TYPED_TEST_P(CheckpointConformance, RestoresBesideTheLivePathWhatARestoreGives) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 5; ++i) this->AppendOk(script.NextDrawn());
  const absl::StatusOr<CaseRestore> restore =
      RestoreAndWait(this->journal(), this->executor(), script.case_id());
  ASSERT_TRUE(restore.ok()) << restore.status();
  EXPECT_EQ(restore->head.chain, script.Head().chain);
  EXPECT_EQ(restore->origins, script.Origins());
  EXPECT_TRUE(
      absl::IsNotFound(RestoreAndWait(this->journal(), this->executor(), CaseIdOf(9)).status()));
}

TYPED_TEST_P(CheckpointConformance, DropsACheckpointThatIsAheadOfTheRecords) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.Next({0, 1}));
  this->journal().SaveCheckpoint(script.case_id(), {3, "ahead"});
  ASSERT_TRUE(this->journal().Flush().ok());
  const absl::StatusOr<CaseRestore> restore = this->journal().Restore(script.case_id());
  ASSERT_TRUE(restore.ok());
  EXPECT_EQ(restore->checkpoint.seq, 0u);
}

REGISTER_TYPED_TEST_SUITE_P(CheckpointConformance, KeepsTheLastCheckpoint,
                            ListsTheNoteOfACheckpointAtTheCasesEndElseWhoseTheOriginsAre,
                            ANoteThatIsTooLargeIsNotKeptAndItsCheckpointIs,
                            RestoresBesideTheLivePathWhatARestoreGives,
                            DropsACheckpointThatIsAheadOfTheRecords);

}  // namespace remora::hub
