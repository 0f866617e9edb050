#pragma once

// Valid records of lane 5: sample blocks of a channel of EMG, as an agent would make them, of a
// given encoded size. The samples are packed once; what differs from record to record (numbers and
// times) is written around them, so that making load costs little beside carrying it.
// Thread-compatible.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/bench/load/load_options.h"

namespace remora::bench {

// The body of a block, but for what differs from record to record.
struct BlockShape {
  std::string prefix;  // trace, modality, side, rate
  std::string suffix;  // samples, filter
  uint32_t samples = 0;

  // With as many samples as a record of at most `size` bytes holds.
  static BlockShape Fit(int size);
};

class BlockMaker {
 public:
  // Records of this theatre's case.
  BlockMaker(int topic, BlockShape shape);

  // Appends the next record's frame (field 1 of Up). `sent_ns` is when it was captured: what a
  // follower takes its latency from.
  void AppendFrame(int64_t sent_ns, std::string* frames);
  uint64_t last_origin_seq() const { return last_origin_seq_; }

  // An alert with a reduced trace, as the surveillance of an agent raises it.
  static std::string AlertFrame(int topic, uint64_t origin_seq, int64_t sent_ns);
  // A record that opens the theatre's case: the first of lane 1.
  static std::string OpeningFrame(int topic, int64_t now_ns);

 private:
  const BlockShape shape_;
  std::string ids_;  // case_id, origin, lane
  uint64_t last_origin_seq_ = 0;
};

// What a follower reads off a record.
struct BlockSeen {
  uint32_t lane = 0;
  uint64_t origin_seq = 0;
  int64_t captured_ns = 0;
};
// Reads the header of a record: as little as a follower needs that only counts. False where it is
// not one.
bool ReadHeader(absl::string_view record, BlockSeen* seen);

}  // namespace remora::bench
