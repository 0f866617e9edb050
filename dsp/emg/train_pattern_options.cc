// What a TrainPatternDetector may be told.
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsp/emg/train_pattern.h"

namespace remora::dsp {
namespace {

absl::Status OutOfRange(const char* name, double value, const char* range) {
  return absl::InvalidArgumentError(absl::StrCat(name, " ", value, ": must be ", range));
}

}  // namespace

const char* TrainPatternName(TrainPattern pattern) {
  switch (pattern) {
    case TrainPattern::kNone:
      return "none";
    case TrainPattern::kA:
      return "A";
    case TrainPattern::kBSpikes:
      return "Bs";
    case TrainPattern::kBBursts:
      return "Bb";
    case TrainPattern::kC:
      return "C";
  }
  return "unknown";
}

absl::StatusOr<TrainPatternDetector> TrainPatternDetector::Create(
    const TrainPatternOptions& options) {
  if (!(options.sample_rate_hz >= 1000.0 && options.sample_rate_hz <= 100000.0)) {
    return OutOfRange("sample_rate_hz", options.sample_rate_hz, "1000 to 100000");
  }
  if (!(options.a_from_hz > TrainPatternOptions::kSlowestHz &&
        options.a_from_hz < options.a_to_hz &&
        options.a_to_hz < TrainPatternOptions::kFastestHz)) {
    return OutOfRange("a_from_hz", options.a_from_hz, "over 40, and below a_to_hz, that below 400");
  }
  if (!(options.b_from_hz >= 1.0 && options.b_from_hz < options.b_to_hz &&
        options.b_to_hz <= 60.0)) {
    return OutOfRange("b_from_hz", options.b_from_hz, "1 or more, and below b_to_hz, that to 60");
  }
  const struct {
    const char* name;
    double value;
    double most;
  } positives[] = {
      {"threshold_over_floor", options.threshold_over_floor, 1000.0},
      {"a_strength", options.a_strength, 1.0},
      {"a_max_uv", options.a_max_uv, 1e6},
      {"a_min_ms", options.a_min_ms, 10000.0},
      {"c_min_ms", options.c_min_ms, 2000.0},
      {"c_occupancy", options.c_occupancy, 1.0},
      {"broad_hz", options.broad_hz, 1e6},
      {"max_uv", options.max_uv, 1e9},
      {"artefact_tail_ms", options.artefact_tail_ms, 10000.0},
  };
  for (const auto& option : positives) {
    if (!(option.value > 0.0 && option.value <= option.most)) {
      return absl::InvalidArgumentError(absl::StrCat(
          option.name, " ", option.value, ": must be positive and at most ", option.most));
    }
  }
  return TrainPatternDetector(options);
}

}  // namespace remora::dsp
