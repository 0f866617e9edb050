#include "hub/rooms/case_books.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

uint64_t CountOf(const v1::NamedGap& gap) {
  return gap.last_origin_seq() - gap.first_origin_seq() + 1;
}

std::string RangeText(const v1::NamedGap& gap) {
  return gap.first_origin_seq() == gap.last_origin_seq()
             ? absl::StrCat(gap.first_origin_seq())
             : absl::StrCat(gap.first_origin_seq(), "-", gap.last_origin_seq());
}

// "lane 5 of agent-or3: 12 missing, 341-352"; empty: nothing is missing.
std::string MissingText(const v1::OriginLaneHead& head) {
  uint64_t count = 0;
  int listed = 0;
  std::string ranges;
  for (const v1::NamedGap& gap : head.gaps()) {
    if (gap.cause() != v1::NAMED_GAP_CAUSE_MISSING) continue;
    count += CountOf(gap);
    if (++listed <= kMissingRangesTold) absl::StrAppend(&ranges, ", ", RangeText(gap));
  }
  if (listed > kMissingRangesTold) absl::StrAppend(&ranges, " and more");
  if (count == 0) return "";
  return absl::StrCat("lane ", head.lane(), " of ", head.participant(), ": ", count, " missing",
                      ranges);
}

void AddText(const std::string& text, std::string* all) {
  if (all->size() + text.size() > kMaxReasonBytes / 2) return;
  absl::StrAppend(all, all->empty() ? "" : "; ", text);
}

// Neighbours of one cause are one gap: what a short disk has shed, told piece by piece.
void Coalesce(v1::OriginLaneHead* head) {
  auto* gaps = head->mutable_gaps();
  std::sort(gaps->begin(), gaps->end(), [](const v1::NamedGap& a, const v1::NamedGap& b) {
    return a.first_origin_seq() < b.first_origin_seq();
  });
  int kept = 0;
  for (int i = 1; i < gaps->size(); ++i) {
    v1::NamedGap& last = *gaps->Mutable(kept);
    const v1::NamedGap& next = gaps->Get(i);
    if (next.cause() == last.cause() && next.first_origin_seq() == last.last_origin_seq() + 1) {
      last.set_last_origin_seq(next.last_origin_seq());
    } else if (++kept != i) {
      gaps->SwapElements(kept, i);
    }
  }
  if (!gaps->empty()) gaps->DeleteSubrange(kept + 1, gaps->size() - kept - 1);
}

size_t BytesOf(const std::vector<v1::OriginLaneHead>& heads) {
  size_t bytes = 0;
  for (const v1::OriginLaneHead& head : heads) bytes += head.ByteSizeLong() + 4;
  return bytes;
}

// Agents alone write it.
bool HoldsBulk(const OriginLedger& ledger, const OriginId& origin) {
  for (uint32_t lane = kControlLaneCount; lane < kLaneCount; ++lane) {
    if (!ledger.Used(origin, lane).empty()) return true;
  }
  return false;
}

// Of an agent whose total is not known.
std::string UnsaidText(const std::string& participant, bool stale, bool here) {
  if (stale) {
    return here ? absl::StrCat(participant, " records on: stop it, or wait for its last word")
                : absl::StrCat(participant, " is not here and made more than it said");
  }
  return here ? absl::StrCat(participant, " has not said yet what it made: wait")
              : absl::StrCat(participant, " is not here and has not said what it made");
}

}  // namespace

