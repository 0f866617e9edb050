// A case as it runs: pulls the source at its pace, analyses, keeps every record in the spool,
// offers it to the hub, and takes in what people ask of it.
//
//   kCatchingUp ----------> kRunning ----------> kDraining ----------> kDone
//      |  all that the spool    |  end of source     |  a certificate names all, no hub,
//      |  held is made again    |                    |  or it waited long enough
//      '------------------------'----- Stop, failure ---------------> kDone
//
// After a restart it begins at the source's start and runs, as fast as it can, over what was
// analysed before; it compares with the spool and appends nothing until it comes to what is new
// (SpoolRecorder). A person's command is written to the spool with the place in the source where it
// was taken in, so that it is taken in there again. A live source cannot be run over: the case goes
// on behind a gap; baselines and alerts are taken up from the record. The session's own alerts are,
// of any source: how full a disk was cannot be made again.
//
// Knows no socket, thread or file of its own: link, spool, clock and executor are handed in.
// Sequence-bound to `executor`, which is the link's. The theatre goes on whatever the link does.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "acquisition-agent/app/acquisition_watch.h"
#include "acquisition-agent/app/console.h"
#include "acquisition-agent/app/hub_key.h"
#include "acquisition-agent/app/hub_watch.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/old_case.h"
#include "acquisition-agent/app/reader_watch.h"
#include "acquisition-agent/app/record_witness.h"
#include "acquisition-agent/app/space_watch.h"
#include "acquisition-agent/app/spool_closer.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/spool/case_spool.h"
#include "acquisition-agent/spool/spool_outbox.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "common/bounded_queue.h"
#include "common/clock.h"
#include "common/executor.h"
#include "common/fold/origin_clocks.h"
#include "common/link/participant_link.h"

namespace remora::agent {

struct SessionOptions {
  std::string theatre;
  std::string procedure;
  double speed = 1;  // of the source's time against the clock; 0: as fast as it can
  bool keep_open = false;
  Duration linger = Duration::Seconds(30);
  // From the case's start: the disk is to last so long.
  Duration planned_duration = Duration::Seconds(8 * 3600);
  size_t max_known_inputs = kMaxKnownInputs;
  // Said when the link is lost. May be empty.
  std::string reader_phone;
};

class AgentSession : public LinkObserver {
 public:
  // All outlive it. `spool` has its info set.
  AgentSession(SessionOptions options, const CasePlan& plan, SignalSource& source, CaseSpool& spool,
               Executor& executor, const Clock& clock, Console& console);
  ~AgentSession() override;

  // Builds the analysis. InvalidArgument: the plan does not fit the source.
  absl::Status Prepare();
  // Before Start; null: the theatre is on its own.
  void AttachLink(ParticipantLink* link) { link_ = link; }
  // Before Start: whose certificates count. Null: nobody's.
  void UseHubKey(HubKey* key) { hub_key_ = key; }
  // Begins to work; `on_done` is called once, with what it came to: OK, Unavailable (records wait
  // that the hub did not take or certify), PermissionDenied (the hub refuses this agent), DataLoss
  // (the source), ResourceExhausted (the disk).
  void Start(std::function<void(absl::Status)> on_done);
  // A person stops the program. The case stays open to go on with, unless `close_case`.
  void Stop(bool close_case);

  // Before Start: a case of an earlier run, which is closed when the hub has it.
  void AlsoClose(CaseSpool& old);
  // Before Start, after AlsoClose: what the hub has signed is kept in `folder`, and held against
  // it.
  void KeepWitnesses(FileSystem& files, const std::string& folder);
  // A certificate clears this case's spool.
  bool IsCleared(const CaseId& case_id) const;

  SpoolOutbox& outbox() { return outbox_; }
  const SpoolRecorder& recorder() const { return *recorder_; }
  uint64_t items_taken() const { return items_taken_; }

  // LinkObserver:
  void OnWelcome(const v1::Welcome& welcome) override;
  void OnRecording(const v1::Recording& recording) override;
  void OnLinkCondition(v1::LinkCondition condition, Duration previous) override;
  void OnRecord(const DeliveredRecord& delivered) override;
  void OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) override;
  void OnFollowEnded(const v1::FollowEnded& ended) override;
  void OnJoined(const v1::Joined& joined) override;
  void OnAcknowledged(const v1::Acknowledge& acknowledge) override;
  void OnRecordRefused(const v1::RecordRefused& refused) override;
  void OnRefused(const v1::Refused& refused) override;

 private:
  enum class State { kIdle, kCatchingUp, kRunning, kDraining, kDone };

