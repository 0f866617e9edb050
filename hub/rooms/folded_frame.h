#pragma once

// A frame of the hub as the fold takes it: the same bytes, shared.

#include "common/fold/case_fold.h"
#include "hub/record_frame.h"

namespace remora::hub {

inline FoldedRecord ToFolded(const RecordFrame& frame) {
  return {{frame.bytes, frame.header_bytes}, frame.seq, frame.recorded_unix_ns, frame.lane};
}

}  // namespace remora::hub
