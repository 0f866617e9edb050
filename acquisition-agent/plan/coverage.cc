#include "acquisition-agent/plan/coverage.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/plan/criteria_rows.h"
#include "acquisition-agent/plan/limbs.h"

namespace remora::agent {
namespace {

constexpr char kUpdate[] = "BASS/SBNS clinical management update on IONM";
constexpr char kScrews[] =
    "Necessity review citing spontaneous EMG that missed three malpositioned screws";
constexpr char kOwn[] = "Remora's own";

bool IsSep(v1::Modality modality) {
  return modality == v1::MODALITY_SEP_UPPER || modality == v1::MODALITY_SEP_LOWER ||
         modality == v1::MODALITY_SEP_DERMATOMAL;
}

bool IsMep(v1::Modality modality) {
  return modality == v1::MODALITY_MEP_TRANSCRANIAL || modality == v1::MODALITY_MEP_DIRECT_CORTICAL;
}

bool IsLarynx(v1::Modality modality) {
  return modality == v1::MODALITY_RLN_INTERMITTENT || modality == v1::MODALITY_RLN_CONTINUOUS;
}

bool IsOfTheCord(v1::ProcedureKind kind) {
  return kind == v1::PROCEDURE_KIND_SPINAL_DEFORMITY || kind == v1::PROCEDURE_KIND_SPINAL_CORD ||
         kind == v1::PROCEDURE_KIND_INTRAMEDULLARY_TUMOUR || kind == v1::PROCEDURE_KIND_AORTA;
}

// Goes through a plan once for each question.
class Coverage {
 public:
  explicit Coverage(const CasePlan& plan) : plan_(plan), all_(plan.plan) {
    for (const v1::EvokedPlan& evoked : all_.evoked()) modalities_.insert(evoked.modality());
    for (const v1::MotorPlan& motor : all_.motor()) modalities_.insert(motor.modality());
  }

  std::vector<v1::CoverageGap> Find() {
    LookAtCord();
    LookAtModalities();
    LookAtSides();
    LookAtLevels();
    LookAtControls();
    LookAtCriteria();
    return std::move(gaps_);
  }

 private:
  template <typename Predicate>
  bool Has(Predicate predicate) const {
    return std::any_of(modalities_.begin(), modalities_.end(), predicate);
  }
  bool Has(v1::Modality modality) const { return modalities_.count(modality) > 0; }

  void Add(const char* key, const std::string& words, const char* source,
           v1::Modality modality = v1::MODALITY_UNSPECIFIED, v1::Side side = v1::SIDE_UNSPECIFIED) {
    v1::CoverageGap& gap = gaps_.emplace_back();
    gap.set_key(key);
    gap.set_words(words);
    gap.set_source(source);
    gap.set_modality(modality);
    gap.set_side(side);
  }

  void LookAtCord() {
    if (all_.procedure_kind() == v1::PROCEDURE_KIND_UNSPECIFIED) {
      Add("procedure_kind",
          "The plan does not say what kind of operation it is: criteria, protocols and these "
          "checks "
          "are those of none",
          kOwn);
    }
    if (!IsOfTheCord(all_.procedure_kind())) return;
    const bool sep = Has(IsSep);
    const bool mep = Has(IsMep);
    if (!mep) {
      Add("cord_single_modality",
          "No motor evoked responses: an injury of the anterior cord alone would not be seen",
          kUpdate, v1::MODALITY_MEP_TRANSCRANIAL);
    }
    if (!sep) {
      Add("cord_single_modality",
          "No somatosensory responses: an injury of the dorsal cord alone would not be seen",
          kUpdate, v1::MODALITY_SEP_LOWER);
    }
    if (all_.procedure_kind() == v1::PROCEDURE_KIND_INTRAMEDULLARY_TUMOUR &&
        !Has(v1::MODALITY_D_WAVE)) {
      Add("d_wave",
          "No D-wave in an intramedullary tumour: lost muscle responses alone do not tell a "
          "passing "
          "deficit from a lasting one",
          kUpdate, v1::MODALITY_D_WAVE);
    }
    if (RootNumber(all_.operated_from(), false) == 0) {
      Add("operated_level",
          "The operated levels are not named (operated_from, operated_to): what is above and below "
          "is not checked",
          kOwn);
    }
  }

