// Where the blocks of one rate group lie in the agent's time: by their sample indexes, drawn
// towards the times that the device gives.
//
// Blocks that follow each other by their indexes follow each other in time: a block begins where
// the one before ended. What the device's times differ from that is noise of how it read its clock,
// and is followed with a time constant of kFollowNs by at most kMaxBlockSlewPpm; so filters and
// sweeps downstream are not cut by it. Only beyond kMaxSeamNs it is a step, and told as a Gap.
//
//   samples missing by their indexes    a Gap of their number
//   times ahead by more than kMaxSeamNs a Gap up to the device's time
//   times back by more than that        no sample's time comes twice: blocks are left out until the
//                                       time is new, and then a Gap
//   indexes back, times new             the device counts anew: a Gap, which may have no length
//   indexes back, times old             it was sent before
//
// Accuracy: with times that jitter by +-0.4 ms evenly, ends of blocks within 0.15 ms of the true
// ones (block_times_test.cc). Thread-compatible value; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::feed {

inline constexpr int64_t kFollowNs = 500'000'000;
inline constexpr int64_t kMaxBlockSlewPpm = 1'000;
// So far from the device's time an end may lie by that; a stimulus that is told behind a block, and
// by less before its end, is at its end.
inline constexpr int64_t kMaxWobbleNs = 150'000;

// A block as the device gives it, its times in the agent's time.
struct ToldBlock {
  uint64_t first = 0;  // index of its first sample
  uint64_t count = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;  // above start_ns
};

class BlockTimes {
 public:
  enum class Outcome {
    kPlaced,
    kRepeated,  // its samples came before
    kMixed,     // some of them did
    kOld,       // its time is over
  };
  struct Placed {
    Outcome outcome = Outcome::kPlaced;
    // Of kPlaced. The gap lies before the block; its rate group is the caller's to say.
    int64_t start_ns = 0;
    int64_t end_ns = 0;
    std::optional<Gap> gap = std::nullopt;
    bool counts_anew = false;
  };

  // `device`: its name, for the causes of gaps.
  Placed Place(const ToldBlock& told, double rate_hz, absl::string_view device);
  // Another session, or a clock that stepped: the next block is behind a gap with this cause.
  void BeginAnew(absl::string_view cause);
  // Where the blocks that were placed end; nothing before the first.
  std::optional<int64_t> end_ns() const { return end_ns_; }

 private:
  Placed Take(const ToldBlock& told, int64_t start_ns, int64_t end_ns);
  Placed TakeBehindGap(const ToldBlock& told, int64_t start_ns, std::string cause);
  Placed Follow(const ToldBlock& told, absl::string_view device);

  // Of the next sample; nothing where any will do.
  std::optional<uint64_t> next_index_;
  std::optional<int64_t> end_ns_;
  std::string cause_;
};

}  // namespace remora::agent::feed
