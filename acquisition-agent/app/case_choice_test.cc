#include "acquisition-agent/app/case_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/record_maker.h"
#include "acquisition-agent/app/testing/keeping_console.h"
#include "acquisition-agent/spool/entry.h"
#include "acquisition-agent/surveillance/testing/scripted_source.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

class CaseChoice : public testing::Test {
 protected:
  CaseChoice() {
    auto folder = SpoolFolder::Open(files_, "/spool", *random_, console_);
    EXPECT_TRUE(folder.ok());
    folder_ = *std::move(folder);
    options_.spool = "/spool";
    options_.source = "sim:cord";
  }
  absl::StatusOr<Cases> Choose() {
    return ChooseCase(options_, plan_, *folder_, *random_, clock_, console_);
  }
  // Notes, a second apart from 1 s on.
  void PutNotes(CaseSpool& spool, int count) {
    for (int64_t i = 1; i <= count; ++i) {
      v1::Record record;
      record.mutable_source_note()->set_text("a note");
      const uint64_t seq = spool.last_seq(1) + 1;
      const std::string bytes =
          EncodeRecord({spool.case_id(), spool.origin(), spool.info()->boot_id}, 1, seq,
                       i * 1'000'000'000, 1, &record);
      ASSERT_TRUE(spool.AppendRecord(1, seq, 0, bytes).ok());
    }
    ASSERT_TRUE(spool.Commit().ok());
  }

  FakeFileSystem files_;
  FakeClock clock_;
  KeepingConsole console_;
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  CasePlan plan_ = PatientPlan();
  AgentOptions options_;
  std::unique_ptr<SpoolFolder> folder_;
};

TEST_F(CaseChoice, GoesOnWithTheOpenCaseOfTheSameSetupOnly) {
  CaseId id;
  {
    const auto first = Choose();
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_FALSE(first->resumed);
    id = first->current->case_id();
  }
  {
    const auto again = Choose();
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->resumed);
    EXPECT_EQ(again->current->case_id(), id);
  }
  options_.source = "sim:quiet";
  EXPECT_TRUE(absl::IsInvalidArgument(Choose().status()));
}

TEST_F(CaseChoice, ACaseThatIsClosedForANewOneEndsWhenItsLastRecordWasMade) {
  {
    const auto first = Choose();
    ASSERT_TRUE(first.ok());
    PutNotes(*first->current, 7);
  }
  options_.new_case = true;
  const auto cases = Choose();
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_EQ(cases->old.size(), 1u);
  const CaseSpool& closed = *cases->old[0];
  EXPECT_TRUE(closed.closed());
  for (uint64_t seq = 8; seq <= 9; ++seq) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(*closed.Read(1, seq)));
    EXPECT_TRUE(seq == 8 ? record.has_case_lifecycle() : record.has_publisher_total());
    EXPECT_EQ(record.captured_at().monotonic_ns(), 7'000'000'000);
  }
}

TEST_F(CaseChoice, HostileADamagedClosedCaseIsRepairedAndSaid) {
  std::string path;
  uint32_t offset = 0;
  {
    const auto first = Choose();
    ASSERT_TRUE(first.ok());
    PutNotes(*first->current, 3);
    offset = first->current->PlaceOf(1, 2).offset;
    path = absl::StrCat("/spool/case-", first->current->case_id().Hex(), "/control-00000001.seg");
    ASSERT_TRUE(first->current->Close().ok());
    ASSERT_TRUE(first->current->Commit().ok());
  }
  files_.FlipBit(path, offset + kEntryHeaderBytes + 3, 2);
  const auto cases = Choose();
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_EQ(cases->old.size(), 1u);
  EXPECT_TRUE(cases->old[0]->Holes().empty());
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(*cases->old[0]->Read(1, 2)));
  EXPECT_EQ(record.data_gap().cause(), v1::DATA_GAP_CAUSE_SPOOL_DAMAGED);
  EXPECT_THAT(console_.lines, testing::Contains(testing::HasSubstr("is damaged")));
}

}  // namespace
}  // namespace remora::agent
