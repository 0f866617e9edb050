#pragma once

// The state of a case: a pure fold over its records of lanes 0-2, in `seq` order. What a snapshot
// shows, and what a checkpoint holds.
//
//   1. It depends on the records alone: no clock, no order of arrival, no bulk (lanes 3-5).
//   2. Folding on from a checkpoint gives the same bytes as folding from record 1.
//   3. Bounded: each collection has a limit and a policy (limits.h).
//   4. A record that makes no sense (an action on an alert that is not there, a step that the stage
//      does not allow) changes nothing; the room refuses such steps before they are recorded.
//
// It holds the records' own bytes, so that encoding a state encodes no record again.
// Thread-compatible value; owned by its room, and by whoever verifies a record.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/fold/alert_board.h"
#include "common/fold/case_life.h"
#include "common/fold/limits.h"
#include "common/fold/origin_clocks.h"
#include "common/fold/record_shelf.h"
#include "common/fold/trend_set.h"
#include "common/limits.h"
#include "remora/v1/room.pb.h"

namespace remora {

// A record as the fold takes it.
struct FoldedRecord {
  StampedBytes bytes;
  uint64_t seq = 0;
  int64_t recorded_unix_ns = 0;
  uint32_t lane = 0;
};

// Of the bytes that EncodeCheckpoint makes of a given record. Whoever changes these bytes raises it
// (a test pins them): digests that were signed with another version are not compared.
inline constexpr uint32_t kFoldVersion = 5;

class CaseFold {
 public:
  explicit CaseFold(const CaseId& case_id) : case_id_(case_id) {}

  // Takes a recorded record. Ignores lanes 3-5 and any `seq` that is not beyond the last one.
  void Apply(const FoldedRecord& folded);

  // A checkpoint's bytes. Deterministic.
  std::string EncodeCheckpoint() const;
  // A snapshot's `state`: leaves out what only a fold needs to go on. `summary` is the room's.
  std::string EncodeSnapshotState(const v1::CaseSummary& summary) const;
  // Goes on from a checkpoint. InvalidArgument, and an unspecified state, when the bytes are none:
  // the caller then folds from record 1 into a new one.
  absl::Status Restore(absl::string_view checkpoint);

  // The tile of the wall. Head and time of the last record are the fold's own; the room, which
  // knows bulk too, sets them anew.
  v1::CaseSummary Summary() const;

  const CaseLife& life() const { return life_; }
  uint64_t seq() const { return seq_; }
  const AlertBoard& alerts() const { return alerts_; }
  const TrendSet& trends() const { return trends_; }
  bool HasTimerFired(const std::string& timer, int64_t deadline_unix_ns) const;
  // Names of the participants whose last Presence says that they are here.
  std::vector<v1::ParticipantSummary> Participants() const;
  // UNSPECIFIED: nothing said yet.
  v1::LinkCondition LinkOf(const std::string& participant) const;
  // Newest measurement of each trace, for snapshots.
  const RecordShelf& measurements() const { return measurements_; }
  // What publishers said that they made, the newest of each origin; by the origin's bytes.
  const RecordShelf& publisher_totals() const { return publisher_totals_; }
  // Gaps that agents told, the newest kMaxListed of them.
  const RecordShelf& gaps() const { return gaps_; }
  const RecordShelf& lifecycle() const { return lifecycle_; }
  // The newest of the case; index or seq 0: there is none.
  const v1::Certificate& certificate() const { return certificate_; }
  const v1::SignedHead& signed_head() const { return signed_head_; }
  // The last LinkState of each participant.
  const RecordShelf& link_states() const { return link_states_; }
  // Each with what became of it, in their order.
  const RecordShelf& requests() const { return requests_; }
  const RecordShelf& responses() const { return responses_; }
  // Intervals that nobody had looked through and that had to make room for newer ones, since this
  // fold began or was restored: no part of the state.
  uint64_t intervals_forgotten() const { return intervals_forgotten_; }

