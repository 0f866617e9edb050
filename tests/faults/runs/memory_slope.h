#pragma once

// How fast a process grows: least squares over samples of its memory. A run that was stopped and
// gone on with has several segments, each with a level of its own and one slope for all.
// Thread-compatible.

#include <cstddef>
#include <vector>

namespace remora::testing {

class MemorySlope {
 public:
  struct Sample {
    int segment = 0;
    double seconds = 0;
    double mebibytes = 0;
  };
  void Add(const Sample& sample) { samples_.push_back(sample); }
  // Mebibytes an hour; 0 with fewer than two samples of a segment.
  double MebibytesPerHour() const;
  size_t samples() const { return samples_.size(); }

 private:
  std::vector<Sample> samples_;
};

}  // namespace remora::testing
