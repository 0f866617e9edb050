// How late a record is, of an analysis that was run as fast as it goes: as if its blocks had come
// at their own time.
//
// A block arrives when its last sample was taken, and waits while the analysis is at work on the
// block before. Work takes as long as it took here. Device time throughout; thread-compatible.
//
//   last sample        block ends = arrives      taken          record
//   ----|--------------------|---------------------|---------------|---->
//       '---- in_block ------'------------- added -----------------'
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace remora::agent {

// From the last sample of a result to its record.
struct Lateness {
  int64_t in_block_ns = 0;  // until the block with the sample was whole: what its length costs
  int64_t added_ns = 0;     // from then on: blocks that were waited for, others before it, work
};

class RealTime {
 public:
  // A block that ends at `end_ns` is taken, with what came beside it. `now_ns`: of any clock that
  // goes on while there is work.
  void Begin(int64_t end_ns, int64_t now_ns);
  // It is done.
  void End(int64_t now_ns);
  // Of a record that is there now, while a block is at work. Nothing: the sample has not come, or
  // came longer ago than kRemembered blocks.
  std::optional<Lateness> Of(int64_t last_sample_ns, int64_t now_ns) const;

  static constexpr size_t kRemembered = 10'000;

 private:
  int64_t At(int64_t now_ns) const { return began_ns_ + (now_ns - began_at_ns_); }

  std::deque<int64_t> ends_ns_;  // of blocks, ascending
  int64_t forgotten_until_ns_ = 0;
  int64_t free_at_ns_ = 0;
  int64_t began_ns_ = 0;
  int64_t began_at_ns_ = 0;
};

}  // namespace remora::agent
