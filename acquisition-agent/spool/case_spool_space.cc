// CaseSpool: what it does when the disk is short, and what it says of what is not there.
#include <algorithm>
#include <array>
#include <map>

#include "acquisition-agent/spool/case_spool.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

bool CaseSpool::HasReserve() const {
  const absl::StatusOr<uint64_t> free_bytes = files_.FreeBytes(options_.directory);
  return !free_bytes.ok() || *free_bytes >= options_.control_reserve_bytes;
}

absl::StatusOr<uint64_t> CaseSpool::FreeBytesForBulk() const {
  ASSIGN_OR_RETURN(const uint64_t free_bytes, files_.FreeBytes(options_.directory));
  return free_bytes > options_.control_reserve_bytes ? free_bytes - options_.control_reserve_bytes
                                                     : 0;
}

void CaseSpool::CheckSpace() {
  short_of_space_ = !HasReserve();
  if (short_of_space_) MakeSpace();
}

bool CaseSpool::MakeSpace() {
  bool shed = false;
  while (options_.reclaim && options_.reclaim()) {
    shed = true;
    if (HasReserve()) {
      short_of_space_ = false;
      return true;
    }
  }
  for (const Log log : {kBlocks, kEnvelopes, kSweeps}) {
    while (ShedOldestSegment(log)) {
      shed = true;
      if (HasReserve()) {
        short_of_space_ = false;
        return true;
      }
    }
  }
  return shed;
}

bool CaseSpool::ShedOldestSegment(Log log) {
  const uint32_t oldest = logs_[log]->OldestToShed();
  if (oldest == 0) return false;
  const uint32_t lane = LaneOf(log);
  Lane& state = lanes_[lane];
  uint64_t first = 0;
  uint64_t last = 0;
  for (uint64_t seq = 1; seq <= state.places.size(); ++seq) {
    if (state.places[seq - 1].segment != oldest) continue;
    if (first == 0) first = seq;
    last = seq;
  }
  if (first != 0) {
    for (const SeqRanges::Range& told : state.answers.held().Missing(first, last)) {
      for (const uint64_t seq : {told.first, told.last}) {
        if (const auto bytes = Read(lane, seq); bytes.ok()) NoteCaptured(lane, seq, *bytes);
      }
    }
  }
  const absl::Status freed = logs_[log]->ShedOldest(first, last);
  if (logs_[log]->OldestToShed() == oldest) return false;
  for (uint64_t seq = first; seq <= last && first > 0; ++seq) {
    EntryPlace& place = state.places[seq - 1];
    if (place.segment == oldest) place = EntryPlace();
  }
  if (first != 0) ReportShed(lane, first, last);
  // Where no space comes of it, no more goes.
  return freed.ok();
}

void CaseSpool::TakeShedOf(Log log) {
  const uint32_t lane = LaneOf(log);
  for (const SegmentLog::Shed& shed : logs_[log]->shed()) {
    SeqRanges gone;
    gone.InsertRange(shed.first, shed.last);
    // What is noted has been told; what is there again lies in a later file.
    SeqRanges there = lanes_[lane].given_up;
    for (uint64_t seq = shed.first; seq <= std::min(shed.last, lanes_[lane].places.size()); ++seq) {
      if (Holds(lane, seq)) there.Insert(seq);
    }
    const SeqRanges untold = gone.Without(there);
    for (const SeqRanges::Range& range : untold.ranges()) ReportShed(lane, range.first, range.last);
  }
}

void CaseSpool::DropWaitingBulk() {
  for (int log = kSweeps; log < kLogs; ++log) {
    for (const Waiting& waiting : waiting_[log]) {
      uncommitted_bytes_ -= waiting.entry.size();
      if (const auto entry = ParseEntry(waiting.entry)) {
        NoteCaptured(waiting.lane, waiting.seq, entry->payload);
      }
      ReportShed(waiting.lane, waiting.seq, waiting.seq);
    }
    waiting_[log].clear();
  }
}

