#pragma once

// Records of cases as files of their own, in one folder: CASE-EPOCH-LASTSEQ.record, as
// `remora export --format record` writes them (docs/certificate.md, "The file").
//
//   hub:     Keep ----.          pages of the journal                           .--> done
//   worker:           '--> is it the archive? write, sync, rename, read back, prove
//
// Files are written and proved on an executor of their own, page by page, with a pause between:
// that takes minutes, and the hub's sequence and its disk next to nothing. Rules:
//   1. Nothing is written where it would not leave the reserve, nor into a folder that is not the
//      journal's archive (archive_folder.h).
//   2. Only a name that this life has written and synced is proved. What an earlier one left, or
//      somebody put there, or a sync failed for, is written anew and takes its place: a sync that
//      says OK the second time proves nothing.
//   3. What cannot be read back or proved is put aside as NAME.failed, the newest of a case. What
//      was written from the same records and did not prove itself is not written again, nor what
//      the journal does not give whole.
// Thread-safe but for its end: neither executor runs its tasks any more.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/executor.h"
#include "common/sha256.h"
#include "common/verify/record_file.h"
#include "common/whole_file.h"
#include "hub/archive/archive_folder.h"
#include "hub/journal/journal.h"
#include "hub/rooms/case_archive.h"

namespace remora::hub {

class RecordArchive final : public CaseArchive {
 public:
  // Told on the worker's sequence: whether the folder is the archive, and then what is free there.
  using OnLook = std::function<void(const absl::Status& there, uint64_t free_bytes)>;
  // All outlive it.
  struct Parts {
    ArchiveFolder::Parts folder;
    Journal* journal = nullptr;
    Executor* hub = nullptr;
    Executor* worker = nullptr;
    // The hub's public keys, the one in use first.
    std::vector<std::string> keys;
  };
  explicit RecordArchive(Parts parts);

  void Keep(const CaseHead& head, Done done) override;
  bool is_usable() const override { return usable_; }
  // Looks at the folder now and each kArchiveLookInterval. Once.
  void Watch(OnLook on_look);
  // What is under way ends soon, with Cancelled. Thread-safe.
  void Stop() { stopping_ = true; }

 private:
  // A record on its way; the worker's.
  struct Order {
    CaseHead head;
    Done done;
    std::string name;
    RecordFileEncoder encoder;
    std::unique_ptr<FileLock> lock = nullptr;
    std::unique_ptr<WholeFile> file = nullptr;
    uint64_t taken_seq = 0;
    uint64_t written_bytes = 0;
    // Where the disk's space is looked at again.
    uint64_t next_look_bytes = 0;
    // Of the file that is read back.
    std::unique_ptr<RecordFileProof> proof = nullptr;
    Sha256 sha256 = {};
    uint64_t proved_bytes = 0;
  };
  using OrderPtr = std::shared_ptr<Order>;
  // How a case came out that was written.
  struct Outcome {
    uint64_t last_seq = 0;
    absl::Status proof;  // OK: its file is whole and synced; else not to be written again
  };

  void Look();
  // Those of the folder and of its disk: no other case would fare better. That this one is too
  // large for what is free is not among them.
  absl::Status OfArchive(absl::Status status);
  void Begin(const OrderPtr& order);
  absl::Status Enter(Order& order);
  void ReadFrom(const OrderPtr& order, uint64_t seq);
  void OnPage(const OrderPtr& order, const absl::StatusOr<ReadResult>& page);
  absl::Status TakePage(Order& order, const ReadResult& page);
  absl::Status LookAtSpace(Order& order);
  absl::Status Finish(Order& order);
  void BeginProof(const OrderPtr& order);
  void Prove(const OrderPtr& order);
  absl::StatusOr<ArchivedCase> Conclude(Order& order);
  void FailProof(const OrderPtr& order, const absl::Status& why);
  void Note(const Order& order, const absl::Status& proof);
  void End(const OrderPtr& order, absl::StatusOr<ArchivedCase> archived);

  const Parts parts_;
  ArchiveFolder folder_;
  OnLook on_look_;
  std::map<CaseId, Outcome> outcomes_;
  std::atomic<bool> usable_{true};
  std::atomic<bool> stopping_{false};
};

}  // namespace remora::hub
