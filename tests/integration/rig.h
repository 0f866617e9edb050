#pragma once

// A hub, agents and readers as real processes on this machine, for the tests of this folder.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "reader-client/cc/sdk/client.h"
#include "tests/integration/process.h"

namespace remora::testing {

// What a program is started with where it is not the usual.
struct Settings {
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<std::string> more;         // of the hub's options
  int descriptors = 0;                   // RLIMIT_NOFILE; 0: as here
  std::string hub;                       // of an agent: the address it knows
  std::string folder;                    // the agent's spool; where the hub's journal is
};

class Rig {
 public:
  // Makes identities: agent-1 ... agent-N for theatres "OR 1" ... "OR N", reader, theatre.
  explicit Rig(int theatres);
  // One more, before the hub is started; with no theatre it may enter all.
  void AddIdentity(const std::string& name, const std::string& role, const std::string& theatre);

  // Starts the hub (again) and waits until it serves; how long that took.
  absl::StatusOr<Duration> StartHub();
  Process& hub() { return *hub_; }
  void KillHub() { hub_->Kill(); }
  // SIGTERM; its exit code.
  absl::StatusOr<int> StopHub();

  // Starts theatre K's agent (again, on the same spool).
  void StartAgent(int theatre, const std::string& source, const std::string& plan,
                  const std::vector<std::string>& more = {});
  Process& agent(int theatre) { return *agents_.at(theatre); }
  // In force from the next start on.
  Settings& hub_settings() { return hub_settings_; }
  Settings& agent_settings(int theatre) { return agent_settings_[theatre]; }

  reader::ClientOptions Identity(const std::string& name) const;
  std::string TokenFile(const std::string& name) const { return folder_.Path(name + ".token"); }
  std::string hub_address() const;
  std::string http_address() const;
  int grpc_port() const { return grpc_port_; }
  int http_port() const { return http_port_; }
  std::string journal_path() const {
    return hub_settings_.folder.empty() ? folder_.Path("journal.db")
                                        : hub_settings_.folder + "/journal.db";
  }
  std::string Path(const std::string& name) const { return folder_.Path(name); }
  // `remora` as this identity.
  Finished Remora(const std::string& identity, std::vector<std::string> arguments) const;
  // Its command line, for a shell's pipe and for a Process.
  std::vector<std::string> RemoraArguments(const std::string& identity,
                                           std::vector<std::string> arguments) const;

 private:
  TemporaryFolder folder_;
  std::map<std::string, std::string> tokens_;
  // Fixed after the first start, so that participants find the hub again.
  int grpc_port_ = 0;
  int http_port_ = 0;
  Settings hub_settings_;
  std::map<int, Settings> agent_settings_;
  std::unique_ptr<Process> hub_;
  std::map<int, std::unique_ptr<Process>> agents_;
};

// Everything that one complete follow of a case was given, by `seq`. Thread-safe.
class Collector : public LinkObserver {
 public:
  void OnRecord(const DeliveredRecord& delivered) override;
  void OnSnapshot(const v1::Snapshot& snapshot) override;
  void OnGap(const v1::Gap& gap) override;

  std::map<uint64_t, std::string> records() const;
  uint64_t duplicates() const;
  uint64_t gaps() const;
  uint64_t last_seq() const;
  uint64_t snapshots() const;
  // Out-of-order arrivals of a complete follow: there must be none.
  uint64_t disorder() const;
  // Records that were shown with the mark that they are not on record; they have no `seq`.
  uint64_t unrecorded() const;

 private:
  mutable Mutex mutex_;
  std::map<uint64_t, std::string> records_ ABSL_GUARDED_BY(mutex_);
  uint64_t duplicates_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t gaps_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t snapshots_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t unrecorded_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t disorder_ ABSL_GUARDED_BY(mutex_) = 0;
};

// How many records of each lane an agent makes of this source: as its dry run counts them.
absl::StatusOr<std::map<uint32_t, uint64_t>> RecordsMadeOf(const std::string& source,
                                                           const std::string& plan);

// Follows the case completely, from the first record on.
absl::Status FollowCompletely(reader::Client& client, const std::string& case_id);

}  // namespace remora::testing
