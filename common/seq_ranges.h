#pragma once

// A set of record numbers, kept as ascending, non-adjacent ranges: what a journal holds of an
// origin's lane, what a follower has seen. Thread-compatible value.

#include <cstdint>
#include <vector>

namespace remora {

class SeqRanges {
 public:
  struct Range {
    uint64_t first;
    uint64_t last;  // inclusive
    bool operator==(const Range&) const = default;
  };

  // False when it was there already. 0 is not a number.
  bool Insert(uint64_t seq);
  // Adds first..last (inclusive); numbers that are there already do no harm.
  void InsertRange(uint64_t first, uint64_t last);
  bool Contains(uint64_t seq) const;
  // The largest n such that 1..n are all there; 0 if 1 is not.
  uint64_t contiguous() const;
  // The largest number; 0 if empty.
  uint64_t largest() const;
  uint64_t count() const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<Range>& ranges() const { return ranges_; }
  // What lies in first..last and is not there, ascending.
  std::vector<Range> Missing(uint64_t first, uint64_t last) const;
  // What is here and not in `other`.
  SeqRanges Without(const SeqRanges& other) const;

  bool operator==(const SeqRanges&) const = default;

 private:
  std::vector<Range> ranges_;
};

}  // namespace remora
