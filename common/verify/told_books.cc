#include "common/verify/told_books.h"

namespace remora {

void ToldBooks::Note(const RecordKey& key, const v1::Record& record, int64_t recorded_unix_ns) {
  if (record.has_publisher_total()) {
    std::map<uint32_t, uint64_t>& total = totals_[key.origin];
    total.clear();
    for (const v1::LaneTotal& lane : record.publisher_total().lanes()) {
      total[lane.lane()] = lane.last_origin_seq();
    }
  } else if (record.has_case_lifecycle()) {
    const v1::CaseLifecycle& step = record.case_lifecycle();
    steps_[key.origin].Insert(key.origin_seq);
    switch (step.transition()) {
      case v1::CASE_TRANSITION_CLOSED:
        closed_with_gaps_ = step.with_gaps() ? step : v1::CaseLifecycle();
        break;
      case v1::CASE_TRANSITION_ABANDONED:
        closed_with_gaps_.Clear();
        totals_.clear();
        break;
      case v1::CASE_TRANSITION_CLOSING:
      case v1::CASE_TRANSITION_REOPENED:
        totals_.clear();
        break;
      default:
        break;
    }
  } else if (record.has_data_gap()) {
    const v1::DataGap& gap = record.data_gap();
    const bool own = gap.origin().empty() || gap.origin() == key.origin.bytes();
    if (!own || gap.first_origin_seq() == 0 || gap.last_origin_seq() < gap.first_origin_seq()) {
      return;
    }
    told_[{key.origin, gap.lane()}].InsertRange(gap.first_origin_seq(), gap.last_origin_seq());
    tellers_[key] = {gap.lane(),
                     gap.first_origin_seq(),
                     gap.last_origin_seq(),
                     gap.cause(),
                     record.captured_at().boot_id(),
                     gap.from_monotonic_ns(),
                     gap.to_monotonic_ns(),
                     recorded_unix_ns};
  }
}

uint64_t ToldBooks::TotalOf(const OriginId& origin, uint32_t lane) const {
  const auto total = totals_.find(origin);
  if (total == totals_.end()) return 0;
  const auto said = total->second.find(lane);
  return said == total->second.end() ? 0 : said->second;
}

bool ToldBooks::HasTotal(const OriginId& origin,
                         const std::map<OriginLane, SeqRanges>& held) const {
  if (!totals_.contains(origin)) return false;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const auto here = held.find({origin, lane});
    if (here == held.end()) continue;
    SeqRanges numbers = here->second;
    if (const auto steps = steps_.find(origin); lane == 1 && steps != steps_.end()) {
      numbers = numbers.Without(steps->second);
    }
    if (numbers.largest() > TotalOf(origin, lane)) return false;
  }
  return true;
}

bool ToldBooks::HasTold(const OriginLane& where, uint64_t first, uint64_t last) const {
  const auto told = told_.find(where);
  return told != told_.end() && told->second.Missing(first, last).empty();
}

bool ToldBooks::Tells(const RecordKey& record, const OriginLane& where) const {
  const Teller* teller = TellerOf(record);
  return teller != nullptr && record.origin == where.first && teller->lane == where.second;
}

const ToldBooks::Teller* ToldBooks::TellerOf(const RecordKey& record) const {
  const auto teller = tellers_.find(record);
  return teller == tellers_.end() ? nullptr : &teller->second;
}

}  // namespace remora