  void Pump();
  void PumpAfter(Duration delay);
  // Takes the item that is due. False: it is not due yet, and *wait says how long.
  absl::StatusOr<bool> TakeNext(Duration* wait);
  // The session's own alerts of earlier lives. What is new of them comes when it is caught up.
  void RestoreAlerts(const CasePast& past);
  // Everything that the spool holds has been made again: what comes now is new.
  void OnCaughtUp();
  void TellDifferences();
  void TellDamage();
  void PutNote(const std::string& text);
  void TakeDueInputs();
  void TakeInput(const v1::Record& record);
  bool IsCaughtUp() const;
  void Anchor();
  void GoOnLive();
  void TellLostCommands();
  // A live source that had nothing, or has failed.
  void WatchAcquisition();
  void TellFailure(const absl::Status& failure);
  void EndOfCase(const std::string& reason);
  void Commit();
  void ScheduleCommit(Duration delay);
  void LookAhead();
  // Looks after a disk that is short, from the first sign until it has space again.
  void WatchSpace();
  void LookForSpace();
  // Puts on record what was given up since it was last asked. False: nothing.
  bool TellShed();
  void TellSpaceAgain();
  void CheckClock();
  void RecordClock();
  // Puts on record how long the hub was away, once it is back.
  void RecordOutage();
  void PutEndedOutages();
  // At the end of a case, behind which nothing can be told: also how long it is away already.
  void TellLastOutages();
  void PutOutage(v1::LinkCondition condition, Duration length);
  // After a restart: since when the hub has had nothing of this case.
  void FindOwnAbsence();
  OriginClocks ClocksBefore() const;
  int64_t SourceNow() const;
  void Follow();
  void CheckDrained();
  OldCase* OldFollowedAs(uint32_t follow_id);
  void AdvanceOld(absl::string_view case_id);
  void Advance(OldCase& old);
  void FollowOld(OldCase& old);
  // What a case's life and certificates mean for its close.
  void TakeStep(v1::CaseTransition step);
  void TakeCertificate(const CaseId& case_id, const v1::Certificate& certificate,
                       SpoolCloser& closer);
  void TellHubKey();
  void TellWitness(const std::string& contradiction);
  // While nothing is recorded the follow is LIVE, which shows what is not on record; else COMPLETE.
  void FollowAsRecorded();
  void SayMessage(const v1::Record& record, const RecordKey& key, bool unrecorded);
  void WatchReaders(const v1::Record& record, const RecordStamp& stamp);
  void OnShownUnrecorded(const DeliveredRecord& delivered);
  void Finish(absl::Status status);
  void Post(Duration delay, void (AgentSession::*member)());

  const SessionOptions options_;
  const CasePlan& plan_;
  SignalSource& source_;
  CaseSpool& spool_;
  Executor& executor_;
  const Clock& clock_;
  Console& console_;
  ParticipantLink* link_ = nullptr;
  SpoolOutbox outbox_;
  SpoolCloser closer_;
  // Cases of earlier runs, delivered beside this one.
  std::map<CaseId, OldCase> old_cases_;
  std::unique_ptr<SpoolRecorder> recorder_;
  std::unique_ptr<CaseAnalysis> analysis_;
  std::unique_ptr<SpaceWatch> space_watch_;
  std::unique_ptr<AcquisitionWatch> acquisition_watch_;  // of a live source
  CasePast past_;                                        // of a live case, until it goes on
  std::function<void(absl::Status)> on_done_;
  // Tasks hold it weakly: what is posted after the session's end does nothing.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  State state_ = State::kIdle;
  bool resumed_ = false;
  std::optional<Item> next_item_;
  uint64_t items_taken_ = 0;
  size_t inputs_replayed_ = 0;
  // Stamped records, while catching up.
  BoundedQueue<std::string> waiting_inputs_{{kMaxWaitingInputs, kMaxWaitingInputBytes},
                                            WhenFull::kRefuse};
  absl::flat_hash_set<RecordKey> known_inputs_;

  // Source time and clock when the present pace began.
  int64_t anchor_source_ns_ = 0;
  DeviceTime anchor_clock_;
  int64_t live_shift_ns_ = 0;  // from a live source's time to the case's

  bool commit_scheduled_ = false;
  bool disk_failed_ = false;
  bool watching_space_ = false;
  bool damage_told_ = false;
  AlertSlot short_of_space_;
  AlertSlot differs_;
  HubKey* hub_key_ = nullptr;
  // Why the hub's key is not believed; empty: it is. Nothing: no hub has shown one in this life.
  std::optional<std::string> key_trouble_;
  AlertSlot key_alert_;
  // A person closes the case: the hub is to know what it will get.
  bool asked_to_close_ = false;
  // Why the newest certificate does not clear the spool.
  std::string not_cleared_;
  // What each case's record was, as the hub has signed it.
  std::map<CaseId, RecordWitness> witnesses_;
  // Contradictions of them, told as one alert.
  std::string witness_trouble_;
  AlertSlot witness_alert_;
  bool following_ = false;
  bool following_live_ = false;
  v1::Cursor complete_cursor_;  // where the COMPLETE follow goes on
  BoundedQueue<RecordKey> said_order_{{kMaxShownUnrecorded, SIZE_MAX}, WhenFull::kDropOldest};
  absl::flat_hash_set<RecordKey> said_;
  bool case_known_to_hub_ = false;
  bool refused_ = false;
  DeviceTime drain_deadline_;
  HubWatch hub_watch_;
  ReaderWatch reader_watch_;
  // As the hub knows this agent; empty before its first welcome, and then in its own view too.
  std::string participant_;
  bool absence_found_ = false;
  // The hub's time, less the machine's monotonic one, at the last welcome.
  std::optional<int64_t> hub_offset_ns_;
  // What the spool held when it was opened.
  std::array<uint64_t, kLaneCount> recovered_seqs_{};
  std::optional<v1::ClockEstimate> recorded_clock_;
  DeviceTime recorded_clock_at_;
};

}  // namespace remora::agent
