// Which muscles of an entry are judged together: those of one limb. Pure functions.
//
// A muscle's plan may name its limb. Otherwise its side and roots do: C4 to T1 the arm, T2 to T12
// the trunk, L1 and below the leg, cranial nerves (roman numerals) the face; without roots, the
// usual names of muscles. What none of them tells is a group of its own side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "remora/v1/plan.pb.h"

namespace remora::agent {

enum class LimbKind : std::uint8_t { kUnknown, kArm, kTrunk, kLeg, kFace };

LimbKind LimbKindOf(const v1::MusclePlan& muscle);
// For people: "left leg", "right arm", "left side".
std::string LimbOf(const v1::MusclePlan& muscle);

struct PlannedLimb {
  std::string name;
  LimbKind kind = LimbKind::kUnknown;
  v1::Side side = v1::SIDE_UNSPECIFIED;  // UNSPECIFIED: of both
  std::vector<size_t> muscles;           // of the entry, by index
};

// Each muscle is in one, in the order of the plan.
std::vector<PlannedLimb> LimbsOf(const v1::MotorPlan& plan);

}  // namespace remora::agent
