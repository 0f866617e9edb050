#pragma once

// An append that fails, or that lies, leaves nothing and harms nobody else.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "hub/journal/testing/journal_conformance.h"

namespace remora::hub {

template <typename Bench>
class FailureConformance : public JournalConformance<Bench> {};
TYPED_TEST_SUITE_P(FailureConformance);

TYPED_TEST_P(FailureConformance, AFailedAppendLeavesNothingAndStopsLaterOnes) {
  for (const bool disk_full : {true, false}) {
    CaseScript script = this->NewCase(disk_full ? 1 : 2);
    for (int i = 0; i < 3; ++i) this->AppendOk(script.NextDrawn());
    const CaseScript before = script;
    this->bench_.FailCommits(disk_full);
    std::vector<absl::Status> results;
    const CaseAppend first = script.NextDrawn();
    const CaseAppend second = script.NextDrawn();
    for (const CaseAppend& append : {first, second}) {
      this->journal().Append(append, [&](absl::Status status) { results.push_back(status); });
    }
    this->executor().RunUntil([&] { return results.size() == 2; });
    EXPECT_EQ(results[0].code(),
              disk_full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable)
        << results[0];
    EXPECT_FALSE(results[1].ok());
    this->bench_.StopFailing();
    // Not before the one that failed is tried again.
    EXPECT_TRUE(absl::IsUnavailable(this->Append(second)));
    ExpectHolds(this->journal(), this->executor(), before);
    // The room offers again from the seq that failed: as it was, or cut differently.
    CaseScript again = before;
    this->AppendOk(again.Next({0}));
    this->AppendOk(again.NextDrawn());
    ExpectHolds(this->journal(), this->executor(), again);
    if (this->bench_.Reopen()) ExpectHolds(this->journal(), this->executor(), again);
  }
}

TYPED_TEST_P(FailureConformance, HostileAppendIsRefusedAndHarmsOnlyItsCase) {
  CaseScript script = this->NewCase(1);
  CaseScript neighbour = this->NewCase(2);
  this->AppendOk(script.Next({0, 3}));
  const CaseScript before = script;
  std::vector<std::pair<const char*, CaseAppend>> hostile;
  const auto add = [&](const char* what, auto change) {
    CaseScript copy = before;
    CaseAppend append = copy.Next({0, 3, 0}, 30);
    change(append);
    hostile.push_back({what, append});
  };
  // First: once one has failed, a later beginning is Unavailable.
  add("wrong first", [](CaseAppend& a) { ++a.runs[0].first_seq; });
  add("a hole", [](CaseAppend& a) { a.runs.erase(a.runs.begin() + 1); });
  add("two runs of a class", [](CaseAppend& a) { a.runs[1] = a.runs[0]; });
  add("wrong last seq", [](CaseAppend& a) { ++a.last_seq; });
  add("wrong count", [](CaseAppend& a) { ++a.runs[0].count; });
  add("wrong class", [](CaseAppend& a) { std::swap(a.runs[0].frames, a.runs[1].frames); });
  add("wrong last", [](CaseAppend& a) { ++a.runs[0].last_seq; });
  add("a lane's head behind", [](CaseAppend& a) { a.lane_seq[3] = 0; });
  add("lane heads ahead", [](CaseAppend& a) { a.lane_seq[4] = 99; });
  add("a doubled origin number", [](CaseAppend& a) { a.origins[0].added = {{1, 1}}; });
  add("a number recorded and refused", [](CaseAppend& a) { a.origins[0].refused = {{2, 2}}; });
  add("a recorded number refused", [](CaseAppend& a) { a.origins[0].refused = {{1, 1}}; });
  add("an empty range", [](CaseAppend& a) { a.origins[0].added = {{3, 2}}; });
  add("a lane that is none", [](CaseAppend& a) { a.origins[0].lane = kLaneCount; });
  add("a torn frame", [](CaseAppend& a) {
    const absl::string_view bytes = a.runs[0].frames.view();
    a.runs[0].frames = SharedBytes(std::string(bytes.data(), bytes.size() - 1));
  });
  add("not frames", [](CaseAppend& a) { a.runs[0].frames = SharedBytes(std::string(64, 'x')); });
  add("another case", [&](CaseAppend& a) {
    CaseScript other(CaseIdOf(2), before.epoch(), 7);
    other.Next({0, 3});
    a = other.Next({0, 3, 0}, 30);
    a.case_id = before.case_id();
  });
  add("another epoch", [&](CaseAppend& a) {
    CaseScript other(before.case_id(), before.epoch() + 1, 7);
    other.Next({0, 3});
    a = other.Next({0, 3, 0}, 30);
  });
  add("what is here already", [&](CaseAppend& a) {
    a = CaseScript(before.case_id(), before.epoch(), 1).Next({0, 3});
  });
  for (auto& [what, append] : hostile) {
    const absl::Status status = this->Append(append);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << what << ": " << status;
    this->AppendOk(neighbour.NextDrawn());
  }
  ExpectHolds(this->journal(), this->executor(), before);
  this->AppendOk(script.Next({1}));
  ExpectHolds(this->journal(), this->executor(), script);
  ExpectHolds(this->journal(), this->executor(), neighbour);
}

TYPED_TEST_P(FailureConformance, ACaseOfWhichAnAppendFailedIsReleasedWhenItWasAppendedAgain) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.Next({0}));
  const CaseScript before = script;
  this->bench_.FailCommits(false);
  EXPECT_FALSE(this->Append(script.Next({0, 3})).ok());
  this->journal().Release(script.case_id());
  this->journal().Flush().IgnoreError();
  this->bench_.StopFailing();
  CaseScript later = script;
  EXPECT_TRUE(absl::IsUnavailable(this->Append(later.Next({0}))))
      << "nothing later slips in before the one that failed";
  script = before;
  this->AppendOk(script.Next({0, 3}));
  this->journal().Release(script.case_id());
  this->AppendOk(script.Next({0}));
  ExpectHolds(this->journal(), this->executor(), script);
}

REGISTER_TYPED_TEST_SUITE_P(FailureConformance, AFailedAppendLeavesNothingAndStopsLaterOnes,
                            HostileAppendIsRefusedAndHarmsOnlyItsCase,
                            ACaseOfWhichAnAppendFailedIsReleasedWhenItWasAppendedAgain);

}  // namespace remora::hub
