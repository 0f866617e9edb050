#include "tests/faults/runs/memory_slope.h"

#include <map>

namespace remora::testing {

double MemorySlope::MebibytesPerHour() const {
  struct Sums {
    double count = 0, time = 0, memory = 0;
  };
  std::map<int, Sums> segments;
  for (const Sample& sample : samples_) {
    Sums& sums = segments[sample.segment];
    ++sums.count;
    sums.time += sample.seconds;
    sums.memory += sample.mebibytes;
  }
  double products = 0, squares = 0;
  for (const Sample& sample : samples_) {
    const Sums& sums = segments[sample.segment];
    const double time = sample.seconds - sums.time / sums.count;
    products += time * (sample.mebibytes - sums.memory / sums.count);
    squares += time * time;
  }
  return squares > 0 ? products / squares * 3600 : 0;
}

}  // namespace remora::testing