void CaseSpool::ReportShed(uint32_t lane, uint64_t first, uint64_t last) {
  Lane& state = lanes_[lane];
  // Only what the hub does not hold is lost to the record.
  for (const SeqRanges::Range& range : state.answers.held().Missing(first, last)) {
    shed_[lane].InsertRange(range.first, range.last);
  }
  unnoted_[lane].InsertRange(first, last);
  state.given_up.InsertRange(first, last);
  if (state.places.size() < last) state.places.resize(last);
  state.committed = std::max(state.committed, last);
}

void CaseSpool::NoteCaptured(uint32_t lane, uint64_t seq, absl::string_view record_bytes) {
  v1::Record record;
  if (!record.ParseFromArray(record_bytes.data(), static_cast<int>(record_bytes.size())) ||
      !record.has_captured_at()) {
    return;
  }
  std::map<uint64_t, int64_t>& captured_ns = shed_captured_ns_[lane];
  captured_ns[seq] = record.captured_at().monotonic_ns();
  // Of a row of them every second one goes; its ends stay, and they are what is told.
  if (captured_ns.contains(seq - 1) && captured_ns.contains(seq - 2)) captured_ns.erase(seq - 1);
}

void CaseSpool::Date(ShedRange* range) const {
  const std::map<uint64_t, int64_t>& captured_ns = shed_captured_ns_[range->lane];
  const auto from = captured_ns.find(range->first_origin_seq);
  const auto to = captured_ns.find(range->last_origin_seq);
  if (from == captured_ns.end() || to == captured_ns.end() || to->second < from->second) return;
  range->from_monotonic_ns = from->second;
  range->to_monotonic_ns = to->second;
}

bool CaseSpool::has_shed() const {
  const auto any = [](const std::array<SeqRanges, kLaneCount>& lanes) {
    return std::any_of(lanes.begin(), lanes.end(),
                       [](const SeqRanges& ranges) { return !ranges.empty(); });
  };
  return any(unnoted_) || any(shed_);
}

std::vector<ShedRange> CaseSpool::TakeShed() {
  std::vector<ShedRange> shed;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (!unnoted_[lane].empty()) {
      EnqueueRanges(EntryType::kShed, lane, unnoted_[lane]);
      // Why it is no loss, should the hub's journal go back while this program is not there.
      lanes_[lane].held_written = lanes_[lane].answers.held().count();
      EnqueueRanges(EntryType::kHeld, lane, lanes_[lane].answers.held());
    }
    unnoted_[lane] = SeqRanges();
    for (const SeqRanges::Range& range : shed_[lane].ranges()) {
      shed.push_back(ShedRange{lane, range.first, range.last});
      Date(&shed.back());
    }
    shed_captured_ns_[lane].clear();
    shed_[lane] = SeqRanges();
  }
  return shed;
}

std::vector<ShedRange> CaseSpool::Holes() const {
  std::array<SeqRanges, kLaneCount> there;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const Lane& state = lanes_[lane];
    for (uint64_t seq = 1; seq <= state.places.size(); ++seq) {
      if (state.places[seq - 1].exists()) there[lane].Insert(seq);
    }
    for (const SeqRanges* others : {&state.given_up, &state.answers.held()}) {
      for (const SeqRanges::Range& range : others->ranges()) {
        there[lane].InsertRange(range.first, range.last);
      }
    }
  }
  for (const std::vector<Waiting>& log : waiting_) {
    for (const Waiting& waiting : log) {
      if (waiting.type == EntryType::kRecord) there[waiting.lane].Insert(waiting.seq);
    }
  }
  std::vector<ShedRange> holes;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    for (const SeqRanges::Range& range : there[lane].Missing(1, lanes_[lane].last)) {
      holes.push_back(ShedRange{lane, range.first, range.last});
    }
  }
  return holes;
}

void CaseSpool::GiveUp(uint32_t lane, uint64_t first, uint64_t last) {
  REMORA_CHECK(lane >= kControlLaneCount && lane < kLaneCount, "a lane of bulk");
  SeqRanges gone;
  gone.InsertRange(first, last);
  EnqueueRanges(EntryType::kShed, lane, gone);
  lanes_[lane].given_up.InsertRange(first, last);
}

}  // namespace remora::agent
