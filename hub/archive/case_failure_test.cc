// What is one case's own failure, and not the archive's: the others leave all the same, and nothing
// is written again and again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/testing/fake_file_system.h"
#include "hub/archive/limits.h"
#include "hub/archive/record_archive.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

const Duration kKeep = Duration::Seconds(3600);

// Gives nothing of the case behind a number, though its head says that there is more.
class ShortJournal final : public Journal {
 public:
  explicit ShortJournal(Journal& whole) : whole_(whole) {}
  void Read(ReadRequest request, std::function<void(absl::StatusOr<ReadResult>)> done) override {
    if (request.case_id != of) return whole_.Read(std::move(request), std::move(done));
    whole_.Read(std::move(request), [this, done](absl::StatusOr<ReadResult> page) {
      if (page.ok() && page->next_seq > last_seq) {
        if (!damage.ok()) return done(damage);
        page->next_seq = 0;
      }
      done(std::move(page));
    });
  }
  absl::StatusOr<std::vector<ListedCase>> ListCases() override { return whole_.ListCases(); }
  absl::StatusOr<CaseRestore> Restore(const CaseId& id) override { return whole_.Restore(id); }
  void BeginRestore(const CaseId& id, RestoreDone done) override {
    whole_.BeginRestore(id, std::move(done));
  }
  absl::StatusOr<uint32_t> CreateCase(const CaseId& id) override { return whole_.CreateCase(id); }
  void Append(CaseAppend append, Done done) override {
    whole_.Append(std::move(append), std::move(done));
  }
  void Purge(Tombstone tombstone, Done done) override {
    whole_.Purge(std::move(tombstone), std::move(done));
  }
  absl::StatusOr<std::vector<Tombstone>> ListTombstones() override {
    return whole_.ListTombstones();
  }
  absl::StatusOr<PurgeCount> CountPurges() override { return whole_.CountPurges(); }
  bool IsPurged(const CaseId& id) const override { return whole_.IsPurged(id); }
  void FindTombstone(const CaseId& id, TombstoneDone done) override {
    whole_.FindTombstone(id, std::move(done));
  }
  void SaveCheckpoint(const CaseId& id, Checkpoint checkpoint) override {
    whole_.SaveCheckpoint(id, std::move(checkpoint));
  }
  void Release(const CaseId& id) override { whole_.Release(id); }
  absl::Status Flush() override { return whole_.Flush(); }

  CaseId of;
  uint64_t last_seq = 0;
  absl::Status damage;  // OK: it says that this is the end

 private:
  Journal& whole_;
};

class CaseFailureTest : public ::testing::Test {
 protected:
  CaseFailureTest() {
    archive_ = std::make_unique<RecordArchive>(
        RecordArchive::Parts{{&files_, &hub_.random(), "archive", "journal.archive-id"},
                             &journal_,
                             &hub_.executor(),
                             &hub_.executor(),
                             {hub_.signer().public_key()}});
    hub_.UseArchive(archive_.get(), kKeep);
    hub_.Run();
  }
  ~CaseFailureTest() override { archive_->Stop(); }
  std::vector<CaseId> Cases() {
    std::vector<CaseId> cases;
    const std::vector<ListedCase> all = *hub_.journal().ListCases();
    for (const ListedCase& listed : all) {
      cases.push_back(listed.case_id);
    }
    return cases;
  }
  uint64_t Failures(const std::string& code) {
    return hub_.metrics().counter(metric::kArchiveFailures, "reason=" + code);
  }

  // A case of which the journal gives the first records, and then `damage`, or says that it ends.
  void ExpectWrittenOnce(const absl::Status& damage, const std::string& why) {
    journal_.of = CloseCase(hub_, "OR 1", 6'000, 6'000).case_id;
    journal_.last_seq = 5'000;
    journal_.damage = damage;
    const uint64_t before = files_.appends();
    hub_.RunFor(kKeep + Duration::Seconds(60));
    EXPECT_EQ(Cases(), std::vector<CaseId>{journal_.of});
    EXPECT_EQ(Failures("DATA_LOSS"), 1u);
    ASSERT_EQ(hub_.retention().size(), 1u);
    EXPECT_THAT(std::string(hub_.retention()[0].status().message()), HasSubstr(why));
    const uint64_t written = files_.appends();
    EXPECT_GT(written, before + 2) << "most of it was written";
    hub_.RunFor(kRetentionRetry * 2);
    EXPECT_EQ(files_.appends(), written);
    EXPECT_EQ(Failures("DATA_LOSS"), 3u) << "and it is still told";
    EXPECT_TRUE(archive_->is_usable());
    EXPECT_EQ(files_.List("archive")->size(), 1u) << "the mark";
  }

  FakeFileSystem files_;
  HubHarness hub_;
  ShortJournal journal_{hub_.journal()};
  std::unique_ptr<RecordArchive> archive_;
};

TEST_F(CaseFailureTest, CaseThatDoesNotFitKeepsNoneThatDoes) {
  auto other = files_.OpenAppend("other");
  ASSERT_TRUE((*other)->Append(std::string(12'000'000, 'x')).ok());
  const CaseId large = CloseCase(hub_, "OR 1", 6'000, 6'000).case_id;  // 1.3 MB
  std::vector<CaseId> all = {large};
  for (int i = 0; i < 6; ++i) all.push_back(CloseCase(hub_, "OR 1").case_id);
  ASSERT_NE(*std::max_element(all.begin(), all.end()), large) << "it is tried before some";
  files_.SetFreeBytes(4'800'000);  // of 16.8 MB; 0.6 MB above what stays free
  hub_.RunFor(kKeep + Duration::Seconds(60));
  EXPECT_EQ(Cases(), std::vector<CaseId>{large});
  EXPECT_EQ(Failures("RESOURCE_EXHAUSTED"), 1u);
  EXPECT_TRUE(archive_->is_usable());
  files_.SetFreeBytes(3'000'000);
  hub_.RunFor(kRetentionRetry);
  EXPECT_FALSE(archive_->is_usable()) << "now nothing fits";
}

TEST_F(CaseFailureTest, WhatTheJournalSaysIsDamagedIsWrittenOnceBeforeARestart) {
  ExpectWrittenOnce(absl::DataLossError("a row is damaged"), "a row is damaged");
}

TEST_F(CaseFailureTest, WhatTheJournalDoesNotGiveWholeIsWrittenOnceBeforeARestart) {
  ExpectWrittenOnce(absl::OkStatus(), "the journal gave ");
}

}  // namespace
}  // namespace remora::hub
