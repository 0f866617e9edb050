#pragma once

// What every journal must do: instantiated for each engine by a test of its own. An engine gives a
// type `Bench` with
//
//   Journal& journal();
//   WaitingExecutor& executor();
//   bool Reopen();                        closes and opens; false: the engine keeps nothing
//   void FailCommits(bool disk_full);     every commit fails from now on
//   void StopFailing();

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/journal/case_tail.h"
#include "hub/journal/limits.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub {

template <typename Bench>
class JournalConformance : public testing::Test {
 protected:
  Journal& journal() { return bench_.journal(); }
  WaitingExecutor& executor() { return bench_.executor(); }

  CaseScript NewCase(uint64_t number) {
    const absl::StatusOr<uint32_t> epoch = journal().CreateCase(CaseIdOf(number));
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    return CaseScript(CaseIdOf(number), epoch.value_or(0), number);
  }
  absl::Status Append(CaseAppend append) {
    return AppendAndWait(journal(), executor(), std::move(append));
  }
  void AppendOk(CaseAppend append) {
    const absl::Status status = Append(std::move(append));
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string ReadOk(const ReadRequest& request) {
    const absl::StatusOr<std::string> frames = ReadWholeRange(journal(), executor(), request);
    EXPECT_TRUE(frames.ok()) << frames.status();
    return frames.value_or("");
  }

  Bench bench_;
};

TYPED_TEST_SUITE_P(JournalConformance);

TYPED_TEST_P(JournalConformance, HoldsExactlyWhatWasAppended) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 200; ++i) this->AppendOk(script.NextDrawn());
  ExpectHolds(this->journal(), this->executor(), script);
  if (this->bench_.Reopen()) ExpectHolds(this->journal(), this->executor(), script);
}

TYPED_TEST_P(JournalConformance, GoesOnAfterReopening) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 5; ++i) this->AppendOk(script.NextDrawn());
  if (!this->bench_.Reopen()) GTEST_SKIP() << "skipped: keeps nothing";
  EXPECT_TRUE(absl::IsAlreadyExists(this->journal().CreateCase(script.case_id()).status()));
  for (int i = 0; i < 5; ++i) this->AppendOk(script.NextDrawn());
  ASSERT_TRUE(this->bench_.Reopen());
  ExpectHolds(this->journal(), this->executor(), script);
}

TYPED_TEST_P(JournalConformance, ListsCasesThatHoldRecords) {
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

TYPED_TEST_P(JournalConformance, KnowsNoCaseThatWasNotCreated) {
  CaseScript stranger(CaseIdOf(9), 1, 9);
  EXPECT_TRUE(absl::IsNotFound(this->journal().Restore(stranger.case_id()).status()));
  EXPECT_TRUE(absl::IsNotFound(this->Append(stranger.Next({0}))));
  ReadRequest request;
  request.case_id = stranger.case_id();
  EXPECT_TRUE(absl::IsNotFound(ReadAndWait(this->journal(), this->executor(), request).status()));
}

TYPED_TEST_P(JournalConformance, GivesANewCaseAnEmptyStart) {
  const CaseScript script = this->NewCase(1);
  ExpectHolds(this->journal(), this->executor(), script);
  const absl::StatusOr<CaseRestore> restore = this->journal().Restore(script.case_id());
  ASSERT_TRUE(restore.ok());
  EXPECT_EQ(restore->checkpoint.seq, 0u);
  EXPECT_TRUE(absl::IsAlreadyExists(this->journal().CreateCase(script.case_id()).status()));
}

TYPED_TEST_P(JournalConformance, CallsBackInOrderAndOnceForPipelinedAppends) {
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

TYPED_TEST_P(JournalConformance, FlushWaitsForEverythingAppended) {
  CaseScript script = this->NewCase(1);
  int done = 0;
  for (int i = 0; i < 50; ++i) {
    this->journal().Append(script.NextDrawn(), [&](absl::Status) { ++done; });
  }
  EXPECT_TRUE(this->journal().Flush().ok());
  this->executor().RunPosted();
  EXPECT_EQ(done, 50);
}

TYPED_TEST_P(JournalConformance, ReadsAnyRangeOfAnyClassInSeqOrder) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 30; ++i) this->AppendOk(script.NextDrawn());
  const uint64_t last = script.last_seq();
  for (int classes = 1; classes <= 3; ++classes) {
    for (uint64_t from = 1; from <= last + 1; from += 3) {
      for (uint64_t to = from; to <= last + 2; to += 17) {
        ReadRequest request;
        request.case_id = script.case_id();
        request.from_seq = from;
        request.to_seq = to;
        request.control = classes & 1;
        request.bulk = classes & 2;
        EXPECT_TRUE(this->ReadOk(request) == script.Frames(from, to, request.control, request.bulk))
            << "seq " << from << "-" << to << ", classes " << classes;
      }
    }
  }
}

