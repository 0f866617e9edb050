#include "acquisition-agent/app/spool_repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/spool/entry.h"
#include "acquisition-agent/spool/spool_outbox.h"
#include "common/record_codec.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

constexpr char kDirectory[] = "/spool/case";

class SpoolRepair : public testing::Test {
 protected:
  void Open() {
    SpoolOptions options;
    options.directory = kDirectory;
    options.case_id = identity_.case_id;
    options.origin = identity_.origin;
    RecoveryReport report;
    auto opened = CaseSpool::Open(files_, options, &report);
    ASSERT_TRUE(opened.ok()) << opened.status();
    spool_ = *std::move(opened);
  }
  // Three records of every lane, a second apart.
  void Write() {
    for (int64_t i = 1; i <= 3; ++i) {
      for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
        v1::Record record;
        if (lane == 0) record.mutable_message()->set_text("a message");
        if (lane == 1) record.mutable_source_note()->set_text("a note");
        if (lane == 2) record.mutable_measurement()->set_trace_id("a trace");
        if (lane == 3) record.mutable_sweep()->set_trace_id("a trace");
        if (lane == 4) record.mutable_envelope()->set_trace_id("a trace");
        if (lane == 5) record.mutable_sample_block()->set_trace_id("a trace");
        const std::string bytes = EncodeRecord(identity_, lane, i, i * 1'000'000'000, 1, &record);
        ASSERT_TRUE(spool_->AppendRecord(lane, i, 0, bytes).ok());
      }
    }
    ASSERT_TRUE(spool_->Commit().ok());
  }
  // Turns a bit in the record of that number.
  void Damage(const char* file, uint32_t lane, uint64_t seq) {
    const EntryPlace place = spool_->PlaceOf(lane, seq);
    files_.FlipBit(absl::StrCat(kDirectory, "/", file, "-00000001.seg"),
                   place.offset + kEntryHeaderBytes + 2, 3);
  }

  FakeFileSystem files_;
  FakeClock clock_;
  CaseIdentity identity_{CaseId::FromBytes(std::string(16, 'c')),
                         OriginId::FromBytes(std::string(16, 'o')), 9};
  std::unique_ptr<CaseSpool> spool_;
};

TEST_F(SpoolRepair, KnowsTheTimeOfTheNewestRecord) {
  Open();
  EXPECT_EQ(LastTimeNs(*spool_), 0);
  Write();
  EXPECT_EQ(LastTimeNs(*spool_), 3'000'000'000);
}

TEST_F(SpoolRepair, HostileWhatDamageTookIsOnRecordAndNoLaneWaitsForIt) {
  Open();
  Write();
  for (uint32_t lane = 0; lane < kControlLaneCount; ++lane) Damage("control", lane, 2);
  Damage("block", 5, 2);
  Open();
  ASSERT_EQ(spool_->Holes().size(), 4u);
  const auto lost = FillHoles(identity_, *spool_, clock_, LastTimeNs(*spool_));
  ASSERT_TRUE(lost.ok()) << lost.status();
  EXPECT_EQ(*lost, 4u);
  ASSERT_TRUE(spool_->Commit().ok());

  // What stands there now is of the contract, and every loss has its gap.
  std::vector<std::string> gaps;
  for (uint32_t lane = 0; lane < kControlLaneCount; ++lane) {
    for (uint64_t seq = 1; seq <= spool_->last_seq(lane); ++seq) {
      const auto bytes = spool_->Read(lane, seq);
      ASSERT_TRUE(bytes.ok()) << lane << "/" << seq;
      const auto header = WalkRecord(*bytes);
      ASSERT_TRUE(header.ok()) << header.status();
      v1::Record record;
      const absl::Status valid = ValidateBody(*header, *bytes, &record);
      if (seq == 2) {
        EXPECT_TRUE(valid.ok()) << valid;
      }
      if (!record.has_data_gap()) continue;
      EXPECT_EQ(record.data_gap().cause(), v1::DATA_GAP_CAUSE_SPOOL_DAMAGED);
      gaps.push_back(
          absl::StrCat(record.data_gap().lane(), "/", record.data_gap().first_origin_seq()));
    }
  }
  EXPECT_THAT(gaps, testing::UnorderedElementsAre("0/2", "1/2", "2/2", "5/2"));

  // The whole spool goes out: what is live, and behind it the backlog.
  SpoolOutbox outbox(*spool_);
  v1::Joined joined;
  outbox.OnJoined(joined);
  int sent = 0;
  for (std::string frames = "first"; !frames.empty();) {
    frames.clear();
    outbox.NextBatch(1 << 20, &frames);
    v1::Up up;
    ASSERT_TRUE(up.ParseFromString(frames));
    sent += up.records_size();
  }
  EXPECT_EQ(sent, 6 * 3 + 3 - 1);
}

}  // namespace
}  // namespace remora::agent
