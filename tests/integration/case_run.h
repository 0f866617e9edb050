#pragma once

// A case of one theatre, run by real processes while something befalls them, and what must be true
// of its record afterwards: nothing missing, nothing doubled, of what the agent makes of the same
// source when nothing befalls anybody. Thread-compatible.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "reader-client/cc/sdk/client.h"
#include "tests/integration/rig.h"

namespace remora::testing {

struct CasePlanOfRun {
  int theatre = 1;
  std::string source;
  std::string plan;
  double speed = 1;
  std::vector<std::string> more;  // of the agent's options
  // How the follower reaches the hub; empty: directly.
  std::string follower_hub;
};

class CaseRun {
 public:
  // The rig has a running hub when Begin() is called, and outlives the run.
  CaseRun(Rig& rig, CasePlanOfRun plan) : rig_(rig), plan_(std::move(plan)) {}

  // Starts the agent, waits until the hub has the case, follows it completely.
  absl::Status Begin();
  // (Again), on the same spool.
  void StartAgent();
  Process& agent() { return rig_.agent(plan_.theatre); }
  // Waits for the agent's own end, then until hub and follower have been quiet for a while.
  absl::Status Finish(Duration timeout);
  void EndFollower() { client_.reset(); }
  // All of that, the hub's end and CheckRecord.
  absl::Status FinishWhole(Duration timeout);
  // After the hub has ended: journal, follower and what is made, compared. Says what is wrong.
  absl::Status CheckRecord();

  const CaseId& case_id() const { return case_id_; }
  reader::Client& client() { return *client_; }
  Collector& follower() { return follower_; }
  // After CheckRecord.
  const std::map<uint64_t, std::string>& journal() const { return journal_; }

 private:
  absl::Status CheckAgainstWhatIsMade() const;
  absl::Status CheckFollower() const;

  Rig& rig_;
  const CasePlanOfRun plan_;
  Collector follower_;
  std::unique_ptr<reader::Client> client_;
  CaseId case_id_;
  std::map<uint64_t, std::string> journal_;
  uint64_t head_ = 0;
};

// The records of a kind, parsed, in the order of the journal.
std::vector<v1::Record> RecordsOfKind(const std::map<uint64_t, std::string>& journal,
                                      v1::Record::BodyCase kind);

}  // namespace remora::testing
