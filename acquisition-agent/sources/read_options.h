// What may be asked of the reader of any recording. Copied freely.
#pragma once

#include <cstdint>

#include "acquisition-agent/sources/triggers.h"

namespace remora::agent {

struct ReadOptions {
  TriggerOptions triggers;
  int32_t max_block_ms = 50;  // [1, 10000]; a block may hold one sample more than that
};

}  // namespace remora::agent
