#include "acquisition-agent/sources/simulator/electrodes.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/simulator/muscles.h"

namespace remora::agent::sim {
namespace {

constexpr std::array<Component, 14> kComponents = {{
    {"N9", Nerve::kMedian, Level::kPeripheral, -3.0, 9.5, 1.2},
    {"N13", Nerve::kMedian, Level::kSubcortical, -2.0, 13.2, 1.5},
    {"P14", Nerve::kMedian, Level::kSubcortical, 1.0, 14.5, 1.5},
    {"N20", Nerve::kMedian, Level::kCortical, -1.5, 19.5, 1.8},
    {"P25", Nerve::kMedian, Level::kCortical, 2.0, 24.0, 3.0},
    {"PF", Nerve::kTibial, Level::kPeripheral, -3.0, 8.5, 1.2},
    {"P31", Nerve::kTibial, Level::kSubcortical, 0.6, 31.0, 2.0},
    {"P37", Nerve::kTibial, Level::kCortical, 1.5, 38.0, 3.0},
    {"N45", Nerve::kTibial, Level::kCortical, -1.2, 46.0, 4.0},
    // The ulnar nerve's volley is smaller, and a little later everywhere.
    {"N9", Nerve::kUlnar, Level::kPeripheral, -2.2, 10.1, 1.2},
    {"N13", Nerve::kUlnar, Level::kSubcortical, -1.5, 13.9, 1.5},
    {"P14", Nerve::kUlnar, Level::kSubcortical, 0.8, 15.2, 1.5},
    {"N20", Nerve::kUlnar, Level::kCortical, -1.1, 20.2, 1.8},
    {"P25", Nerve::kUlnar, Level::kCortical, 1.5, 24.8, 3.0},
}};

// A scalp electrode: its side, and how much of the cortical response to a median nerve of the other
// side, of its own side, and to a tibial nerve of its own and of the other side it sees (the foot
// area's dipole points to the stimulated side).
struct ScalpSite {
  absl::string_view label;
  char side;  // 'L', 'R' or ' '
  double median_contralateral;
  double median_ipsilateral;
  double tibial_ipsilateral;
  double tibial_contralateral;
};

constexpr std::array<ScalpSite, 37> kScalp = {{
    {"CP3", 'L', 1, 0, 0.6, 0.1},    {"CP4", 'R', 1, 0, 0.6, 0.1},  {"C3'", 'L', 1, 0, 0.6, 0.1},
    {"C4'", 'R', 1, 0, 0.6, 0.1},    {"C3", 'L', 0.6, 0, 0.4, 0},   {"C4", 'R', 0.6, 0, 0.4, 0},
    {"P3", 'L', 0.6, 0, 0.4, 0.1},   {"P4", 'R', 0.6, 0, 0.4, 0.1}, {"CP1", 'L', 0.5, 0, 0.8, 0.3},
    {"CP2", 'R', 0.5, 0, 0.8, 0.3},  {"CP5", 'L', 0.7, 0, 0.2, 0},  {"CP6", 'R', 0.7, 0, 0.2, 0},
    {"CPz", ' ', 0.2, 0.2, 1, 1},    {"Cz'", ' ', 0.2, 0.2, 1, 1},  {"Cz", ' ', 0.2, 0.2, 0.8, 0.8},
    {"Pz", ' ', 0.1, 0.1, 0.7, 0.7}, {"Fz", ' ', 0, 0, 0, 0},       {"FPz", ' ', 0, 0, 0, 0},
    {"Fp1", 'L', 0, 0, 0, 0},        {"Fp2", 'R', 0, 0, 0, 0},      {"F3", 'L', 0, 0, 0, 0},
    {"F4", 'R', 0, 0, 0, 0},         {"F7", 'L', 0, 0, 0, 0},       {"F8", 'R', 0, 0, 0, 0},
    {"T3", 'L', 0, 0, 0, 0},         {"T4", 'R', 0, 0, 0, 0},       {"T5", 'L', 0, 0, 0, 0},
    {"T6", 'R', 0, 0, 0, 0},         {"O1", 'L', 0, 0, 0, 0},       {"O2", 'R', 0, 0, 0, 0},
    {"A1", 'L', 0, 0, 0, 0},         {"A2", 'R', 0, 0, 0, 0},       {"CPc", ' ', 1, 1, 0.1, 0.1},
    {"CPi", ' ', 0, 0, 0.6, 0.6},    {"Oz", ' ', 0, 0, 0, 0},       {"M1", 'L', 0, 0, 0, 0},
    {"M2", 'R', 0, 0, 0, 0},
}};

constexpr std::array<absl::string_view, 4> kNeck = {"Cv5", "C5S", "Cv7", "Cv"};
constexpr std::array<absl::string_view, 3> kErb = {"Erb", "EP", "EPi"};
constexpr std::array<absl::string_view, 2> kPopliteal = {"PF", "PFi"};
constexpr std::array<absl::string_view, 2> kEpidural = {"DW rostral", "DW caudal"};

const ScalpSite* FindScalp(absl::string_view label) {
  const auto it = std::find_if(kScalp.begin(), kScalp.end(), [&](const ScalpSite& s) {
    return absl::EqualsIgnoreCase(s.label, label);
  });
  return it == kScalp.end() ? nullptr : &*it;
}

std::optional<Side> SideOf(char letter) {
  if (letter == 'L') return Side::kLeft;
  if (letter == 'R') return Side::kRight;
  return std::nullopt;
}

template <size_t n>
std::optional<Site> FindIn(const std::array<absl::string_view, n>& labels, absl::string_view body,
                           absl::string_view ending, SiteKind kind) {
  for (const absl::string_view label : labels) {
    if (!absl::EqualsIgnoreCase(label, body)) continue;
    Site site{std::string(label), kind, std::nullopt};
    if (!ending.empty()) {
      site.side = SideOf(ending[0]);
      absl::StrAppend(&site.label, " ", ending);
    }
    return site;
  }
  return std::nullopt;
}

bool IsIn(std::span<const absl::string_view> labels, absl::string_view label) {
  const absl::string_view body = label.substr(0, label.find(' '));
  return std::find(labels.begin(), labels.end(), body) != labels.end();
}

}  // namespace

std::span<const Component> Components() { return kComponents; }

std::optional<Site> FindSite(absl::string_view label) {
  if (const ScalpSite* scalp = FindScalp(label)) {
    return Site{std::string(scalp->label), SiteKind::kScalp, SideOf(scalp->side)};
  }
  if (absl::EqualsIgnoreCase(label, "ECG")) return Site{"ECG", SiteKind::kHeart, std::nullopt};
  absl::string_view body = label;
  std::string ending;
  if (label.size() > 2 && label[label.size() - 2] == ' ') {
    if (absl::EndsWithIgnoreCase(label, " L")) ending = "L";
    if (absl::EndsWithIgnoreCase(label, " R")) ending = "R";
  }
  if (!ending.empty()) body = label.substr(0, label.size() - 2);
  if (ending.empty()) {
    if (std::optional<Site> neck = FindIn(kNeck, body, ending, SiteKind::kNeck)) return neck;
  }
  if (std::optional<Site> erb = FindIn(kErb, body, ending, SiteKind::kNerve)) return erb;
  if (std::optional<Site> popliteal = FindIn(kPopliteal, body, ending, SiteKind::kNerve))
    return popliteal;
  if (const Muscle* muscle = FindMuscle(body)) {
    const std::array<absl::string_view, 1> label_only = {muscle->label};
    return FindIn(label_only, body, ending, SiteKind::kMuscle);
  }
  if (std::optional<Site> epidural = FindIn(kEpidural, label, "", SiteKind::kEpidural))
    return epidural;
  if (const int contact = StripContact(label); contact > 0) {
    return Site{absl::StrCat("G", contact), SiteKind::kStrip, std::nullopt};
  }
  return std::nullopt;
}

int StripContact(absl::string_view label) {
  if (label.size() != 2 || (label[0] != 'G' && label[0] != 'g')) return 0;
  const int contact = label[1] - '0';
  return contact >= 1 && contact <= kStripContacts ? contact : 0;
}

std::vector<std::string> KnownSites() {
  std::vector<std::string> out;
  for (const ScalpSite& site : kScalp) out.emplace_back(site.label);
  for (const absl::string_view label : kNeck) out.emplace_back(label);
  for (const absl::string_view label : kErb) out.emplace_back(label);
  for (const absl::string_view label : kPopliteal) out.emplace_back(label);
  out.emplace_back("ECG");
  for (const absl::string_view label : kEpidural) out.emplace_back(label);
  for (int i = 1; i <= kStripContacts; ++i) out.push_back(absl::StrCat("G", i));
  for (const Muscle& muscle : Muscles()) out.emplace_back(muscle.label);
  return out;
}

double Projection(const Component& component, const Site& site, Side side) {
  const bool other_side = site.side && *site.side != side;
  switch (component.level) {
    case Level::kPeripheral:
      if (site.kind != SiteKind::kNerve || other_side) return 0;
      return component.nerve == Nerve::kTibial ? IsIn(kPopliteal, site.label)
                                               : IsIn(kErb, site.label);
    case Level::kSubcortical:
      // N13 and P14 at the neck; P31 is a far field, the same all over the scalp.
      if (component.nerve != Nerve::kTibial) return site.kind == SiteKind::kNeck ? 1 : 0;
      return site.kind == SiteKind::kScalp ? 1 : 0;
    case Level::kCortical: {
      if (site.kind != SiteKind::kScalp) return 0;
      const ScalpSite* scalp = FindScalp(site.label);
      if (scalp == nullptr) return 0;
      if (component.nerve != Nerve::kTibial) {
        return other_side ? scalp->median_contralateral
                          : (site.side ? scalp->median_ipsilateral : scalp->median_contralateral);
      }
      return other_side ? scalp->tibial_contralateral : scalp->tibial_ipsilateral;
    }
  }
  return 0;
}

std::string StimulusLabel(Nerve nerve, Side side) {
  const absl::string_view word =
      nerve == Nerve::kMedian ? "MED" : (nerve == Nerve::kUlnar ? "ULN" : "TIB");
  return absl::StrCat(word, side == Side::kLeft ? " L" : " R");
}

}  // namespace remora::agent::sim
