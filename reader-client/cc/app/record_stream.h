#pragma once

// Hands the records of one follow from the link's sequence to a command that takes them at its own
// speed (a pager, a slow disk). The link's sequence never waits: heartbeats go on.
//
//              Follow                queue full                  few wait, and the hub has answered
//   kIdle -----------> kFollowing -------------> kLettingGo ------------------> kFollowing
//
// 1. Bounded (kMaxWaitingRecords): when full, the follow is cancelled where it is. It is taken up
//    from there again only after the hub has answered a request that was sent after the cancelling:
//    what was under way is gone by then, so nothing is passed over and nothing comes twice.
// 2. A bulk record counts as shown when the command has taken it, so that a live follow is thinned
//    by the hub, which says so with a Gap.
// 3. Whatever ends the follow ends the stream: `ended()` is a status that says why.
//
// Thread-safe. One follow of one case. Outlives its client.

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/link/participant_link.h"
#include "common/mutex.h"
#include "reader-client/cc/app/limits.h"

namespace remora::reader {

class RecordStream : public LinkObserver {
 public:
  // Runs a call on the link's sequence, later or never (after the link's end).
  using OnLink = std::function<void(std::function<void(ParticipantLink&)>)>;

  explicit RecordStream(size_t most = kMaxWaitingRecords, size_t few = kFewWaitingRecords)
      : most_(most), few_(few) {}

  // Once. With the link's `shown_at_once` off. The follow's id is the stream's own.
  void Follow(v1::Follow follow, OnLink on_link);

  // The next record; nothing at the timeout, or when the stream has ended and nothing waits.
  std::optional<DeliveredRecord> Next(Duration timeout);
  absl::Status ended() const;
  // Records that the hub left out (gaps).
  uint64_t left_out() const;
  // What happened since the last call, in words: to the link, whether the case is recorded, and how
  // far a COMPLETE follow is behind.
  std::vector<std::string> TakeLinkChanges();

  void OnRecord(const DeliveredRecord& delivered) override;
  void OnGap(const v1::Gap& gap) override;
  void OnWelcome(const v1::Welcome& welcome) override;
  void OnHistoryPage(const v1::HistoryPage& page) override;
  void OnRecording(const v1::Recording& recording) override;
  void OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) override;
  void OnLinkCondition(v1::LinkCondition condition, Duration previous) override;
  void OnFollowEnded(const v1::FollowEnded& ended) override;
  void OnRefused(const v1::Refused& refused) override;
  void OnEnded(const absl::Status& status) override;

 private:
  enum class State { kIdle, kFollowing, kLettingGo };

  void End(const absl::Status& status);
  // On the link's sequence.
  void LetGo(ParticipantLink& link);
  // The link's errands: what was shown, and taking up.
  void Run(ParticipantLink& link);
  // The hub has answered what was asked after the cancelling.
  void Answered();
  // Behind by so many records of the case, of which it may want a part.
  void TellBehind(uint64_t records) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddChange(std::string words) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t most_;
  const size_t few_;
  OnLink on_link_;     // set by Follow, before anything can be delivered
  v1::Follow follow_;  // on the link's sequence, after Follow

  mutable Mutex mutex_;
  ConditionVariable arrived_;
  std::deque<DeliveredRecord> waiting_ ABSL_GUARDED_BY(mutex_);
  State state_ ABSL_GUARDED_BY(mutex_) = State::kIdle;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;  // since the follow was let go
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t shown_session_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t shown_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // taken and not yet told to the link
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);
  uint64_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
  bool unrecorded_ ABSL_GUARDED_BY(mutex_) = false;  // in this session
  v1::LinkCondition condition_ ABSL_GUARDED_BY(mutex_) = v1::LINK_CONDITION_UNSPECIFIED;
  uint64_t last_seq_ ABSL_GUARDED_BY(mutex_) = 0;
  // Said to be behind: up to there, and how far it was when that was last said; 0: it is not.
  uint64_t behind_until_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t behind_told_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::string> link_changes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora::reader
