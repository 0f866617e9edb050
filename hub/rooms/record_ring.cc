#include "hub/rooms/record_ring.h"

#include <algorithm>

#include "hub/rooms/limits.h"

namespace remora::hub {

void RecordRing::Add(const RecordFrame& frame) {
  const bool control = frame.lane < kControlLaneCount;
  Part& part = control ? control_ : bulk_;
  part.frames.push_back(frame);
  part.bytes += frame.bytes.size();
  const size_t limit = control ? kMaxRecentControlBytes : kMaxRecentBulkBytes;
  while (part.bytes > limit) DropOldest(&part);
}

void RecordRing::DropOldest(Part* part) {
  part->bytes -= part->frames.front().bytes.size();
  part->first_seq = part->frames.front().seq + 1;
  part->frames.pop_front();
}

void RecordRing::Trim(HubTime now, Duration max_age) {
  const int64_t oldest_unix_ns = (now - max_age).nanoseconds();
  for (Part* part : {&control_, &bulk_}) {
    while (!part->frames.empty() && part->frames.front().recorded_unix_ns < oldest_unix_ns) {
      DropOldest(part);
    }
  }
}

bool RecordRing::Covers(uint64_t from_seq, bool control, bool bulk) const {
  return (!control || from_seq >= control_.first_seq) && (!bulk || from_seq >= bulk_.first_seq);
}

void RecordRing::Visit(uint64_t from_seq, bool control, bool bulk,
                       const std::function<bool(const RecordFrame&)>& visit) const {
  const auto start = [from_seq](const Part& part, bool wanted) {
    if (!wanted) return part.frames.end();
    return std::lower_bound(part.frames.begin(), part.frames.end(), from_seq,
                            [](const RecordFrame& frame, uint64_t seq) { return frame.seq < seq; });
  };
  auto c = start(control_, control);
  auto b = start(bulk_, bulk);
  while (c != control_.frames.end() || b != bulk_.frames.end()) {
    const bool take_control =
        b == bulk_.frames.end() || (c != control_.frames.end() && c->seq < b->seq);
    if (!visit(take_control ? *c++ : *b++)) return;
  }
}

}  // namespace remora::hub
