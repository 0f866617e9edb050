// A case goes from the journal into the archive and out of the journal, with both on one disk that
// loses its power at any of its calls: RecordArchive and SqliteJournal themselves, with their
// threads. Whatever is found after it, the case is whole in the journal, or its archive proves
// itself and the tombstone leads to it; and the next life goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/chain.h"
#include "common/record_codec.h"
#include "common/testing/crash_file_system.h"
#include "hub/archive/record_archive.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/testing/crash_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/journal_calls.h"
#include "hub/participants/testing/core_harness.h"

namespace remora::power {
namespace {

using ::testing::HasSubstr;
using Plant = CrashDisk::Plant;
using Remains = CrashDisk::Remains;

// Pauses are none.
class AtOnce final : public Executor {
 public:
  explicit AtOnce(hub::WaitingExecutor& below) : below_(below) {}
  void Post(Task task) override { below_.Post(std::move(task)); }
  void PostAfter(Duration, Task task) override { below_.Post(std::move(task)); }
  bool IsCurrent() const override { return below_.IsCurrent(); }

 private:
  hub::WaitingExecutor& below_;
};

// A certified case as one append of its records.
struct CertifiedCase {
  CertifiedCase() {
    hub::HubHarness hub;
    const CaseId case_id = hub::CloseCase(hub, "OR 1", 40, 40).case_id;
    hub.RunFor(Duration::Seconds(300));
    head = hub.journal().ListCases()->at(0);
    key = hub.signer().public_key();
    append.case_id = case_id;
    append.last_seq = head.last_seq;
    append.chain = head.chain;
    append.lane_seq = head.lane_seq;
    std::string frames[2];
    hub::Run runs[2];
    std::map<std::pair<OriginId, uint32_t>, SeqRanges> added;
    for (const std::string& record : hub.JournalRecords(case_id)) {
      const StampedRecord stamped = *WalkStamped(record);
      const size_t c = static_cast<size_t>(hub::ClassOfLane(stamped.header.lane));
      if (runs[c].count++ == 0) runs[c].first_seq = stamped.stamp.seq;
      runs[c].last_seq = stamped.stamp.seq;
      AppendFrame(record, &frames[c]);
      added[{stamped.header.origin, stamped.header.lane}].Insert(stamped.header.origin_seq);
    }
    for (size_t c = 0; c < 2; ++c) {
      runs[c].record_class = static_cast<hub::RecordClass>(c);
      runs[c].frames = SharedBytes(std::move(frames[c]));
      append.runs.push_back(runs[c]);
    }
    for (const auto& [lane, numbers] : added) {
      append.origins.push_back({lane.first, lane.second, numbers.ranges(), {}, ""});
    }
  }

  hub::CaseHead head;
  hub::CaseAppend append;
  std::string key;
};

class ArchiveCutsTest : public testing::Test {
 protected:
  // A hub's program, as far as this goes.
  struct Program {
    explicit Program(CrashDisk& disk) : files(disk) {}
    ~Program() {
      journal.reset();
      executor.RunPosted();
    }
    CrashFileSystem files;
    hub::WaitingExecutor executor;
    AtOnce at_once{executor};
    std::unique_ptr<hub::RecordArchive> archive;
    std::unique_ptr<hub::SqliteJournal> journal;
  };

  absl::Status Open(CrashDisk& disk, Program* program) {
    vfs_.Attach(disk);
    hub::SqliteJournal::Options options;
    options.path = directory_.File("live.db");
    options.epoch_of_new_file = case_.head.epoch;
    options.vfs = vfs_.name();
    options.files = &program->files;
    auto journal =
        hub::SqliteJournal::Open(std::move(options), *clock_, program->executor, cipher_);
    if (!journal.ok()) return journal.status();
    program->journal = *std::move(journal);
    program->archive =
        std::make_unique<hub::RecordArchive>(hub::RecordArchive::Parts{FolderParts(*program),
                                                                       program->journal.get(),
                                                                       &program->executor,
                                                                       &program->at_once,
                                                                       {case_.key}});
    return absl::OkStatus();
  }
  hub::ArchiveFolder::Parts FolderParts(Program& program) {
    return {&program.files, random_.get(), Folder(), directory_.File("live.db.archive-id")};
  }
  std::string Folder() const { return directory_.File("archive"); }

  absl::Status ArchiveAndPurge(Program& program) {
    std::optional<absl::StatusOr<hub::ArchivedCase>> archived;
    program.archive->Keep(case_.head, [&](absl::StatusOr<hub::ArchivedCase> outcome) {
      archived = std::move(outcome);
    });
    program.executor.RunUntil([&] { return archived.has_value(); });
    if (!archived->ok()) return archived->status();
    hub::Tombstone tombstone;
    tombstone.case_id = case_.head.case_id;
    tombstone.epoch = case_.head.epoch;
    tombstone.last_seq = case_.head.last_seq;
    tombstone.chain = case_.head.chain;
    tombstone.theatre = "OR 1";
    tombstone.archive = (*archived)->name;
    tombstone.archive_sha256 = (*archived)->sha256;
    return hub::PurgeAndWait(*program.journal, program.executor, tombstone);
  }

