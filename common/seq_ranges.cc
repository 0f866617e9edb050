#include "common/seq_ranges.h"

#include <algorithm>

namespace remora {
namespace {

// First range that ends at or after `seq`.
template <typename Ranges>
auto FindFrom(Ranges& ranges, uint64_t seq) {
  return std::lower_bound(ranges.begin(), ranges.end(), seq,
                          [](const SeqRanges::Range& r, uint64_t s) { return r.last < s; });
}

}  // namespace

bool SeqRanges::Insert(uint64_t seq) {
  if (seq == 0 || Contains(seq)) return false;
  InsertRange(seq, seq);
  return true;
}

void SeqRanges::InsertRange(uint64_t first, uint64_t last) {
  if (first == 0 || last < first) return;
  auto from = FindFrom(ranges_, first - 1);  // the range that touches first - 1 joins
  auto to = from;
  while (to != ranges_.end() && (to->first <= last || to->first - 1 == last)) {
    first = std::min(first, to->first);
    last = std::max(last, to->last);
    ++to;
  }
  from = ranges_.erase(from, to);
  ranges_.insert(from, Range{first, last});
}

bool SeqRanges::Contains(uint64_t seq) const {
  auto it = FindFrom(ranges_, seq);
  return it != ranges_.end() && it->first <= seq && seq != 0;
}

uint64_t SeqRanges::contiguous() const {
  return !ranges_.empty() && ranges_.front().first == 1 ? ranges_.front().last : 0;
}

uint64_t SeqRanges::largest() const { return ranges_.empty() ? 0 : ranges_.back().last; }

uint64_t SeqRanges::count() const {
  uint64_t n = 0;
  for (const Range& r : ranges_) n += r.last - r.first + 1;
  return n;
}

std::vector<SeqRanges::Range> SeqRanges::Missing(uint64_t first, uint64_t last) const {
  std::vector<Range> missing;
  uint64_t next = std::max<uint64_t>(first, 1);
  for (const Range& r : ranges_) {
    if (r.last < next) continue;
    if (r.first > last) break;
    if (r.first > next) missing.push_back({next, r.first - 1});
    if (r.last >= last) return missing;
    next = r.last + 1;
  }
  if (next <= last) missing.push_back({next, last});
  return missing;
}

SeqRanges SeqRanges::Without(const SeqRanges& other) const {
  SeqRanges rest;
  auto cut = other.ranges_.begin();
  for (Range left : ranges_) {
    while (cut != other.ranges_.end() && cut->last < left.first) ++cut;
    bool any = true;
    for (auto at = cut; any && at != other.ranges_.end() && at->first <= left.last; ++at) {
      if (at->first > left.first) rest.ranges_.push_back({left.first, at->first - 1});
      any = at->last < left.last;
      if (any) left.first = at->last + 1;
    }
    if (any) rest.ranges_.push_back(left);
  }
  return rest;
}

}  // namespace remora
