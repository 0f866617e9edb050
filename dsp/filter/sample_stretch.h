// A stretch of a block's samples. A value.
#pragma once

#include <cstddef>

namespace remora::dsp {

// From the first to before the last.
struct SampleStretch {
  std::size_t from = 0;
  std::size_t to = 0;
};

}  // namespace remora::dsp