  void LookAtModalities() {
    const bool muscles_run_free = all_.emg_size() > 0;
    if (Has(IsMep) && !Has(IsSep) && !muscles_run_free) {
      Add("mep_alone",
          "Motor evoked responses alone: best with somatosensory responses and free-running EMG",
          kUpdate);
    }
    if (all_.sets_screws() && !Has(v1::MODALITY_PEDICLE_SCREW) &&
        !Has(v1::MODALITY_EMG_TRIGGERED)) {
      Add("screws_without_triggered_emg",
          "Screws without triggered EMG: a wall that is breached may stay silent in free-running "
          "EMG",
          kScrews, v1::MODALITY_PEDICLE_SCREW);
    }
    if (all_.procedure_kind() == v1::PROCEDURE_KIND_THYROID && !Has(IsLarynx)) {
      Add("larynx", "A thyroid operation without laryngeal EMG: the recurrent nerve is not seen",
          kOwn, v1::MODALITY_RLN_INTERMITTENT);
    }
    if (all_.procedure_kind() == v1::PROCEDURE_KIND_CAROTID && all_.eeg_size() == 0 &&
        !Has(IsSep)) {
      Add("hemisphere", "A clamped carotid without EEG or SEP: the hemisphere is not seen", kOwn,
          v1::MODALITY_EEG);
    }
    const bool needs_relaxation = Has(IsMep) || Has(IsLarynx) || muscles_run_free;
    if (needs_relaxation && all_.train_of_four_size() == 0) {
      Add("train_of_four",
          "No train-of-four: a relaxant cannot be told from a loss, unless a person counts "
          "twitches",
          kUpdate, v1::MODALITY_TRAIN_OF_FOUR);
    }
  }

  void LookAtSides() {
    for (const bool motor : {false, true}) {
      std::set<v1::Side> sides;
      v1::Modality modality = v1::MODALITY_UNSPECIFIED;
      for (const v1::EvokedPlan& evoked : all_.evoked()) {
        if (motor || !IsSep(evoked.modality())) continue;
        sides.insert(evoked.side());
        modality = evoked.modality();
      }
      for (const v1::MotorPlan& entry : all_.motor()) {
        if (!motor || !IsMep(entry.modality())) continue;
        for (const v1::MusclePlan& muscle : entry.muscle()) sides.insert(muscle.side());
        modality = entry.modality();
      }
      const bool left = sides.count(v1::SIDE_LEFT) > 0;
      const bool right = sides.count(v1::SIDE_RIGHT) > 0;
      if (left == right) continue;
      Add("bilateral_pair",
          absl::StrCat("No ", left ? "right" : "left", " side of ",
                       motor ? "motor evoked" : "somatosensory",
                       " responses: what is of one side cannot be told from what is of both"),
          kUpdate, modality, left ? v1::SIDE_RIGHT : v1::SIDE_LEFT);
    }
  }

  // Roles that the plan gives, against the roots of the muscles.
  void LookAtLevels() {
    if (!IsOfTheCord(all_.procedure_kind())) return;
    const int level = RootNumber(all_.operated_from(), false);
    if (level == 0) return;
    for (const v1::MotorPlan& entry : all_.motor()) {
      if (!IsMep(entry.modality())) continue;
      for (const v1::MusclePlan& muscle : entry.muscle()) LookAtMuscle(muscle, level);
    }
    constexpr int kT1 = 9;
    const bool above_by_median = level > kT1;
    for (const v1::EvokedPlan& evoked : all_.evoked()) {
      if (evoked.modality() != v1::MODALITY_SEP_UPPER || above_by_median) continue;
      if (evoked.level_role() != v1::LEVEL_ROLE_ABOVE) continue;
      Add("level_mismatch",
          absl::StrCat(TraceId(evoked.modality(), evoked.side(), evoked.derivation()),
                       ": nerves of the arm enter at or below ", all_.operated_from(),
                       ", and are no control from above"),
          kUpdate, evoked.modality(), evoked.side());
    }
  }

  void LookAtMuscle(const v1::MusclePlan& muscle, int level) {
    const int first = RootNumber(muscle.myotome(), false);
    const int last = RootNumber(muscle.myotome(), true);
    if (first == 0) return;
    const bool is_below_called_above =
        muscle.level_role() == v1::LEVEL_ROLE_ABOVE && first >= level;
    const bool is_above_called_below = muscle.level_role() == v1::LEVEL_ROLE_BELOW && last < level;
    if (!is_below_called_above && !is_above_called_below) return;
    Add("level_mismatch",
        absl::StrCat(muscle.derivation(), " (", muscle.myotome(), ") is called ",
                     is_below_called_above ? "above" : "below", " the operated level, and lies ",
                     is_below_called_above ? "at or below " : "above ", all_.operated_from()),
        kOwn, v1::MODALITY_MEP_TRANSCRANIAL, muscle.side());
  }

