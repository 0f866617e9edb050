#pragma once

// Records as a journal would hold them, for tests of the hub. Thread-safe function.

#include <cstdint>
#include <string>

#include "hub/record_frame.h"

namespace remora::hub {

// The record stamped, as a frame.
RecordFrame StampedFrame(const std::string& bytes, uint64_t seq, int64_t recorded_unix_ns,
                         uint32_t epoch = 1);

}  // namespace remora::hub
