#pragma once

// Records of cases as files of their own, in one folder: CASE-EPOCH-LASTSEQ.record, as
// `remora export --format record` writes them (docs/certificate.md, "The file").
//
//   hub:     Keep ----.        pages of the journal         .--> done
//   worker:           '--> write, sync, rename, read back, prove, hash
//
// Files are written and proved on an executor of their own: that takes seconds, and the hub's
// sequence none of them. What does not prove itself is put aside as NAME.failed, and written anew
// when it is asked for again. Thread-safe but for its end: neither executor runs its tasks any
// more.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/executor.h"
#include "common/file_system.h"
#include "common/verify/record_file.h"
#include "common/whole_file.h"
#include "hub/journal/journal.h"
#include "hub/rooms/case_archive.h"

namespace remora::hub {

class RecordArchive final : public CaseArchive {
 public:
  // All outlive it.
  struct Parts {
    FileSystem* files = nullptr;
    Journal* journal = nullptr;
    Executor* hub = nullptr;
    Executor* worker = nullptr;
    // Made where there is none.
    std::string directory;
    // The hub's public keys, the one in use first.
    std::vector<std::string> keys;
  };
  // Removes what an end in the middle has left. As FileSystem fails.
  static absl::StatusOr<std::unique_ptr<RecordArchive>> Open(Parts parts);

  void Keep(const CaseHead& head, Done done) override;
  // What is under way ends soon, with Cancelled. Thread-safe.
  void Stop() { stopping_ = true; }

 private:
  // A record on its way; the worker's.
  struct Order {
    CaseHead head;
    Done done;
    std::string name;
    RecordFileEncoder encoder;
    std::unique_ptr<WholeFile> file;
    uint64_t taken_seq = 0;
  };
  using OrderPtr = std::shared_ptr<Order>;

  explicit RecordArchive(Parts parts) : parts_(std::move(parts)) {}
  void Begin(const OrderPtr& order);
  void ReadFrom(const OrderPtr& order, uint64_t seq);
  void OnPage(const OrderPtr& order, const absl::StatusOr<ReadResult>& page);
  absl::Status TakePage(Order& order, const ReadResult& page);
  absl::Status Finish(Order& order);
  void Prove(const OrderPtr& order);
  absl::StatusOr<ArchivedCase> ProveFile(const Order& order);
  absl::StatusOr<ArchivedCase> Hash(const Order& order);
  void End(const OrderPtr& order, absl::StatusOr<ArchivedCase> archived);
  std::string PathOf(const Order& order) const { return parts_.directory + "/" + order.name; }

  const Parts parts_;
  std::atomic<bool> stopping_{false};
};

}  // namespace remora::hub
