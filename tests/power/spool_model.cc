#include "tests/power/spool_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace remora::power {
namespace {

bool IsTold(const agent::CaseSpool& spool, uint32_t lane, uint64_t seq) {
  if (spool.given_up(lane).Contains(seq)) return true;
  for (const agent::ShedRange& range : spool.recovery().missing) {
    if (range.lane == lane && range.first_origin_seq <= seq && seq <= range.last_origin_seq) {
      return true;
    }
  }
  return false;
}

}  // namespace

void SpoolModel::MakeRecord(uint32_t lane, uint64_t seq, std::string bytes) {
  lanes_[lane].made[seq] = Made{std::move(bytes), next_order_++, false};
}

void SpoolModel::MakeInput(uint64_t position, std::string bytes) {
  inputs_[position] = std::move(bytes);
  next_position_ = position + 1;
}

void SpoolModel::NoteHeld(uint32_t lane, const SeqRanges& held) {
  for (const SeqRanges::Range& range : held.ranges()) {
    lanes_[lane].held.InsertRange(range.first, range.last);
  }
}

void SpoolModel::Promise(const agent::CaseSpool& spool) {
  promised_ = true;
  closed_promised_ = closed_made_;
  inputs_promised_to_ = next_position_ - 1;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    Lane& state = lanes_[lane];
    for (auto& [seq, made] : state.made) {
      if (!spool.Holds(lane, seq)) continue;  // given up as it came: nobody was offered it
      made.promised = true;
      state.given_out = std::max(state.given_out, seq);
    }
  }
}

uint64_t SpoolModel::promised_records() const {
  uint64_t count = 0;
  for (const Lane& lane : lanes_) {
    for (const auto& [seq, made] : lane.made) count += made.promised ? 1 : 0;
  }
  return count;
}

std::string SpoolModel::CompareLane(const agent::CaseSpool& spool, uint32_t lane) const {
  const Lane& state = lanes_[lane];
  const std::string name = absl::StrCat("lane ", lane);
  if (spool.last_seq(lane) < state.given_out) {
    return absl::StrCat(name, ": ends at ", spool.last_seq(lane),
                        ", and would give out numbers up to ", state.given_out, " once more");
  }
  if (spool.committed_seq(lane) != spool.last_seq(lane)) {
    return absl::StrCat(name, ": recovered and not committed");
  }
  for (const auto& [seq, made] : state.made) {
    const absl::StatusOr<std::string> read = spool.Read(lane, seq);
    if (read.ok()) {
      if (*read != made.bytes) return absl::StrCat(name, ": record ", seq, " has other bytes");
      continue;
    }
    if (!made.promised) continue;
    if (lane < kControlLaneCount || !was_short_) {
      return absl::StrCat(name, ": record ", seq, " is lost: ", read.status().message());
    }
    if (!IsTold(spool, lane, seq))
      return absl::StrCat(name, ": record ", seq, " is shed in silence");
  }
  for (uint64_t seq = 1; seq <= spool.last_seq(lane); ++seq) {
    if (spool.Holds(lane, seq) && state.made.count(seq) == 0) {
      return absl::StrCat(name, ": record ", seq, " was never made");
    }
  }
  if (!spool.held(lane).Without(state.held).empty()) {
    return absl::StrCat(name, ": counts as held what no hub has said that it holds");
  }
  return "";
}

std::string SpoolModel::CompareInputs(const agent::CaseSpool& spool) const {
  uint64_t last = 0;
  uint64_t promised = 0;
  for (const agent::SpooledInput& input : spool.recovered_inputs()) {
    const auto made = inputs_.find(input.position);
    if (made == inputs_.end() || made->second != input.bytes) {
      return absl::StrCat("input ", input.position, " is not what was taken in");
    }
    if (input.position <= last) {
      return absl::StrCat("input ", input.position, " is there twice, or late");
    }
    last = input.position;
    if (last <= inputs_promised_to_) ++promised;
  }
  const auto promised_end = inputs_.upper_bound(inputs_promised_to_);
  if (promised != static_cast<uint64_t>(std::distance(inputs_.begin(), promised_end))) {
    return absl::StrCat("of the inputs up to ", inputs_promised_to_, " only ", promised,
                        " are there");
  }
  return "";
}

std::string SpoolModel::CompareOrder(const agent::CaseSpool& spool) const {
  uint64_t newest_bulk = 0;
  for (uint32_t lane = kControlLaneCount; lane < kLaneCount; ++lane) {
    for (const auto& [seq, made] : lanes_[lane].made) {
      if (spool.Holds(lane, seq)) newest_bulk = std::max(newest_bulk, made.order);
    }
  }
  for (uint32_t lane = 0; lane < kControlLaneCount; ++lane) {
    for (const auto& [seq, made] : lanes_[lane].made) {
      if (made.order < newest_bulk && !spool.Holds(lane, seq)) {
        return absl::StrCat("lane ", lane, ": record ", seq, " is not there, and later bulk is");
      }
    }
  }
  return "";
}

std::string SpoolModel::Compare(const agent::CaseSpool& spool) const {
  if (promised_ && spool.info() == nullptr) return "what the case is of is lost";
  if (closed_promised_ && !spool.closed()) return "the case is open again";
  if (!closed_made_ && spool.closed()) return "the case was never closed";
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (std::string finding = CompareLane(spool, lane); !finding.empty()) return finding;
  }
  if (std::string finding = CompareInputs(spool); !finding.empty()) return finding;
  return CompareOrder(spool);
}

void SpoolModel::Adopt(const agent::CaseSpool& spool) {
  promised_ = true;
  closed_made_ = closed_promised_ = spool.closed();
  std::map<uint64_t, std::string> inputs;
  for (const agent::SpooledInput& input : spool.recovered_inputs()) {
    inputs[input.position] = input.bytes;
  }
  inputs_ = std::move(inputs);
  inputs_promised_to_ = inputs_.empty() ? 0 : inputs_.rbegin()->first;
  next_position_ = inputs_promised_to_ + 1;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    Lane& state = lanes_[lane];
    state.given_out = spool.last_seq(lane);
    for (auto it = state.made.begin(); it != state.made.end();) {
      it->second.promised = spool.Holds(lane, it->first);
      it = it->second.promised ? std::next(it) : state.made.erase(it);
    }
  }
}

}  // namespace remora::power
