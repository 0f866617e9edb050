#pragma once

// What is appended is held, in order, case by case.

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "hub/journal/testing/journal_conformance.h"

namespace remora::hub {

template <typename Bench>
class AppendConformance : public JournalConformance<Bench> {};
TYPED_TEST_SUITE_P(AppendConformance);

TYPED_TEST_P(AppendConformance, HoldsExactlyWhatWasAppended) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 200; ++i) this->AppendOk(script.NextDrawn());
  ExpectHolds(this->journal(), this->executor(), script);
  if (this->bench_.Reopen()) ExpectHolds(this->journal(), this->executor(), script);
}

TYPED_TEST_P(AppendConformance, GoesOnAfterReopening) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 5; ++i) this->AppendOk(script.NextDrawn());
  if (!this->bench_.Reopen()) GTEST_SKIP() << "skipped: keeps nothing";
  EXPECT_TRUE(absl::IsAlreadyExists(this->journal().CreateCase(script.case_id()).status()));
  for (int i = 0; i < 5; ++i) this->AppendOk(script.NextDrawn());
  ASSERT_TRUE(this->bench_.Reopen());
  ExpectHolds(this->journal(), this->executor(), script);
}

TYPED_TEST_P(AppendConformance, ListsCasesThatHoldRecords) {
  CaseScript one = this->NewCase(1);
  CaseScript two = this->NewCase(2);
  this->NewCase(3);
  this->AppendOk(one.Next({0, 3}));
  this->AppendOk(two.Next({5}));
  const absl::StatusOr<std::vector<ListedCase>> heads = this->journal().ListCases();
  ASSERT_TRUE(heads.ok()) << heads.status();
  std::map<CaseId, uint64_t> last_seqs;
  for (const CaseHead& head : *heads) last_seqs[head.case_id] = head.last_seq;
  const std::map<CaseId, uint64_t> want = {{one.case_id(), 2}, {two.case_id(), 1}};
  EXPECT_EQ(last_seqs, want);
}

TYPED_TEST_P(AppendConformance, KnowsNoCaseThatWasNotCreated) {
  CaseScript stranger(CaseIdOf(9), 1, 9);
  EXPECT_TRUE(absl::IsNotFound(this->journal().Restore(stranger.case_id()).status()));
  EXPECT_TRUE(absl::IsNotFound(this->Append(stranger.Next({0}))));
  ReadRequest request;
  request.case_id = stranger.case_id();
  EXPECT_TRUE(absl::IsNotFound(ReadAndWait(this->journal(), this->executor(), request).status()));
}

TYPED_TEST_P(AppendConformance, GivesANewCaseAnEmptyStart) {
  const CaseScript script = this->NewCase(1);
  ExpectHolds(this->journal(), this->executor(), script);
  const absl::StatusOr<CaseRestore> restore = this->journal().Restore(script.case_id());
  ASSERT_TRUE(restore.ok());
  EXPECT_EQ(restore->checkpoint.seq, 0u);
  EXPECT_TRUE(absl::IsAlreadyExists(this->journal().CreateCase(script.case_id()).status()));
}

TYPED_TEST_P(AppendConformance, CallsBackInOrderAndOnceForPipelinedAppends) {
  CaseScript scripts[] = {this->NewCase(1), this->NewCase(2), this->NewCase(3)};
  std::vector<uint64_t> called[3];
  size_t calls = 0;
  for (int i = 0; i < 100; ++i) {
    for (int c = 0; c < 3; ++c) {
      CaseAppend append = scripts[c].NextDrawn();
      const uint64_t last_seq = append.last_seq;
      this->journal().Append(std::move(append), [&, c, last_seq](absl::Status status) {
        EXPECT_TRUE(status.ok()) << status;
        called[c].push_back(last_seq);
        ++calls;
      });
    }
  }
  this->executor().RunUntil([&] { return calls == 300; });
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(called[c].size(), 100u);
    EXPECT_TRUE(std::is_sorted(called[c].begin(), called[c].end()));
    ExpectHolds(this->journal(), this->executor(), scripts[c]);
  }
}

TYPED_TEST_P(AppendConformance, FlushWaitsForEverythingAppended) {
  CaseScript script = this->NewCase(1);
  int done = 0;
  for (int i = 0; i < 50; ++i) {
    this->journal().Append(script.NextDrawn(), [&](absl::Status) { ++done; });
  }
  EXPECT_TRUE(this->journal().Flush().ok());
  this->executor().RunPosted();
  EXPECT_EQ(done, 50);
}

REGISTER_TYPED_TEST_SUITE_P(AppendConformance, HoldsExactlyWhatWasAppended, GoesOnAfterReopening,
                            ListsCasesThatHoldRecords, KnowsNoCaseThatWasNotCreated,
                            GivesANewCaseAnEmptyStart, CallsBackInOrderAndOnceForPipelinedAppends,
                            FlushWaitsForEverythingAppended);

}  // namespace remora::hub