TYPED_TEST_P(JournalConformance, PagesAtAnySizeWithoutGapOrRepeat) {
  CaseScript script = this->NewCase(1);
  for (int i = 0; i < 20; ++i) this->AppendOk(script.NextDrawn());
  for (const size_t max_bytes :
       {size_t{1}, size_t{300}, size_t{1000}, size_t{5000}, size_t{1} << 20}) {
    for (int classes = 1; classes <= 3; ++classes) {
      ReadRequest request;
      request.case_id = script.case_id();
      request.max_bytes = max_bytes;
      request.control = classes & 1;
      request.bulk = classes & 2;
      EXPECT_TRUE(this->ReadOk(request) ==
                  script.Frames(1, script.last_seq(), request.control, request.bulk))
          << "pages of " << max_bytes << " bytes, classes " << classes;
    }
  }
}

TYPED_TEST_P(JournalConformance, APageSaysWhatItHoldsAndWhereToGoOn) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.Next({0, 3, 1, 3}, 100));
  this->AppendOk(script.Next({5, 5, 0}, 100));
  ReadRequest request;
  request.case_id = script.case_id();
  request.from_seq = 2;
  request.max_bytes = script.records()[1].frame.size() + script.records()[2].frame.size();
  absl::StatusOr<ReadResult> page = ReadAndWait(this->journal(), this->executor(), request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->first_seq, 2u);
  EXPECT_EQ(page->last_seq, 3u);
  EXPECT_EQ(page->next_seq, 4u);
  // A page never ends with nothing because a record is too large for it.
  request.max_bytes = 1;
  page = ReadAndWait(this->journal(), this->executor(), request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->last_seq, 2u);
  EXPECT_EQ(page->next_seq, 3u);
  // Of one class only, the next number is that of a record of the class.
  request.from_seq = 1;
  request.bulk = false;
  page = ReadAndWait(this->journal(), this->executor(), request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->next_seq, 3u);
  // Beyond the end: nothing, and nowhere to go on.
  request.from_seq = 8;
  page = ReadAndWait(this->journal(), this->executor(), request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->first_seq, 0u);
  EXPECT_EQ(page->last_seq, 0u);
  EXPECT_EQ(page->next_seq, 0u);
  EXPECT_TRUE(page->frames.empty());
}

TYPED_TEST_P(JournalConformance, ReadsWhileWritingSeeWholePrefixes) {
  CaseScript script = this->NewCase(1);
  int appended = 0;
  int read = 0;
  uint64_t longest = 0;
  const auto check = [&](absl::StatusOr<ReadResult> page) {
    ++read;
    ASSERT_TRUE(page.ok()) << page.status();
    // Both classes are of one moment: no record of one is missing between two of the other.
    EXPECT_TRUE(page->frames.view() == script.Frames(1, page->last_seq));
    EXPECT_GE(page->last_seq, longest);
    longest = page->last_seq;
  };
  ReadRequest request;
  request.case_id = script.case_id();
  request.max_bytes = kMaxReadBytes;
  for (int i = 0; i < 150; ++i) {
    this->journal().Append(script.NextDrawn(), [&](absl::Status status) {
      EXPECT_TRUE(status.ok()) << status;
      ++appended;
    });
    this->journal().Read(request, check);
    this->executor().RunUntil([&] { return appended > i - 8; });
  }
  this->executor().RunUntil([&] { return appended == 150 && read == 150; });
}