void CaseBooks::Note(const RecordKey& key, const v1::Record& record) {
  if (record.has_publisher_total()) {
    std::map<uint32_t, uint64_t>& total = totals_[key.origin];
    total.clear();
    for (const v1::LaneTotal& lane : record.publisher_total().lanes()) {
      if (lane.lane() < kLaneCount) total[lane.lane()] = lane.last_origin_seq();
    }
  } else if (record.has_case_lifecycle()) {
    const v1::CaseTransition step = record.case_lifecycle().transition();
    steps_[key.origin].Insert(key.origin_seq);
    if (step == v1::CASE_TRANSITION_CLOSING || step == v1::CASE_TRANSITION_REOPENED ||
        step == v1::CASE_TRANSITION_ABANDONED) {
      totals_.clear();
    }
  } else if (record.has_data_gap()) {
    const v1::DataGap& gap = record.data_gap();
    const bool own = gap.origin().empty() || gap.origin() == key.origin.bytes();
    if (!own || gap.first_origin_seq() == 0 || told_gap_count_ >= kMaxToldGaps) return;
    auto [it, inserted] = told_gaps_[{key.origin, gap.lane()}].try_emplace(
        gap.first_origin_seq(), ToldGap{gap.last_origin_seq(), key});
    if (inserted) {
      ++told_gap_count_;
    } else if (gap.last_origin_seq() > it->second.last) {
      it->second = {gap.last_origin_seq(), key};
    }
  }
}

void CaseBooks::NameHole(const OriginLane& where, uint64_t first, uint64_t last,
                         v1::OriginLaneHead* head) const {
  const auto add = [head](uint64_t from, uint64_t to, const RecordKey* told) {
    v1::NamedGap* gap = head->add_gaps();
    gap->set_first_origin_seq(from);
    gap->set_last_origin_seq(to);
    gap->set_cause(told == nullptr ? v1::NAMED_GAP_CAUSE_MISSING : v1::NAMED_GAP_CAUSE_DATA_GAP);
    if (told != nullptr) *gap->mutable_data_gap() = ToProto(*told);
  };
  uint64_t next = first;
  if (const auto of_lane = told_gaps_.find(where); of_lane != told_gaps_.end()) {
    for (const auto& [begin, told] : of_lane->second) {
      if (begin > last) break;
      if (told.last < next) continue;
      if (begin > next) add(next, begin - 1, nullptr);
      const uint64_t to = std::min(told.last, last);
      add(std::max(begin, next), to, &told.record);
      if (to == last) return;  // it may be the largest number there is
      next = to + 1;
    }
  }
  add(next, last, nullptr);
}

CaseBooks::Total CaseBooks::TotalOf(const OriginLedger& ledger, const OriginId& origin) const {
  const auto total = totals_.find(origin);
  if (total == totals_.end()) return Total::kNone;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const auto said = total->second.find(lane);
    const uint64_t last = said == total->second.end() ? 0 : said->second;
    const SeqRanges& used = ledger.Used(origin, lane);
    if (used.largest() <= last) continue;
    SeqRanges held = used.Without(ledger.Refused(origin, lane));
    if (const auto steps = steps_.find(origin); lane == 1 && steps != steps_.end()) {
      held = held.Without(steps->second);
    }
    if (held.largest() > last) return Total::kStale;
  }
  return Total::kGiven;
}

bool CaseBooks::Expects(const OriginLedger& ledger, const People& people,
                        const RecordKey& key) const {
  if (key.origin_seq <= ledger.Used(key.origin, key.lane).largest()) return true;
  if (TotalOf(ledger, key.origin) == Total::kGiven) {
    const std::map<uint32_t, uint64_t>& total = totals_.at(key.origin);
    const auto said = total.find(key.lane);
    return said != total.end() && key.origin_seq <= said->second;
  }
  return people.is_agent(ledger.ParticipantOf(key.origin)) || HoldsBulk(ledger, key.origin);
}

std::string CaseBooks::WhatIsWrongWith(const OriginLedger& ledger, const People& people,
                                       const RecordKey& key,
                                       const v1::PublisherTotal& total) const {
  const bool agent =
      people.is_agent(ledger.ParticipantOf(key.origin)) || HoldsBulk(ledger, key.origin);
  for (const v1::LaneTotal& said : total.lanes()) {
    if (said.lane() == 1) {
      if (said.last_origin_seq() == key.origin_seq) continue;
      return absl::StrCat("the total of lane 1 is its own number, ", key.origin_seq);
    }
    const uint64_t ahead = !agent && said.lane() >= kControlLaneCount ? 0
                           : agent                                    ? kMaxAheadOfAgent
                                                                      : kMaxAheadOfPerson;
    const uint64_t held = ledger.Used(key.origin, said.lane()).largest();
    if (said.last_origin_seq() > held && said.last_origin_seq() - held > ahead) {
      return absl::StrCat("a total of ", said.last_origin_seq(), " in lane ", said.lane(), ", and ",
                          held, " are here: more than can be on its way");
    }
  }
  return "";
}

