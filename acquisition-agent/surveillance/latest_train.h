// The newest train-of-four of the case, for those who write down a response that relaxation may
// have taken away. One a case, shared by its watches; thread-compatible, on the agent's sequence.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/pipelines/tof_pipeline.h"

namespace remora::agent {

class LatestTrain {
 public:
  // A train without a count is known as such: an older one does not speak for now.
  void Note(const TofTrain& train, const std::string& limb) {
    if (train.sweeps.empty()) return;
    at_ns_ = train.sweeps.back().stimulus.time_ns;
    said_ = train.reading ? absl::StrFormat("%d of 4", train.reading->count) : "not counted";
    if (train.reading && train.reading->ratio) {
      absl::StrAppendFormat(&said_, ", ratio %.2f", *train.reading->ratio);
    }
    limb_ = limb;
  }
  // "last train-of-four left hand 35 s before: 4 of 4, ratio 0.95"; "" when there was none.
  std::string Before(int64_t at_ns) const {
    if (said_.empty() || at_ns < at_ns_) return "";
    return absl::StrFormat("last train-of-four %s %d s before: %s", limb_,
                           (at_ns - at_ns_) / 1'000'000'000, said_);
  }

 private:
  int64_t at_ns_ = 0;
  std::string limb_;
  std::string said_;
};

}  // namespace remora::agent
