// What an ArtefactClassifier may be told, what its verdicts are called and whom they are about.
#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsp/emg/artefact_class.h"

namespace remora::dsp {
namespace {

// What fewer channels have is not of all, be they half of them.
constexpr std::size_t kLeastOfAll = 2;

}  // namespace

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

ArtefactVerdict ArtefactVerdict::Of(std::size_t channel) const {
  const auto own = std::find_if(alone.begin(), alone.end(),
                                [&](const Alone& one) { return one.channel == channel; });
  ArtefactVerdict verdict;
  verdict.active = active;
  verdict.kind = own == alone.end() ? kind : own->kind;
  verdict.channels = own == alone.end() ? channels : 1;
  verdict.reasons = own == alone.end() ? reasons : own->reasons;
  return verdict;
}

double ArtefactClassifier::BroadHz() const {
  return std::min(options_.broad_hz, 0.22 * options_.sample_rate_hz);
}

std::size_t ArtefactClassifier::Active() const {
  return static_cast<std::size_t>(std::count_if(
      channels_.begin(), channels_.end(), [](const Channel& channel) { return channel.active; }));
}

bool ArtefactClassifier::IsOfAll(const std::vector<std::size_t>& channels) const {
  return channels.size() >= kLeastOfAll && 2 * channels.size() >= judged_;
}

void ArtefactClassifier::LeaveOut(const Suspects& suspects, NonMuscle kind,
                                  ArtefactVerdict& verdict) {
  ArtefactVerdict told;
  Tell(suspects, kind, told);
  for (const std::size_t channel : suspects.channels) {
    channels_[channel].active = false;
    verdict.alone.push_back({channel, kind, told.reasons});
  }
}

void ArtefactClassifier::Tell(const Suspects& suspects, NonMuscle kind,
                              ArtefactVerdict& verdict) const {
  verdict.kind = kind;
  verdict.channels = suspects.channels.size();
  verdict.reasons = {absl::StrCat(verdict.channels, " of ", judged_, " channels")};
  verdict.reasons.insert(verdict.reasons.end(), suspects.reasons.begin(), suspects.reasons.end());
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