v1::OriginLaneHead CaseBooks::HeadOf(const OriginLedger& ledger, const OriginId& origin,
                                     uint32_t lane) const {
  v1::OriginLaneHead head;
  const SeqRanges& used = ledger.Used(origin, lane);
  const SeqRanges& refused = ledger.Refused(origin, lane);
  const OriginLedger::Counts counts = ledger.CountsOf(origin, lane);
  head.set_origin(origin.ToString());
  head.set_lane(lane);
  head.set_held_count(used.count() - refused.count());
  head.set_participant(ledger.ParticipantOf(origin));
  head.set_late_count(counts.late);
  head.set_duplicate_count(counts.duplicates);
  for (const SeqRanges::Range& range : ledger.Late(origin, lane).ranges()) {
    v1::OriginSeqRange* late = head.add_late();
    late->set_first_origin_seq(range.first);
    late->set_last_origin_seq(range.last);
  }
  uint64_t last = used.largest();
  if (const auto total = totals_.find(origin); total != totals_.end()) {
    head.set_total_given(TotalOf(ledger, origin) == Total::kGiven);
    const auto of_lane = total->second.find(lane);
    if (of_lane != total->second.end()) last = std::max(last, of_lane->second);
  }
  head.set_last_origin_seq(last);
  for (const SeqRanges::Range& range : refused.ranges()) {
    v1::NamedGap* gap = head.add_gaps();
    gap->set_first_origin_seq(range.first);
    gap->set_last_origin_seq(range.last);
    gap->set_cause(v1::NAMED_GAP_CAUSE_REFUSED);
  }
  if (last > 0) {
    for (const SeqRanges::Range& hole : used.Missing(1, last)) {
      NameHole({origin, lane}, hole.first, hole.last, &head);
    }
  }
  Coalesce(&head);
  return head;
}

CaseBooks::Balance CaseBooks::Strike(const OriginLedger& ledger, const People& people) const {
  Balance balance;
  for (const OriginId& origin : ledger.Origins()) {
    const std::string& participant = ledger.ParticipantOf(origin);
    const Total total = TotalOf(ledger, origin);
    if (total != Total::kGiven && (people.is_agent(participant) || HoldsBulk(ledger, origin))) {
      AddText(UnsaidText(participant, total == Total::kStale, people.is_here(origin)),
              &balance.missing);
      balance.complete = false;
    }
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      v1::OriginLaneHead head = HeadOf(ledger, origin, lane);
      if (head.last_origin_seq() == 0) continue;
      if (std::string text = MissingText(head); !text.empty()) {
        balance.complete = false;
        if (people.is_here(origin)) text += " (still there to be sent: wait)";
        AddText(text, &balance.missing);
      }
      balance.heads.push_back(std::move(head));
    }
  }
  // What can be found again in the records goes first: which were late, which tell of a gap.
  if (BytesOf(balance.heads) > kMaxCertificateBytes) {
    for (v1::OriginLaneHead& head : balance.heads) head.clear_late();
  }
  if (BytesOf(balance.heads) > kMaxCertificateBytes) {
    for (v1::OriginLaneHead& head : balance.heads) {
      for (v1::NamedGap& gap : *head.mutable_gaps()) gap.clear_data_gap();
    }
  }
  balance.fits = balance.heads.size() <= kMaxCertificateHeads &&
                 BytesOf(balance.heads) <= kMaxCertificateBytes;
  return balance;
}

}  // namespace remora::hub
