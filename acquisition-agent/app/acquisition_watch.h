// A live source that stands still. Where no samples come, nothing that looks at samples can say so:
// this is asked by the session's clock, whenever the source has nothing more to give.
//
//   flowing --3 s without a block of a rate group--> LOW --10 s--> MEDIUM --60 s--> HIGH
//      ^------------------ every rate group has come for 2 s again ------------------'
//
// One technical alert for all rate groups (each device of a feed has its own), with the channels
// that stand still; it is said anew when more of them do. After a restart it goes on with the one
// that is on record, and while nothing comes its time counts from before. Sequence-bound to the
// agent's sequence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/sources/source.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "acquisition-agent/surveillance/case_past.h"

namespace remora::agent {

class AcquisitionWatch {
 public:
  // `source` outlives it.
  explicit AcquisitionWatch(const SourceInfo& source);

  // First, after a restart: takes up its alert.
  void Restore(const CasePast& past);
  // Each item, in the case's time.
  void OnItem(const Item& item);
  // All that has come was taken. `now_ns`: of the case, by the clock. The first call begins the
  // wait for groups that have not come at all. True: something was put.
  bool Look(int64_t now_ns, RecordSink& sink);
  // The source has failed and ends: nothing will come any more.
  void OnFailure(const std::string& why, int64_t now_ns, RecordSink& sink);
  void OnAlertResolved(const v1::AlertAction& action) { slot_.OnResolved(action); }

 private:
  enum class Level { kFlowing = 0, kStill = 1, kLong = 2, kUnwatched = 3 };

  // Rate groups of which nothing has come until `now_ns` for long enough; the longest wait of all.
  std::vector<size_t> Still(int64_t now_ns, int64_t* longest_ns) const;
  std::string NameChannels(const std::vector<size_t>& groups) const;

  const SourceInfo& source_;
  std::vector<int64_t> end_ns_;  // by rate group, of the newest block
  std::optional<int64_t> since_ns_;
  // Since when all have come without a pause, while the alert is on.
  std::optional<int64_t> flowing_since_ns_;
  Level level_ = Level::kFlowing;
  size_t told_groups_ = 0;
  // Since when an alert of an earlier life is on, until anything comes.
  std::optional<int64_t> silent_since_ns_;
  AlertSlot slot_;
};

}  // namespace remora::agent
