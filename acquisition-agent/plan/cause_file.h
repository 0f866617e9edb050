// The table of causes, from its file (docs/differential.md; proto/remora/v1/cause.proto).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/file_system.h"
#include "dsp/assess/causes/cause_model.h"

namespace remora::agent {

// Every feature of it is one that can be worked out, with all of its values.
// NotFound: no such file. InvalidArgument: "FILE:LINE:COLUMN: ..." or "FILE: KEY: ...": what is in
// it.
absl::StatusOr<dsp::CauseModel> LoadCauses(FileSystem& files, const std::string& path);

// The same of a text that is already read; `path` is for messages.
absl::StatusOr<dsp::CauseModel> ParseCauses(const std::string& text, const std::string& path);

}  // namespace remora::agent
