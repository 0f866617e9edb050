#include "hub/rooms/testing/stamped_frame.h"

#include <utility>

#include "common/record_codec.h"

namespace remora::hub {

RecordFrame StampedFrame(const std::string& bytes, uint64_t seq, int64_t recorded_unix_ns,
                         uint32_t epoch) {
  std::string stamped = bytes;
  AppendStamp({epoch, seq, HubTime::FromNanoseconds(recorded_unix_ns), false}, &stamped);
  std::string framed;
  AppendFrame(stamped, &framed);
  const RecordHeader header = *WalkRecord(bytes);
  RecordFrame frame;
  frame.header_bytes = static_cast<uint8_t>(framed.size() - stamped.size());
  frame.bytes = SharedBytes(std::move(framed));
  frame.seq = seq;
  frame.recorded_unix_ns = recorded_unix_ns;
  frame.origin_seq = header.origin_seq;
  frame.kind = header.kind;
  frame.lane = static_cast<uint8_t>(header.lane);
  return frame;
}

}  // namespace remora::hub
