// What an ArtefactClassifier may be told, and what its verdicts are called.
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsp/emg/artefact_class.h"

namespace remora::dsp {

const char* NonMuscleName(NonMuscle kind) {
  static constexpr const char* kNames[kNonMuscleKinds] = {"none",  "stimulus", "diathermy",
                                                          "mains", "drill",    "all muscles"};
  const auto index = static_cast<std::size_t>(kind);
  return index < kNonMuscleKinds ? kNames[index] : "unknown";
}

std::uint32_t HintsOf(NonMuscle kind) {
  switch (kind) {
    case NonMuscle::kStimulus:
      return kArtefactStimulus;
    case NonMuscle::kDiathermy:
    case NonMuscle::kDrill:
      return kArtefactDiathermy;
    case NonMuscle::kMains:
      return kArtefactMains;
    default:
      return kNoArtefact;
  }
}

absl::StatusOr<ArtefactClassifier> ArtefactClassifier::Create(const ArtefactClassOptions& options) {
  if (!(options.sample_rate_hz >= 1000.0 && options.sample_rate_hz <= 100000.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate_hz ", options.sample_rate_hz, ": must be 1000 to 100000"));
  }
  if (!(options.mains_hz >= 0.0 && options.mains_hz <= 400.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("mains_hz ", options.mains_hz, ": must be 0 to 400"));
  }
  if (!(options.band_to_hz >= 200.0 && options.band_to_hz <= 1e6) ||
      !(options.broad_hz > 40.0 && options.broad_hz <= 1e6)) {
    return absl::InvalidArgumentError("band_to_hz must be 200 or more, broad_hz over 40");
  }
  return ArtefactClassifier(options);
}

}  // namespace remora::dsp
