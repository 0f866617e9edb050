#pragma once

// A room's way to the journal: numbers and stamps what is accepted, hands it over once a drain, and
// says when it is on disk. At most one append of the case is under way; what is accepted meanwhile
// goes with the next, so a slow disk makes larger appends, not more of them.
//
//   Add ... Add, Flush ---> [append] --OK--> on_commit(frames), next append if something waits
//                              | failed
//                              v
//                  failed() until a later try of the same append is OK; nothing is lost
//
// Sequence-bound to its room; the journal's callbacks come on the same sequence.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/executor.h"
#include "common/hub_time.h"
#include "common/record_codec.h"
#include "hub/journal/journal.h"
#include "hub/metrics.h"
#include "hub/record_frame.h"
#include "hub/rooms/origin_ledger.h"

namespace remora::hub {

class CommitQueue {
 public:
  using OnCommit =
      std::function<void(const std::vector<RecordFrame>&, const std::vector<OriginAdvance>&)>;
  // Called when failed() changes.
  using OnFailure = std::function<void(const absl::Status&)>;

  // All outlive the queue. `head` is where the journal stands.
  CommitQueue(Journal& journal, Executor& executor, const Clock& clock, HubTimeSource& hub_time,
              HubMetrics& metrics, OriginLedger& ledger, CaseHead head, OnCommit on_commit,
              OnFailure on_failure);
  ~CommitQueue();

  // Before the first Add: the journal stands there.
  void StartFrom(const CaseHead& head) { accepted_ = committed_ = head; }
  // Gives the record its number and its stamp. `bytes` as they came from its origin.
  struct Marks {
    const TraceKey* trace = nullptr;
    bool provisional = false;
    bool late = false;
  };
  const RecordFrame& Add(const RecordHeader& header, absl::string_view bytes, const Marks& marks);
  // Hands over what waits, unless an append is under way or has failed: records, and refused
  // numbers, with records or, once the case has one, alone.
  void Flush();

  bool failed() const { return failed_; }
  // Nothing waits and nothing is under way.
  bool idle() const { return !failed_ && !under_way_ && pending_.empty(); }
  // Why, while it is.
  const absl::Status& failure() const { return failure_; }
  size_t uncommitted_bytes() const { return pending_bytes_ + in_flight_bytes_; }
  // Of the last record accepted, and the journal's head as it is on disk.
  uint64_t accepted_seq() const { return accepted_.last_seq; }
  const CaseHead& accepted() const { return accepted_; }
  const CaseHead& committed() const { return committed_; }
  // How long the oldest record that is not on disk has waited; zero: none does.
  Duration OldestAge(DeviceTime now) const;
  // The same of lanes 0-1.
  Duration OldestEventAge(DeviceTime now) const;
  // In `seq` order, all that is not on disk.
  void VisitUncommitted(const std::function<void(const RecordFrame&)>& visit) const;

 private:
  CaseAppend MakeAppend();
  void ShareRun(const Run& run);
  void Send();
  void OnDone(const absl::Status& status);

  Journal& journal_;
  Executor& executor_;
  const Clock& clock_;
  HubTimeSource& hub_time_;
  HubMetrics& metrics_;
  OriginLedger& ledger_;
  const OnCommit on_commit_;
  const OnFailure on_failure_;

  CaseHead accepted_;
  CaseHead committed_;
  std::vector<RecordFrame> pending_;
  size_t pending_bytes_ = 0;
  DeviceTime pending_since_;
  std::optional<DeviceTime> pending_event_since_;
  // The append under way, kept whole to try it again.
  CaseAppend append_;
  CaseHead after_append_;
  std::vector<RecordFrame> in_flight_;
  size_t in_flight_bytes_ = 0;
  DeviceTime in_flight_since_;
  std::optional<DeviceTime> in_flight_event_since_;
  DeviceTime sent_at_;
  bool under_way_ = false;
  bool failed_ = false;
  absl::Status failure_;
  // Callbacks that outlive the queue find it gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