  bool HasRole(bool motor, v1::LevelRole role) const {
    for (const v1::EvokedPlan& evoked : all_.evoked()) {
      if (!motor && IsSep(evoked.modality()) && evoked.level_role() == role) return true;
    }
    for (const v1::MotorPlan& entry : all_.motor()) {
      if (!motor || !IsMep(entry.modality())) continue;
      for (const v1::MusclePlan& muscle : entry.muscle()) {
        if (muscle.level_role() == role) return true;
      }
    }
    return false;
  }

  void LookAtControls() {
    for (const bool motor : {false, true}) {
      if (motor ? !Has(IsMep) : !Has(IsSep)) continue;
      const char* what = motor ? "motor evoked" : "somatosensory";
      const v1::Modality modality = motor ? v1::MODALITY_MEP_TRANSCRANIAL : v1::MODALITY_SEP_UPPER;
      if (IsOfTheCord(all_.procedure_kind()) && !HasRole(motor, v1::LEVEL_ROLE_ABOVE) &&
          !HasRole(motor, v1::LEVEL_ROLE_SYSTEMIC_CONTROL)) {
        Add("above_level_control",
            absl::StrCat("No ", what,
                         " response from above the operated level: anaesthesia, pressure or a "
                         "relaxant look like an injury of the cord"),
            kUpdate, modality);
      }
      if (IsOfTheCord(all_.procedure_kind()) && !HasRole(motor, v1::LEVEL_ROLE_BELOW)) {
        Add("below_level",
            absl::StrCat("No ", what,
                         " response from below the operated level: the cord is not seen"),
            kUpdate, modality);
      }
    }
    if (Has(IsSep) && !HasRole(/*motor=*/false, v1::LEVEL_ROLE_PERIPHERAL_CONTROL)) {
      Add("peripheral_control",
          "No peripheral control of somatosensory responses (Erb's point, popliteal fossa): a "
          "stimulus "
          "that fails, or a limb that is pressed on, looks like an injury",
          kUpdate, v1::MODALITY_SEP_UPPER);
    }
  }

  void LookAtCriteria() {
    for (const v1::EvokedPlan& evoked : all_.evoked()) {
      if (evoked.level_role() == v1::LEVEL_ROLE_PERIPHERAL_CONTROL || !evoked.criterion().empty()) {
        continue;
      }
      AddUnjudged(TraceId(evoked.modality(), evoked.side(), evoked.derivation()),
                  evoked.modality());
    }
    for (const v1::MotorPlan& entry : all_.motor()) {
      if (!IsMep(entry.modality())) continue;
      if (!RowsFor(plan_, entry.criterion(), entry.modality()).empty()) continue;
      for (const PlannedLimb& limb : LimbsOf(entry)) {
        if (entry.muscle(static_cast<int>(limb.muscles[0])).criterion().empty()) {
          AddUnjudged(absl::StrCat("Motor evoked responses of the ", limb.name), entry.modality());
        }
      }
    }
  }

  void AddUnjudged(const std::string& what, v1::Modality modality) {
    Add("no_criterion", absl::StrCat(what, ": shown, and judged by no criterion"), kOwn, modality);
  }

  const CasePlan& plan_;
  const v1::Plan& all_;
  std::set<v1::Modality> modalities_;
  std::vector<v1::CoverageGap> gaps_;
};

}  // namespace

int RootNumber(absl::string_view roots, bool last) {
  const size_t dash = roots.rfind('-');
  absl::string_view one = dash == absl::string_view::npos ? roots
                          : last                          ? roots.substr(dash + 1)
                                                          : roots.substr(0, dash);
  one = absl::StripAsciiWhitespace(one);
  if (one.size() < 2) return 0;
  const int number = std::atoi(std::string(one.substr(1)).c_str());
  const auto within = [&](int most) { return number >= 1 && number <= most; };
  switch (absl::ascii_toupper(static_cast<unsigned char>(one[0]))) {
    case 'C':
      return within(8) ? number : 0;
    case 'T':
      return within(12) ? 8 + number : 0;
    case 'L':
      return within(5) ? 20 + number : 0;
    case 'S':
      return within(5) ? 25 + number : 0;
    default:
      return 0;
  }
}

std::vector<v1::CoverageGap> CoverageGapsOf(const CasePlan& plan) { return Coverage(plan).Find(); }

}  // namespace remora::agent
