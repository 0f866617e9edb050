#include "acquisition-agent/plan/limbs.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace remora::agent {
namespace {

struct NamedMuscle {
  absl::string_view name;  // in lower case; a derivation begins with it
  LimbKind kind;
};

// Longer names first where one begins with another.
constexpr std::array<NamedMuscle, 37> kUsualMuscles = {{
    {"deltoid", LimbKind::kArm},
    {"biceps femoris", LimbKind::kLeg},
    {"biceps", LimbKind::kArm},
    {"triceps surae", LimbKind::kLeg},
    {"triceps", LimbKind::kArm},
    {"brachioradialis", LimbKind::kArm},
    {"ecr", LimbKind::kArm},
    {"fcr", LimbKind::kArm},
    {"apb", LimbKind::kArm},
    {"adm", LimbKind::kArm},
    {"fdi", LimbKind::kArm},
    {"thenar", LimbKind::kArm},
    {"hypothenar", LimbKind::kArm},
    {"trapezius", LimbKind::kArm},
    {"intercostal", LimbKind::kTrunk},
    {"rectus abdominis", LimbKind::kTrunk},
    {"iliopsoas", LimbKind::kLeg},
    {"adductor", LimbKind::kLeg},
    {"quadriceps", LimbKind::kLeg},
    {"vastus", LimbKind::kLeg},
    {"rectus femoris", LimbKind::kLeg},
    {"hamstrings", LimbKind::kLeg},
    {"tibialis", LimbKind::kLeg},
    {"ta", LimbKind::kLeg},
    {"ehl", LimbKind::kLeg},
    {"gastrocnemius", LimbKind::kLeg},
    {"gc", LimbKind::kLeg},
    {"soleus", LimbKind::kLeg},
    {"ah", LimbKind::kLeg},
    {"edb", LimbKind::kLeg},
    {"sphincter", LimbKind::kLeg},
    {"eas", LimbKind::kLeg},
    {"orbicularis", LimbKind::kFace},
    {"oor", LimbKind::kFace},
    {"ooc", LimbKind::kFace},
    {"mentalis", LimbKind::kFace},
    {"masseter", LimbKind::kFace},
}};

// "L4-L5", "C8": by the first root.
LimbKind KindOfRoots(absl::string_view roots) {
  if (roots.empty()) return LimbKind::kUnknown;
  const char letter = absl::ascii_toupper(static_cast<unsigned char>(roots[0]));
  const int number = std::atoi(std::string(roots.substr(1)).c_str());
  if (number == 0) {
    const bool is_cranial = roots.find_first_not_of("IVX-, ") == absl::string_view::npos;
    return is_cranial ? LimbKind::kFace : LimbKind::kUnknown;
  }
  switch (letter) {
    case 'C':
      return LimbKind::kArm;
    case 'T':
      return number == 1 ? LimbKind::kArm : LimbKind::kTrunk;
    case 'L':
    case 'S':
      return LimbKind::kLeg;
    default:
      return LimbKind::kUnknown;
  }
}

// "TA L": the name, and nothing more of the same word.
bool BeginsWithWord(absl::string_view text, absl::string_view word) {
  return absl::StartsWith(text, word) &&
         (text.size() == word.size() || !absl::ascii_isalpha(text[word.size()]));
}

LimbKind KindOfName(absl::string_view derivation) {
  const std::string lower = absl::AsciiStrToLower(derivation);
  for (const NamedMuscle& known : kUsualMuscles) {
    if (BeginsWithWord(lower, known.name)) return known.kind;
  }
  // "T10 R": a muscle that is named by its root.
  return KindOfRoots(derivation);
}

absl::string_view NounOf(LimbKind kind) {
  switch (kind) {
    case LimbKind::kArm:
      return "arm";
    case LimbKind::kTrunk:
      return "trunk";
    case LimbKind::kLeg:
      return "leg";
    case LimbKind::kFace:
      return "face";
    case LimbKind::kUnknown:
      break;
  }
  return "side";
}

}  // namespace

LimbKind LimbKindOf(const v1::MusclePlan& muscle) {
  const LimbKind by_roots = KindOfRoots(muscle.myotome());
  return by_roots != LimbKind::kUnknown ? by_roots : KindOfName(muscle.derivation());
}

std::string LimbOf(const v1::MusclePlan& muscle) {
  if (!muscle.limb().empty()) return muscle.limb();
  const absl::string_view noun = NounOf(LimbKindOf(muscle));
  if (muscle.side() == v1::SIDE_LEFT) return absl::StrCat("left ", noun);
  if (muscle.side() == v1::SIDE_RIGHT) return absl::StrCat("right ", noun);
  return std::string(noun);
}

std::vector<PlannedLimb> LimbsOf(const v1::MotorPlan& plan) {
  std::vector<PlannedLimb> limbs;
  for (int i = 0; i < plan.muscle_size(); ++i) {
    const v1::MusclePlan& muscle = plan.muscle(i);
    const std::string name = LimbOf(muscle);
    auto limb = std::find_if(limbs.begin(), limbs.end(),
                             [&](const PlannedLimb& one) { return one.name == name; });
    if (limb == limbs.end()) {
      limb = limbs.insert(limbs.end(), {name, LimbKindOf(muscle), muscle.side(), {}});
    }
    if (limb->side != muscle.side()) limb->side = v1::SIDE_UNSPECIFIED;
    if (limb->kind != LimbKindOf(muscle)) limb->kind = LimbKind::kUnknown;
    limb->muscles.push_back(static_cast<size_t>(i));
  }
  return limbs;
}

}  // namespace remora::agent
