#pragma once

// Any range of any class is read in whole pages, also while it is written.

#include <vector>

#include "hub/journal/limits.h"
#include "hub/journal/testing/journal_conformance.h"

namespace remora::hub {

template <typename Bench>
class ReadConformance : public JournalConformance<Bench> {};
TYPED_TEST_SUITE_P(ReadConformance);

TYPED_TEST_P(ReadConformance, ReadsAnyRangeOfAnyClassInSeqOrder) {
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

TYPED_TEST_P(ReadConformance, PagesAtAnySizeWithoutGapOrRepeat) {
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

TYPED_TEST_P(ReadConformance, APageSaysWhatItHoldsAndWhereToGoOn) {
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

TYPED_TEST_P(ReadConformance, ReadsWhileWritingSeeWholePrefixes) {
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

TYPED_TEST_P(ReadConformance, TakesAndGivesRunsLargerThanARow) {
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

REGISTER_TYPED_TEST_SUITE_P(ReadConformance, ReadsAnyRangeOfAnyClassInSeqOrder,
                            PagesAtAnySizeWithoutGapOrRepeat, APageSaysWhatItHoldsAndWhereToGoOn,
                            ReadsWhileWritingSeeWholePrefixes, TakesAndGivesRunsLargerThanARow);

}  // namespace remora::hub
