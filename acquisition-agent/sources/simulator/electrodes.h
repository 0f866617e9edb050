// Which electrodes and muscles the simulator knows, and what part of each evoked component they
// see.
//
// The components are the site's table of synthetic responses: amplitude, peak latency and width at
// half height. A channel is one electrode against a quiet common reference (a pair, for muscles),
// so that the derivations of a montage give the table's values: CP3-Fz the N20 of the right median
// nerve, CPz-FPz the P37 of a tibial nerve.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace remora::agent::sim {

enum class Nerve { kMedian, kTibial, kUlnar };
enum class Side { kLeft, kRight };
enum class Level { kPeripheral, kSubcortical, kCortical };

// A Gaussian wave after each stimulus of a nerve.
struct Component {
  absl::string_view name;  // "N20"
  Nerve nerve;
  Level level;
  double amplitude_uv;  // signed: positive up
  double latency_ms;
  double width_ms;  // full width at half maximum
};
std::span<const Component> Components();

enum class SiteKind { kScalp, kNeck, kNerve, kMuscle, kHeart, kEpidural, kStrip };

struct Site {
  std::string label;
  SiteKind kind = SiteKind::kScalp;
  std::optional<Side>
      side;  // of the body; none on the midline or where the label leaves it open ("EPi")
};

// "CP3", "C3'", "Erb L", "TA R", "DW caudal", "G3". Without regard to case; "FPZ" gives "FPz".
// Empty if the simulator does not know it.
std::optional<Site> FindSite(absl::string_view label);

// Every label FindSite knows, muscles without their side; for messages and suggestions.
std::vector<std::string> KnownSites();

// The part of `component` at `site` when the nerve of `side` is stimulated; 0 if it is not seen
// there.
double Projection(const Component& component, const Site& site, Side side);

// Contacts of a strip are "G1" to this.
inline constexpr int kStripContacts = 8;
// The number of a contact "G3", from 1; 0 if it is none.
int StripContact(absl::string_view label);

// "MED R": what a stimulus is called on its trigger.
std::string StimulusLabel(Nerve nerve, Side side);

}  // namespace remora::agent::sim