TYPED_TEST_P(JournalConformance, TakesAndGivesRunsLargerThanARow) {
  CaseScript script = this->NewCase(1);
  std::vector<uint32_t> lanes;
  for (int i = 0; i < 400; ++i) lanes.push_back(i % 7 == 0 ? 1 : 5);
  this->AppendOk(script.Next(lanes, 3900));
  this->AppendOk(script.Next({0}, 60'000));
  ASSERT_GT(script.Frames(1, script.last_seq()).size(), 4 * kMaxRowBytes);
  ExpectHolds(this->journal(), this->executor(), script);
  ReadRequest request;
  request.case_id = script.case_id();
  request.from_seq = 200;
  const absl::StatusOr<ReadResult> page = ReadAndWait(this->journal(), this->executor(), request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_LE(page->frames.size(), request.max_bytes);
  EXPECT_TRUE(page->frames.view() == script.Frames(200, page->last_seq));
}

TYPED_TEST_P(JournalConformance, KeepsTheLastCheckpoint) {
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

TYPED_TEST_P(JournalConformance, ListsTheNoteOfACheckpointAtTheCasesEndElseWhoseTheOriginsAre) {
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

TYPED_TEST_P(JournalConformance, ANoteThatIsTooLargeIsNotKeptAndItsCheckpointIs) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.NextDrawn());
  this->journal().SaveCheckpoint(script.case_id(), {script.last_seq(), "state",
                                                    std::string(kMaxCheckpointNoteBytes + 1, 'n')});
  ASSERT_TRUE(this->journal().Flush().ok());
  EXPECT_EQ(this->journal().ListCases()->at(0).note, "");
  EXPECT_EQ(this->journal().Restore(script.case_id())->checkpoint.state, "state");
}

TYPED_TEST_P(JournalConformance, RestoresBesideTheLivePathWhatARestoreGives) {
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

TYPED_TEST_P(JournalConformance, DropsACheckpointThatIsAheadOfTheRecords) {
  CaseScript script = this->NewCase(1);
  this->AppendOk(script.Next({0, 1}));
  this->journal().SaveCheckpoint(script.case_id(), {3, "ahead"});
  ASSERT_TRUE(this->journal().Flush().ok());
  const absl::StatusOr<CaseRestore> restore = this->journal().Restore(script.case_id());
  ASSERT_TRUE(restore.ok());
  EXPECT_EQ(restore->checkpoint.seq, 0u);
}

TYPED_TEST_P(JournalConformance, KeepsOriginRangesWithHoles) {
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

TYPED_TEST_P(JournalConformance, KeepsRefusedNumbersApartAndWhoseOriginItIs) {
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

TYPED_TEST_P(JournalConformance, AFailedAppendOfRefusedNumbersLeavesNothing) {
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

TYPED_TEST_P(JournalConformance, HostileAppendWithoutRecordsIsRefused) {
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

TYPED_TEST_P(JournalConformance, AFailedAppendLeavesNothingAndStopsLaterOnes) {
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

TYPED_TEST_P(JournalConformance, HostileAppendIsRefusedAndHarmsOnlyItsCase) {
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

TYPED_TEST_P(JournalConformance, AReleasedCaseIsAsBefore) {
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

TYPED_TEST_P(JournalConformance, ACaseOfWhichAnAppendFailedIsReleasedWhenItWasAppendedAgain) {
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

TYPED_TEST_P(JournalConformance, OfAPurgedCaseTheTombstoneAloneStays) {
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

TYPED_TEST_P(JournalConformance, CaseThatWentOnSinceItWasArchivedIsNotPurged) {
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

TYPED_TEST_P(JournalConformance, AFailedPurgeLeavesTheCaseAsItWas) {
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

REGISTER_TYPED_TEST_SUITE_P(
    JournalConformance, HoldsExactlyWhatWasAppended, GoesOnAfterReopening,
    ListsCasesThatHoldRecords, KnowsNoCaseThatWasNotCreated, GivesANewCaseAnEmptyStart,
    CallsBackInOrderAndOnceForPipelinedAppends, FlushWaitsForEverythingAppended,
    ReadsAnyRangeOfAnyClassInSeqOrder, PagesAtAnySizeWithoutGapOrRepeat,
    APageSaysWhatItHoldsAndWhereToGoOn, ReadsWhileWritingSeeWholePrefixes,
    TakesAndGivesRunsLargerThanARow, KeepsTheLastCheckpoint,
    ListsTheNoteOfACheckpointAtTheCasesEndElseWhoseTheOriginsAre,
    ANoteThatIsTooLargeIsNotKeptAndItsCheckpointIs, RestoresBesideTheLivePathWhatARestoreGives,
    DropsACheckpointThatIsAheadOfTheRecords, KeepsOriginRangesWithHoles,
    KeepsRefusedNumbersApartAndWhoseOriginItIs, AFailedAppendOfRefusedNumbersLeavesNothing,
    HostileAppendWithoutRecordsIsRefused, AFailedAppendLeavesNothingAndStopsLaterOnes,
    HostileAppendIsRefusedAndHarmsOnlyItsCase, AReleasedCaseIsAsBefore,
    ACaseOfWhichAnAppendFailedIsReleasedWhenItWasAppendedAgain, OfAPurgedCaseTheTombstoneAloneStays,
    CaseThatWentOnSinceItWasArchivedIsNotPurged, AFailedPurgeLeavesTheCaseAsItWas);

}  // namespace remora::hub
