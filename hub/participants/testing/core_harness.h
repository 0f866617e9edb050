#pragma once

// A whole hub core in one process, on a clock of the test's own, with a journal in memory; and
// participants that talk to it through nothing but Session. For tests of the core.
// Sequence-bound to the test's thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/random.h"
#include "common/record_codec.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_clock_sync.h"
#include "common/testing/manual_executor.h"
#include "common/testing/record_writer.h"
#include "hub/journal/memory_journal.h"
#include "hub/metrics.h"
#include "hub/participants/hub_core.h"
#include "hub/rooms/testing/stamped_frame.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

class HubHarness {
 public:
  explicit HubHarness(uint64_t seed = 1);
  ~HubHarness();

  // Runs what is due, and ends the drain, until nothing happens any more.
  void Run();
  // The same while time passes.
  void RunFor(Duration time);
  // The hub's process dies and starts again on the same journal. Participants must be gone.
  void RestartHub();
  // Whether the hub signs, from its next start on.
  void set_signs(bool signs) { signs_ = signs; }
  // From now on, and after RestartHub. Participants must be gone.
  void UseArchive(CaseArchive* archive, Duration keep_closed,
                  std::optional<Duration> keep_incomplete = std::nullopt);
  // What was told of cases that are to leave.
  const std::vector<absl::StatusOr<PurgedCase>>& retention() const { return retention_; }
  // How far UTC was behind the journal at the last start; nothing: not far.
  const std::optional<Duration>& utc_behind() const { return utc_behind_; }
  // All records of a case in `seq` order, as the journal has them.
  std::vector<std::string> JournalRecords(const CaseId& case_id);

  FakeClock& clock() { return clock_; }
  FakeClockSync& clock_sync() { return clock_sync_; }
  ManualExecutor& executor() { return executor_; }
  MemoryJournal& journal() { return *journal_; }
  FakeMetrics& metrics() { return metrics_; }
  Random& random() { return *random_; }
  HubCore& core() { return *core_; }
  const RecordSigner& signer() const { return signer_; }
  // Cases that the hub could not restore.
  const std::vector<CaseId>& damaged() const { return damaged_; }
  CaseId DrawCase() { return CaseId::Draw(*random_); }
  OriginId DrawOrigin() { return OriginId::Draw(*random_); }

 private:
  void StartHub();

  FakeClock clock_;
  FakeClockSync clock_sync_;
  ManualExecutor executor_{clock_};
  std::unique_ptr<MemoryJournal> journal_;
  FakeMetrics metrics_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<HubCore> core_;
  std::vector<CaseId> damaged_;
  CaseArchive* archive_ = nullptr;
  Duration keep_closed_;
  std::optional<Duration> keep_incomplete_;
  std::vector<absl::StatusOr<PurgedCase>> retention_;
  std::optional<Duration> utc_behind_;
  RecordSigner signer_{RecordSigner::Seed{1, 2, 3}};
  bool signs_ = true;
};

// A record as a participant got it.
struct Received {
  std::string bytes;
  StampedRecord stamped;  // its views point into `bytes`' own copy: use header and stamp only
  uint64_t seq() const { return stamped.stamp.seq; }
  uint32_t lane() const { return stamped.header.lane; }
};

class TestParticipant final : public Peer {
 public:
  // Reads whatever it is sent unless `reads` is set to false.
  TestParticipant(HubHarness& hub, Identity identity);
  ~TestParticipant() override;

  void SendUp(const v1::Up& up);
  void SendBytes(const std::string& up);
  void Hello(const OriginId& origin);
  // Hello with an origin of its own.
  void Hello() { Hello(origin); }
  void Join(const CaseId& case_id, const std::string& theatre = "");
  void Leave(const CaseId& case_id);
  void Publish(const std::vector<std::string>& records);
  // Records that waited at their sender.
  void PublishBacklog(const std::vector<std::string>& records);
  void FollowLive(uint32_t follow_id, const CaseId& case_id);
  void FollowComplete(uint32_t follow_id, const CaseId& case_id);
  void FollowDirectory(uint32_t follow_id);
  void Follow(const v1::Follow& follow);
  void Shown(uint64_t bulk_bytes_total, uint32_t answered);
  // Answers the last question that was read.
  void Shown(uint64_t bulk_bytes_total) { Shown(bulk_bytes_total, question); }
  // Takes one batch, if there is one.
  bool ReadOne();
  // Takes all batches that there are.
  void ReadAll();
  void ClearReceived();

  void WantWrite() override { wants_write = true; }
  void CloseAfterWrites(absl::Status status) override {
    closed = true;
    close_status = std::move(status);
  }

  // In the order of their arrival.
  std::vector<uint64_t> Seqs() const;
  std::vector<Received> OfLane(uint32_t lane) const;
  // The last control message of a kind; null: none.
  const v1::Down* Last(v1::Down::ControlCase kind) const;
  int CountOf(v1::Down::ControlCase kind) const;

  HubHarness& hub;
  const Identity identity;
  OriginId origin;
  // The latest version of the protocol that it says it knows.
  uint32_t speaks = 2;
  // Of the hub, the last one read.
  uint32_t question = 0;
  bool reads = true;
  // Reports what it reads as shown at once.
  bool shows = true;
  bool wants_write = false;
  bool closed = false;
  absl::Status close_status;
  std::vector<v1::Down> downs;
  std::vector<Received> records;
  uint64_t bulk_bytes = 0;
  size_t largest_batch_bytes = 0;
  std::unique_ptr<Session> session;
};

Identity AgentIdentity(const std::string& name = "agent-1");
Identity ReaderIdentity(const std::string& name = "reader-1");
Identity TechnologistIdentity(const std::string& name = "tech-1");
Identity CentreIdentity(const std::string& name = "centre");
// To be changed before it is asked for.
v1::Follow FollowOf(uint32_t follow_id, const CaseId& case_id,
                    v1::Delivery delivery = v1::DELIVERY_LIVE);
// What who follows the case now begins with; empty: nothing came.
v1::Snapshot SnapshotOf(HubHarness& hub, const CaseId& case_id);

// An agent that has said hello, joined a new case and opened it in `theatre`; has read everything.
std::unique_ptr<TestParticipant> OpenCase(HubHarness& hub, const CaseId& case_id,
                                          RecordWriter* writer, const OriginId& origin,
                                          const std::string& theatre = "OR 1",
                                          const std::string& agent = "agent-1");

// A new case with its agent, which has joined it, and not opened it yet.
struct AgentsCase {
  CaseId case_id;
  OriginId origin;
  RecordWriter writer;
  std::unique_ptr<TestParticipant> agent;
};
AgentsCase JoinNewCase(HubHarness& hub, const std::string& theatre = "OR 1",
                       const std::string& agent = "agent-1");
// And has opened it.
AgentsCase OpenNewCase(HubHarness& hub, const std::string& theatre = "OR 1",
                       const std::string& agent = "agent-1");

// A case that its agent made and closed, or, where less than `total` blocks are there, a person
// with named gaps. Both have left.
struct ClosedCase {
  CaseId case_id;
  OriginId origin;
  RecordWriter writer;
};
ClosedCase CloseCase(HubHarness& hub, const std::string& theatre, uint64_t blocks = 3,
                     uint64_t total = 3);

}  // namespace remora::hub