 private:
  void ApplyAlertLane(const v1::Record& record, const RecordKey& key, const FoldedRecord& folded);
  void ApplyEvent(const v1::Record& record, const RecordKey& key, const FoldedRecord& folded);
  void ApplyMeasurement(const v1::Record& record, const FoldedRecord& folded);
  // Makes room by what has been looked through, before anything that has not.
  void PutInterval(RecordShelf* shelf, const std::string& id, const FoldedRecord& folded);
  void ApplyPresence(const v1::Presence& presence);
  std::string EncodeShown(const v1::CaseSummary& summary) const;
  void RestoreSummary(const v1::CaseSummary& summary);
  absl::Status RestoreRecords(const v1::CaseState& state);
  void FillModalities(v1::CaseSummary* summary) const;
  bool IsPlanned(v1::Modality modality) const;
  // Whether the state of any trace, or an activity, is of this modality.
  bool HasState(v1::Modality modality) const;
  void ApplyLinkState(const v1::LinkState& link, const RecordKey& key, const FoldedRecord& folded);
  // Outages of the agent's link and unrecorded intervals that no review names.
  uint32_t CountUnreviewed() const;
  // Requests, response protocols, differentials, adverse events, escalations; false: none of them.
  bool ApplyResponse(const v1::Record& record, const FoldedRecord& folded);
  // Totals, certificates, signed heads.
  void ApplySeal(const v1::Record& record, const FoldedRecord& folded);
  void FillCertificate(v1::CaseSummary* summary) const;

  struct Participant {
    std::string display_name;
    v1::Role role = v1::ROLE_UNSPECIFIED;
    bool connected = false;
  };
  struct TraceState {
    v1::Modality modality = v1::MODALITY_UNSPECIFIED;
    v1::MeasurementState state = v1::MEASUREMENT_STATE_UNSPECIFIED;
    MadeAt made;
  };

  CaseId case_id_;
  uint64_t seq_ = 0;
  int64_t last_recorded_unix_ns_ = 0;
  CaseLife life_;
  std::string procedure_;
  int64_t opened_unix_ns_ = 0;
  v1::Phase phase_ = v1::PHASE_UNSPECIFIED;
  int64_t phase_unix_ns_ = 0;
  std::string last_message_;
  std::string last_message_sender_;
  std::map<std::string, Participant> participants_;
  std::map<std::string, v1::LinkCondition> links_;
  std::string agent_;                                  // the participant whose link the tile shows
  std::map<std::string, TraceState> trace_states_;     // by key of measurements_
  std::map<std::string, TraceState> activity_states_;  // by key of activities_
  std::vector<v1::Modality> planned_;
  // When the last record came of a planned modality none of whose records has a state: trains of
  // four, spectra, maps. Never of one that HasState.
  std::map<v1::Modality, int64_t> heard_unix_ns_;
  v1::Certificate certificate_;
  v1::SignedHead signed_head_;

  OriginClocks clocks_;  // by key of clock_estimates_
  AlertBoard alerts_;
  TrendSet trends_;
  RecordShelf messages_{kMaxMessages, kMaxChatBytes};
  RecordShelf receipts_{kMaxReceipts, kMaxReceiptBytes};
  RecordShelf baselines_{kMaxBaselines, kMaxBaselineBytes};
  RecordShelf annotations_{kMaxAnnotations, kMaxAnnotationBytes};
  RecordShelf plan_{1, kMaxControlBytes};
  RecordShelf phases_{kMaxListed, kMaxListedBytes};
  RecordShelf activities_{kMaxListed, kMaxListedBytes};
  RecordShelf gaps_{kMaxListed, kMaxListedBytes};
  RecordShelf clock_estimates_{kMaxListed, kMaxListedBytes};
  RecordShelf lifecycle_{kMaxListed, kMaxListedBytes};
  RecordShelf measurements_{kMaxTrends, kMaxListedBytes};
  RecordShelf link_states_{kMaxListed, kMaxListedBytes};
  RecordShelf timers_{kMaxTimers, kMaxListedBytes};
  // By the id of the record that ended the interval.
  RecordShelf outages_{kMaxIntervals, kMaxIntervalBytes};
  // What asks for no review, apart, so that it pushes out nothing that does.
  RecordShelf blinks_{kMaxBlinks, kMaxBlinkBytes};
  uint64_t intervals_forgotten_ = 0;
  RecordShelf unrecorded_intervals_{kMaxIntervals, kMaxIntervalBytes};
  RecordShelf backlog_reviews_{2 * kMaxIntervals, 2 * kMaxIntervalBytes};
  // By participant (its origin) and screen.
  RecordShelf views_seen_{kMaxListed, kMaxViewBytes};
  RecordShelf publisher_totals_{kMaxListed, kMaxTotalsBytes};
  RecordShelf certificates_{1, kMaxControlBytes};
  RecordShelf signed_heads_{1, kMaxReasonBodyBytes};
  RecordShelf requests_{kMaxRequests, kMaxRequestBytes};
  RecordShelf responses_{kMaxResponses, kMaxResponseBytes};
  RecordShelf differentials_{kMaxDifferentials, kMaxDifferentialBytes};  // by alert and kind
  RecordShelf adverse_events_{kMaxEvents, kMaxEventBytes};
  RecordShelf escalations_{kMaxEscalations, kMaxEscalationBytes};  // by alert and place
};

}  // namespace remora
