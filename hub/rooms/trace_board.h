#pragma once

// The traces of a case: names their keys, and keeps the newest bulk record of each for snapshots
// (finished sweep, provisional sweep, envelope). Bounded by kMaxTraces and kMaxTraceParts. Frames
// point at the keys, so the board lives as long as its room. Thread-compatible; sequence-bound to
// its room.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "hub/record_frame.h"

namespace remora::hub {

// What a body of lanes 2-5 tells without being parsed.
struct BodyPeek {
  // Its first field: the trace's id in most kinds, else the limb or strip.
  absl::string_view trace_id;
  // Field 6 of a Measurement.
  absl::string_view component;
  // Field 16 of a Sweep.
  bool provisional = false;
  // What tells two things of one trace apart in lanes 2-3, so that a newer one does not take
  // the place of the other: a screw's level, a contact's number, a twitch, the kind of a discharge.
  // Empty and 0: nothing does.
  absl::string_view part;
  std::array<uint64_t, 3> part_numbers = {};

  bool has_part() const { return !part.empty() || part_numbers != std::array<uint64_t, 3>{}; }
};
// `body` has passed validation; of a kind that is not known only the first field is read. Of bytes
// that are no canonical protobuf the peek has what comes before them.
BodyPeek PeekBody(uint32_t kind, absl::string_view body);

class TraceBoard {
 public:
  // The key of (kind, trace, component, part), or of its trace when kMaxTraceParts are named
  // already; null when kMaxTraces are.
  const TraceKey* Name(uint32_t kind, const BodyPeek& peek);

  // Remembers a committed record of lanes 3-4, of whatever part of its trace.
  void Keep(const RecordFrame& frame);
  // The newest of each trace, in `seq` order: finished sweeps first to stay when `max_bytes` are
  // not enough, then envelopes, then provisional sweeps; of each the newest first.
  std::vector<RecordFrame> Newest(size_t max_bytes) const;
  // The numbers of Newest, without provisional sweeps, ascending.
  std::vector<uint64_t> NewestSeqs() const;
  // When the newest envelope of continuous EMG was recorded; 0: none is held.
  int64_t LastEnvelopeUnixNs() const;

 private:
  using KindAndName = std::pair<uint32_t, std::string>;
  const TraceKey* Find(const KindAndName& name) const;
  const TraceKey* Add(KindAndName name, absl::string_view trace_id);

  std::deque<TraceKey> keys_;
  size_t parts_ = 0;  // of keys_, those of a part
  std::map<KindAndName, const TraceKey*> by_name_;
  std::map<std::pair<uint32_t, bool>, RecordFrame> newest_;  // (key index, provisional)
};

}  // namespace remora::hub
