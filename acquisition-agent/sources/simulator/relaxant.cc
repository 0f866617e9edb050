#include "acquisition-agent/sources/simulator/relaxant.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace remora::agent::sim {
namespace {

constexpr double kRiseS = 45;
constexpr double kPeak = 6;

struct Relaxant {
  absl::string_view name;
  double unit_mg;  // an intubating dose
  double fall_s;
};
constexpr std::array<Relaxant, 4> kRelaxants = {{{"rocuronium", 50, 1800},
                                                 {"vecuronium", 8, 1700},
                                                 {"cisatracurium", 12, 2000},
                                                 {"suxamethonium", 100, 200}}};

struct Reversal {
  absl::string_view name;
  double unit_mg;
  double fall_s;  // of the concentration, for one unit
};
constexpr std::array<Reversal, 2> kReversals = {
    {{"sugammadex", 200, 40}, {"neostigmine", 2.5, 400}}};

template <typename List>
auto Find(const List& list, absl::string_view name) -> decltype(&list[0]) {
  for (const auto& drug : list) {
    if (drug.name == name) return &drug;
  }
  return nullptr;
}

bool IsBolus(const ScenarioEvent& event) {
  return event.kind == ScenarioEvent::Kind::kDrug && event.drug == ScenarioEvent::Drug::kBolus;
}

double Sensitivity(Region region) {
  switch (region) {
    case Region::kArm:
      return 1.0;
    case Region::kLeg:
      return 1.1;
    case Region::kNeck:
    case Region::kTrunk:
      return 1.3;
    case Region::kFace:
      return 1.4;
    case Region::kLarynx:
      return 1.5;
  }
  return 1.0;
}

}  // namespace

bool IsRelaxant(absl::string_view drug) {
  return Find(kRelaxants, drug) != nullptr || Find(kReversals, drug) != nullptr;
}

double RelaxantConcentration(std::span<const ScenarioEvent> events, double time_s) {
  double sum = 0;
  for (const ScenarioEvent& event : events) {
    if (!IsBolus(event)) continue;
    const Relaxant* relaxant = Find(kRelaxants, event.text);
    // Again and again: the latest twenty count.
    for (int back = 0; relaxant != nullptr && back < 20; ++back) {
      const double latest = event.every_s > 0
                                ? std::floor((time_s - event.at_s) / event.every_s) - back
                                : -static_cast<double>(back);
      const double since_s = time_s - event.at_s - std::max(latest, 0.0) * event.every_s;
      if (latest < 0 || since_s <= 0) break;
      sum += kPeak * event.amount / relaxant->unit_mg *
             (std::exp(-since_s / relaxant->fall_s) - std::exp(-since_s / kRiseS));
      if (event.every_s <= 0) break;
    }
  }
  for (const ScenarioEvent& event : events) {
    if (!IsBolus(event) || sum == 0) continue;
    const Reversal* reversal = Find(kReversals, event.text);
    if (reversal == nullptr || time_s <= event.at_s) continue;
    sum *= std::exp(-(time_s - event.at_s) * event.amount / (reversal->unit_mg * reversal->fall_s));
  }
  return std::max(sum, 0.0);
}

Block BlockOf(double concentration, Region region) {
  if (concentration <= 0) return {};
  const double c = concentration / Sensitivity(region);
  return {1 / (1 + std::pow(c, 5)), 1 / (1 + std::pow(c / 0.45, 4))};
}

std::array<double, 4> Block::twitches() const {
  return {t1, t1 * (1 - (1 - ratio) / 3), t1 * (1 - 2 * (1 - ratio) / 3), t1 * ratio};
}

}  // namespace remora::agent::sim
