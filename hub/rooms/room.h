#pragma once

// One case: takes its records, numbers them, has them journalled, and only then shows them.
//
//   Accept --> [CommitQueue] --EndOfDrain--> journal --on disk--> fold, recent frames, followers,
//                                                                 acknowledgement to publishers
//
//   kRestoring --tail folded--> kServing <--journal takes it again-- kJournalFailed
//       |                          '--------an append failed-----------^
//       '--the journal is damaged--> kDamaged: takes and shows nothing, says why
//
// Sessions are its callers, on the hub's sequence (sequence-bound). They have walked, permitted and
// validated a record before they offer it. Invariants:
//   1. No snapshot, and no follower without the mark UNRECORDED, ever shows a record that is not on
//      disk (unrecorded_show.h).
//   2. `seq` is dense; a record of an origin is in it once.
//   3. Control lanes of an origin are in order. A number refused for good is used up, so that its
//      sender may go on; it is told so only when that is on disk. One that is OUT_OF_ORDER is not:
//      it is to be offered again.
//   4. What could not be taken (journal failed, too much uncommitted) is neither refused nor
//      acknowledged: its publisher is told to offer again once it can be taken. It may be shown
//      meanwhile, UNRECORDED.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/fold/case_fold.h"
#include "common/record_codec.h"
#include "hub/arrival_set.h"
#include "hub/journal/journal.h"
#include "hub/record_frame.h"
#include "hub/rooms/attendance.h"
#include "hub/rooms/case_seal.h"
#include "hub/rooms/checkpoint_notes.h"
#include "hub/rooms/commit_queue.h"
#include "hub/rooms/origin_ledger.h"
#include "hub/rooms/record_ring.h"
#include "hub/rooms/refusal_memory.h"
#include "hub/rooms/room_parts.h"
#include "hub/rooms/trace_board.h"
#include "hub/rooms/unrecorded_show.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

class Room {
 public:
  enum class Condition { kRestoring, kServing, kJournalFailed, kDamaged };

  // With an epoch: of a new case, and serves at once. Else of one that the journal has, once
  // StartRestore has done its work.
  Room(const RoomParts& parts, const CaseId& case_id, std::optional<uint32_t> new_epoch);
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  Condition condition() const;
  // Once, of a room that is kRestoring. Reads beside whatever else the hub does.
  void StartRestore();
  // Runs `ready` when the room serves (at once if it does), or with what kept it from being
  // restored.
  void WhenReady(std::function<void(absl::Status)> ready);

  struct Offer {
    RecordHeader header;
    absl::string_view bytes;
    // Lanes 0-2: parsed. Null in lanes 3-5.
    const v1::Record* record = nullptr;
    // Its sender says that it waited there.
    bool late = false;
  };
  // kRefusing: refused for good; OnRefused tells it when that is on disk. kRefused is to be told
  // now: it is on disk, or the number stays free.
  enum class Outcome { kAccepted, kDuplicate, kRefused, kRefusing, kNotNow };
  struct Answer {
    Outcome outcome = Outcome::kAccepted;
    v1::RefusalReason reason = v1::REFUSAL_REASON_UNSPECIFIED;
    std::string text;
  };
  Answer Accept(RoomPublisher& publisher, const Offer& offer);
  // The session refuses the record for `refusal`: its number is used up.
  Answer Refuse(RoomPublisher& publisher, const RecordKey& key, absl::string_view bytes,
                Refusal refusal);
  // Before the first record of a case: uses up what is missing in a lane up to `last`. It was
  // refused when there was no room yet to remember it.
  void RefuseMissing(RoomPublisher& publisher, uint32_t lane, const SeqRanges& there,
                     uint64_t last);
  Refusal RefusalOf(const RecordKey& key) const { return refusals_.Find(key); }

  // Attending: everyone who publishes or follows. They nest per participant and `answers`.
  void Attend(const Attendee& attendee);
  void Leave(const std::string& participant, bool answers);
  void SignOfLife(const std::string& participant);

  void AddPublisher(RoomPublisher* publisher);
  void RemovePublisher(RoomPublisher* publisher);
  void AddFollower(RoomFollower* follower);
  void RemoveFollower(RoomFollower* follower);

  // Hands what was accepted to the journal.
  void EndOfDrain();
  // At least each 100 ms: signs of life, checkpoints, old frames.
  void Tick();

  // Records a technical alert of the hub, at most one a cause and participant in
  // kTechnicalAlertInterval.
  std::optional<RecordKey> RaiseTechnicalAlert(v1::AlertPriority priority, const std::string& cause,
                                               const std::string& participant,
                                               const std::string& summary);