  // Empty, or what is wrong with what a start finds on `disk`.
  std::string Look(CrashDisk& disk, bool goes_on) {
    disk.StartProgram();
    Program program(disk);
    if (absl::Status status = Open(disk, &program); !status.ok()) return status.ToString();
    if (program.journal->ListTombstones()->empty()) {
      ++found_whole_;
      const absl::StatusOr<hub::CaseRestore> restore = program.journal->Restore(case_.head.case_id);
      if (!restore.ok()) return "no tombstone and no case: " + restore.status().ToString();
      if (restore->head.chain != case_.head.chain) return "the case is another";
      if (!goes_on) return "the case is back";
      const absl::Status purged = ArchiveAndPurge(program);
      if (!purged.ok()) return "the next life does not go on: " + purged.ToString();
    } else {
      ++found_purged_;
    }
    const hub::Tombstone tombstone = program.journal->ListTombstones()->at(0);
    const std::string path = absl::StrCat(Folder(), "/", tombstone.archive);
    const auto report = VerifyRecordFile(program.files, path, {case_.key});
    if (!report.ok()) return "purged, and its archive: " + report.status().ToString();
    if (!report->ok()) return "purged, and its archive: " + report->findings.front();
    Sha256 sha256;
    sha256.Add(*program.files.ReadWhole(path, 1 << 24));
    if (sha256.Finish() != tombstone.archive_sha256) return "the archive is another file";
    return "";
  }

  // A cut at the nth call of archiving and purging; `reached`: there are so many.
  std::string CutAt(int nth, bool after, Remains remains, Plant plant, const char* part,
                    bool* reached) {
    CrashDisk disk(directory_.File(""));
    {
      Program program(disk);
      if (absl::Status status = Open(disk, &program); !status.ok()) return status.ToString();
      if (!program.journal->CreateCase(case_.head.case_id).ok()) return "no case";
      const absl::Status in = AppendAndWait(*program.journal, program.executor, case_.append);
      if (!in.ok()) return in.ToString();
      // A defect of the disk is to hit the case's file, and not the folder's mark.
      hub::ArchiveFolder folder(FolderParts(program));
      if (plant != Plant::kNone && !folder.Check().ok()) return "no folder";
    }
    disk.EndProgram();
    disk.StartProgram();
    disk.SetPlant(plant, part);
    {
      Program program(disk);
      if (absl::Status status = Open(disk, &program); !status.ok()) return status.ToString();
      int calls = 0;
      disk.SetWatcher([&calls, nth, after](const CrashDisk::Call&) {
        if (++calls != nth) return CrashDisk::Verdict::kGoOn;
        return after ? CrashDisk::Verdict::kCutAfter : CrashDisk::Verdict::kCutBefore;
      });
      const absl::Status purged = ArchiveAndPurge(program);
      *reached = disk.is_cut();
      if (!purged.ok() && !*reached) return purged.ToString();
      disk.EndProgram();
    }
    disk.SetWatcher(nullptr);
    std::unique_ptr<CrashDisk> found = disk.AfterCut(remains, *random_);
    std::string finding = Look(*found, /*goes_on=*/*reached);
    if (!finding.empty()) return finding;
    found->EndProgram();
    return Look(*found->AfterCut(Remains::kNothing, *random_), /*goes_on=*/false);
  }

  // All calls there are, each with several remains.
  std::string CutAtEach(Plant plant, const char* part) {
    bool reached = true;
    for (cuts_ = 0; reached; ++cuts_) {
      for (const Remains remains : {Remains::kNothing, Remains::kAny, Remains::kTorn}) {
        std::string finding = CutAt(cuts_ + 1, cuts_ % 2 == 0, remains, plant, part, &reached);
        if (!finding.empty()) return absl::StrCat("at call ", cuts_ + 1, ": ", finding);
      }
    }
    return "";
  }

  const hub::sqlite::ScratchDirectory directory_{hub::sqlite::ScratchDirectory::kMemory};
  const CertifiedCase case_;
  const std::unique_ptr<Clock> clock_ = MakeSystemClock();
  const std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  hub::NullCipher cipher_;
  hub::sqlite::CrashVfs vfs_{absl::StrCat("archive-", directory_.File(""))};
  int cuts_ = 0;
  int found_whole_ = 0;
  int found_purged_ = 0;
};

TEST_F(ArchiveCutsTest, TheCaseIsWholeOrItsArchiveProvesItself) {
  EXPECT_EQ(CutAtEach(Plant::kNone, ""), "");
  std::cout << cuts_ << " calls; " << found_whole_ << " times whole, " << found_purged_
            << " times purged\n";
  EXPECT_GT(cuts_, 15);
  EXPECT_GT(found_whole_, 20);
  EXPECT_GT(found_purged_, cuts_);
}

TEST_F(ArchiveCutsTest, AnArchiveThatWasNotSyncedIsFound) {
  EXPECT_THAT(CutAtEach(Plant::kLostSync, ".record.part$"), HasSubstr("purged, and its archive"));
}

TEST_F(ArchiveCutsTest, AFolderThatWasNotSyncedIsFound) {
  EXPECT_THAT(CutAtEach(Plant::kLostDirectorySync, "/archive$"),
              HasSubstr("purged, and its archive"));
}

}  // namespace
}  // namespace remora::power
