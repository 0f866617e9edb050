#include "acquisition-agent/sources/simulator/muscles.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace remora::agent::sim {
namespace {

constexpr int kC = 0, kT = 8, kL = 20, kS = 25;  // before the first root of each part

constexpr std::array<Muscle, 40> kMuscles = {{
    {"OOc", Region::kFace, kFacialRoot, 0, 0, 120, 11, 3.5, false},
    {"OOr", Region::kFace, kFacialRoot, 0, 0, 150, 12, 4, false},
    {"Mentalis", Region::kFace, kFacialRoot, 0, 0, 180, 12.5, 4.5, false},
    {"Frontalis", Region::kFace, kFacialRoot, 0, 0, 90, 11, 3.5, false},
    {"Masseter", Region::kFace, kOtherCranialRoot, -2, -2, 120, 8, 3, false},
    {"Tongue", Region::kFace, kOtherCranialRoot, -2, -2, 200, 10, 3, false},
    {"VOC", Region::kLarynx, kVagusRoot, -1, -1, 150, 12, 3.1, false},
    {"Vocalis", Region::kLarynx, kVagusRoot, -1, -1, 150, 12, 3.1, false},
    {"CT", Region::kLarynx, kVagusRoot, -1, -1, 100, 11.5, 3.1, false},
    {"SCM", Region::kNeck, kOtherCranialRoot, -2, -2, 150, 11, 4, false},
    {"Trapezius", Region::kNeck, kOtherCranialRoot, -2, -2, 200, 12, 4, false},
    {"Deltoid", Region::kArm, kC + 5, kC + 5, kC + 6, 300, 14, 5, false},
    {"Biceps", Region::kArm, kC + 6, kC + 5, kC + 6, 350, 15, 6, false},
    {"ECR", Region::kArm, kC + 6, kC + 6, kC + 7, 350, 18, 8, false},
    {"EXT", Region::kArm, kC + 7, kC + 6, kC + 7, 400, 18.5, 8.5, false},
    {"Triceps", Region::kArm, kC + 7, kC + 7, kC + 8, 300, 16, 6, false},
    {"FCU", Region::kArm, kC + 8, kC + 8, kT + 1, 300, 18, 8, false},
    {"APB", Region::kArm, kC + 8, kC + 8, kT + 1, 800, 22, 13, true},
    {"ADM", Region::kArm, kC + 8, kC + 8, kT + 1, 700, 22, 13, true},
    {"FDI", Region::kArm, kT + 1, kC + 8, kT + 1, 750, 22.5, 13.5, true},
    {"ICM", Region::kTrunk, kT + 6, kT + 2, kT + 11, 80, 16, 3, false},
    {"Rectus", Region::kTrunk, kT + 9, kT + 6, kT + 12, 100, 20, 5, false},
    {"T6", Region::kTrunk, kT + 6, kT + 6, kT + 6, 80, 18, 4, false},
    {"T8", Region::kTrunk, kT + 8, kT + 8, kT + 8, 80, 19, 4.5, false},
    {"T10", Region::kTrunk, kT + 10, kT + 10, kT + 10, 80, 20, 5, false},
    {"T12", Region::kTrunk, kT + 12, kT + 12, kT + 12, 80, 21, 5, false},
    {"Iliopsoas", Region::kLeg, kL + 2, kL + 1, kL + 2, 120, 24, 5, false},
    {"Adductor", Region::kLeg, kL + 3, kL + 2, kL + 3, 180, 25, 7, false},
    {"Gracilis", Region::kLeg, kL + 3, kL + 2, kL + 3, 150, 26, 7, false},
    {"Quadriceps", Region::kLeg, kL + 4, kL + 3, kL + 4, 200, 27, 8, false},
    {"VM", Region::kLeg, kL + 4, kL + 3, kL + 4, 200, 27.5, 8.5, false},
    {"VL", Region::kLeg, kL + 4, kL + 3, kL + 4, 200, 27.5, 8.5, false},
    {"TA", Region::kLeg, kL + 5, kL + 4, kL + 5, 350, 33, 13, false},
    {"EHL", Region::kLeg, kL + 5, kL + 5, kL + 5, 200, 37, 15, false},
    {"Hamstrings", Region::kLeg, kS + 1, kL + 5, kS + 2, 200, 30, 10, false},
    {"GC", Region::kLeg, kS + 1, kS + 1, kS + 2, 250, 34, 14, false},
    {"Gastrocnemius", Region::kLeg, kS + 1, kS + 1, kS + 2, 250, 34, 14, false},
    {"AH", Region::kLeg, kS + 2, kS + 1, kS + 2, 300, 40, 20, true},
    {"Sphincter", Region::kLeg, kS + 3, kS + 2, kS + 4, 80, 32, 7, false},
    {"EAS", Region::kLeg, kS + 3, kS + 2, kS + 4, 80, 32, 7, false},
}};

struct CordPart {
  char letter;
  int before;
  int count;
};
constexpr std::array<CordPart, 4> kParts = {
    {{'C', kC, 8}, {'T', kT, 12}, {'L', kL, 5}, {'S', kS, 5}}};

}  // namespace

std::span<const Muscle> Muscles() { return kMuscles; }

const Muscle* FindMuscle(absl::string_view label) {
  if (absl::EndsWith(label, " L") || absl::EndsWith(label, " R")) {
    label = label.substr(0, label.size() - 2);
  }
  for (const Muscle& muscle : kMuscles) {
    if (absl::EqualsIgnoreCase(muscle.label, label)) return &muscle;
  }
  return nullptr;
}

std::optional<int> FindRoot(absl::string_view name) {
  if (absl::EqualsIgnoreCase(name, "facial")) return kFacialRoot;
  if (name.size() < 2 || name.size() > 3) return std::nullopt;
  for (const CordPart& part : kParts) {
    int number = 0;
    if ((name[0] | 0x20) != (part.letter | 0x20)) continue;
    if (!absl::SimpleAtoi(name.substr(1), &number)) return std::nullopt;
    if (number >= 1 && number <= part.count) return part.before + number;
  }
  return std::nullopt;
}

std::string RootName(int root) {
  if (root == kFacialRoot) return "facial";
  for (const CordPart& part : kParts) {
    if (root > part.before && root <= part.before + part.count) {
      return absl::StrCat(std::string(1, part.letter), root - part.before);
    }
  }
  return "cranial";
}

}  // namespace remora::agent::sim
