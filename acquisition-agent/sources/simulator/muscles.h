// The muscles that the simulator knows: their region, their roots, and how they answer. Latencies
// of muscles are those of the onset: where the response has come to 5 % of its height.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace remora::agent::sim {

enum class Region { kFace, kLarynx, kNeck, kArm, kTrunk, kLeg };

// Roots count down the cord: C1 is 1, T1 9, L1 21, S1 26, S5 30. Cranial nerves are below 1.
inline constexpr int kFacialRoot = 0;
inline constexpr int kVagusRoot = -1;
inline constexpr int kOtherCranialRoot = -2;
inline constexpr int kLastRoot = 30;

struct Muscle {
  absl::string_view label;
  Region region;
  int root;  // the one that counts most
  int first_root;
  int last_root;
  double mep_uv;   // peak to peak, of a train well above threshold
  double mep_ms;   // from the train's first pulse
  double cmap_ms;  // from a stimulus at its root or nerve in the field
  bool distal;     // of hand or foot: what a train-of-four at wrist or ankle moves
};

std::span<const Muscle> Muscles();

// By a channel's label, with or without its side; nullptr: no muscle.
const Muscle* FindMuscle(absl::string_view label);

// "L4", "S1", "T10", "facial".
std::optional<int> FindRoot(absl::string_view name);
std::string RootName(int root);

}  // namespace remora::agent::sim
