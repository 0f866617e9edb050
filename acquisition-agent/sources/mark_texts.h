// The texts of a recording's marks, each kept once. A reader adds them as it reads, and gives them
// to a Recording in the end.
//
// Thread-compatible. Memory: bounded by recording_limits.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/recording_source.h"

namespace remora::agent {

class MarkTexts {
 public:
  // The index of the text, cleaned, and cut to kMaxMarkText.
  //   kResourceExhausted  too many bytes of distinct texts
  absl::StatusOr<int32_t> Add(absl::string_view raw);

  const std::vector<std::string>& texts() const { return texts_; }
  int64_t cut() const { return cut_; }

  // Fills texts, triggers, trigger_channel and notes of `recording`, whose channels are known:
  // which texts are stimuli is as `options` say.
  //   kInvalidArgument  the trigger channel that was asked for is not there
  absl::Status GiveTo(const TriggerOptions& options, Recording* recording) const;

 private:
  std::vector<std::string> texts_;
  absl::flat_hash_map<std::string, int32_t> index_;
  int64_t bytes_ = 0;
  int64_t cut_ = 0;
};

}  // namespace remora::agent
