#include "acquisition-agent/sources/simulator/stimulator.h"

#include "absl/strings/str_cat.h"

namespace remora::agent::sim {
namespace {

absl::string_view RegionWord(Region region) {
  switch (region) {
    case Region::kFace:
      return "face";
    case Region::kLarynx:
      return "larynx";
    case Region::kNeck:
      return "neck";
    case Region::kArm:
      return "arm";
    case Region::kTrunk:
      return "trunk";
    case Region::kLeg:
      return "leg";
  }
  return "";
}

}  // namespace

absl::string_view SideLetter(Side side) { return side == Side::kLeft ? "L" : "R"; }

std::string StimulusSite(const Stimulator& stimulator, int64_t number) {
  switch (stimulator.kind) {
    case StimulusKind::kMep:
    case StimulusKind::kDcs:
      return stimulator.site;
    case StimulusKind::kScrew:
    case StimulusKind::kNerve:
      return absl::StrCat(RootName(stimulator.root), " ", SideLetter(stimulator.side));
    case StimulusKind::kSubcortical:
      return absl::StrCat(RegionWord(stimulator.region), " ", SideLetter(stimulator.side));
    case StimulusKind::kMidline:
      return absl::StrCat("contact ", number % stimulator.contacts + 1);
    default:
      return "";
  }
}

std::string StimulusLabel(const Stimulator& stimulator, int64_t number) {
  const std::string site = StimulusSite(stimulator, number);
  switch (stimulator.kind) {
    case StimulusKind::kSep:
      return StimulusLabel(stimulator.nerve, stimulator.side);
    case StimulusKind::kMep:
      return absl::StrCat("MEP ", site);
    case StimulusKind::kDwave:
      return "DWAVE";
    case StimulusKind::kTof:
      return absl::StrCat("TOF ", SideLetter(stimulator.side),
                          stimulator.region == Region::kArm ? " hand" : " foot");
    case StimulusKind::kScrew:
      return absl::StrCat("SCREW ", site);
    case StimulusKind::kNerve:
      return absl::StrCat("DNS ", site);
    case StimulusKind::kRln:
      return absl::StrCat("RLN ", SideLetter(stimulator.side));
    case StimulusKind::kVagus:
      return absl::StrCat("VAGUS ", SideLetter(stimulator.side));
    case StimulusKind::kBaep:
      return absl::StrCat("BAEP ", SideLetter(stimulator.side));
    case StimulusKind::kVep:
      return absl::StrCat("VEP ", SideLetter(stimulator.side));
    case StimulusKind::kDcs:
      return absl::StrCat("DCS ", site);
    case StimulusKind::kSubcortical:
      return absl::StrCat("SUBCORTICAL ", site);
    case StimulusKind::kMidline:
      return absl::StrCat("MIDLINE ", site);
  }
  return "";
}

}  // namespace remora::agent::sim