  const CaseId& case_id() const { return case_id_; }
  uint32_t epoch() const { return commits_->committed().epoch; }
  // Where the journal stands: the last record that may be shown.
  const CaseHead& committed() const { return commits_->committed(); }
  const CaseFold& fold() const { return fold_; }
  // As of the last record accepted, on disk or not.
  const CaseLife& accepted_life() const { return accepted_life_; }
  const RecordRing& recent() const { return recent_; }
  // What is on disk of an origin, and what was refused: for Joined and Acknowledge.
  const SeqRanges& Durable(const OriginId& origin, uint32_t lane) const {
    return ledger_.Durable(origin, lane);
  }
  const SeqRanges& DurablyRefused(const OriginId& origin, uint32_t lane) const {
    return ledger_.DurablyRefused(origin, lane);
  }
  // Whether what is shown is on record.
  v1::RecordingCondition recording() const {
    return unrecorded_->active() ? v1::RECORDING_CONDITION_UNRECORDED
                                 : v1::RECORDING_CONDITION_RECORDING;
  }
  v1::Recording RecordingMessage() const;
  // Lanes 0-1 that are shown and not on disk.
  const UnrecordedRing& unrecorded() const { return unrecorded_->ring(); }
  // For the directory: of what is shown, which while the case is UNRECORDED is more than what is
  // on disk: an alert is to call from the wall too.
  v1::CaseSummary Summary() const;
  // A v1::Snapshot of what is committed.
  std::string EncodeSnapshot(uint32_t follow_id, absl::string_view cause) const;
  size_t uncommitted_bytes() const { return commits_->uncommitted_bytes(); }
  Duration oldest_uncommitted_age() const { return commits_->OldestAge(parts_.clock->Now()); }
  // Its case is over, nobody is in it or waits for it, and nothing is left to be recorded: the
  // directory may let it go, and make it anew from the journal.
  bool MayRest() const;
  // Saves what a room is made of again, with a note of what the directory needs meanwhile. Of a
  // room that MayRest.
  RestNote PrepareRest();
  // Whose each origin in it is.
  std::vector<OriginOwner> Owners() const;
  // Nobody is in it and no record ever was: an opening that failed.
  bool IsVoid() const {
    return ready_ && commits_->accepted_seq() == 0 && publishers_.empty() && followers_.empty();
  }

 private:
  friend class RoomRestore;

  bool CanTake(RoomPublisher& publisher, uint32_t lane);
  // Empty: nothing is known of this number yet.
  std::optional<Answer> AnswerKnown(RoomPublisher& publisher, const RecordKey& key,
                                    uint64_t digest);
  Answer RefuseNew(RoomPublisher& publisher, const RecordKey& key, Refusal refusal);
  Answer OutOfOrder(RoomPublisher& publisher, const RecordKey& key);
  bool IsOfferingAgain(RoomPublisher& publisher, uint32_t lane) const;
  Answer Reused(RoomPublisher& publisher, const RecordKey& key);
  absl::Status CheckStage(const CaseLife& life, const Offer& offer) const;
  const TraceKey* NameTrace(const RecordHeader& header, bool* provisional);
  void Take(const Offer& offer, const TraceKey* trace, bool provisional);
  // Nothing: it cannot be written now.
  std::optional<RecordKey> WriteOwn(uint32_t lane, v1::Record body);
  RecordKey PutOwn(uint32_t lane, v1::Record body);
  CaseSeal::Parts MakeSealParts();

  // room_unrecorded.cc
  UnrecordedShow::Host MakeUnrecordedHost();
  void ShowNotTaken(const Offer& offer);
  void OnShown(const RecordFrame& frame);
  void FoldShown(const RecordFrame& frame);
  std::optional<RecordKey> KeepOwn(uint32_t lane, v1::Record body);
  void TakeOwnWaiting();
  void OnUnrecorded(bool begins);
  void RaiseUnrecordedAlert();
  void RecoverUnrecordedAlert();
  void FindUnrecordedBeforeStart();
  void CloseUnrecordedBeforeStart();
  void OnRecordingAgain(const v1::UnrecordedInterval& interval);
  void TellRecording();

  void OnCommitted(const std::vector<RecordFrame>& frames,
                   const std::vector<OriginAdvance>& advances);
  void OnJournalFailure(const absl::Status& status);
  void LetPublishersOfferAgain();
  void SaveCheckpoint(std::string rest_note = "");
  int64_t ClosedUnixNs() const;
  // With what no fold knows.
  v1::CaseSummary CompleteSummary(v1::CaseSummary summary) const;
  void GoOnFrom(const CaseRestore& restore);
  void OnRestored(const absl::Status& status);
  // Fills in what a frame read from the journal lacks: its trace and origin within the room.
  RecordFrame MakeFrame(const StampedRecord& stamped, absl::string_view bytes);

  const RoomParts parts_;
  const CaseId case_id_;
  OriginLedger ledger_;
  RefusalMemory refusals_;
  TraceBoard traces_;
  CaseFold fold_;
  CaseLife accepted_life_;
  RecordRing recent_;
  Attendance attendance_;
  std::unique_ptr<CommitQueue> commits_;
  std::unique_ptr<UnrecordedShow> unrecorded_;
  // The case as it is shown in this interval: fold_ as it was when it began, and all that was shown
  // or committed since. Null: nothing of lanes 0-2 was shown.
  std::unique_ptr<CaseFold> shown_fold_;
  // After the steps of its life that were shown in this interval and not taken.
  std::optional<CaseLife> shown_life_;
  // The hub's own records that the journal could not take, in order.
  std::deque<std::string> own_waiting_;
  // The alert that says that nothing is recorded, until it has recovered.
  std::optional<RecordKey> unrecorded_alert_;
  // An interval that the hub's last end cut off, as far as it is on record.
  std::optional<v1::UnrecordedInterval> cut_off_;
  std::unique_ptr<CaseSeal> seal_;
  std::unique_ptr<class RoomRestore> restore_;

  bool ready_ = false;
  absl::Status restore_status_;
  std::vector<std::function<void(absl::Status)>> waiting_;
  // Publishers that must offer again, and in which lanes they have not yet done so.
  std::map<RoomPublisher*, std::set<uint32_t>> offering_again_;
  bool not_taking_ = false;
  ArrivalSet<RoomPublisher> publishers_;
  ArrivalSet<RoomFollower> followers_;
  std::array<RecordFrame, kLaneCount> last_of_lane_;
  std::map<std::string, DeviceTime> alerted_at_;
  DeviceTime checkpoint_at_;
  uint64_t checkpoint_seq_ = 0;
  // The checkpoint that the journal has stands beside a RestNote of this build's fold.
  bool checkpoint_rests_ = false;
};

}  // namespace remora::hub
