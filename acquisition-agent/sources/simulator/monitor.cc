#include "acquisition-agent/sources/simulator/monitor.h"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "acquisition-agent/sources/simulator/random.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

constexpr char kSource[] = "simulator";
constexpr uint64_t kVitalStream = 5000;

struct VitalRow {
  Vital vital;
  VitalSign::Kind kind;
  double spread;  // from reading to reading
  double step;    // that the monitor shows
};
constexpr std::array<VitalRow, kVitalCount> kVitals = {
    {{kMap, VitalSign::Kind::kMeanArterialPressure, 1.0, 1},
     {kHeartRate, VitalSign::Kind::kHeartRate, 1.0, 1},
     {kSpo2, VitalSign::Kind::kOxygenSaturation, 0.2, 1},
     {kEtco2, VitalSign::Kind::kEndTidalCo2, 0.4, 1},
     {kTemperature, VitalSign::Kind::kCoreTemperature, 0, 0.1},
     {kBis, VitalSign::Kind::kBispectralIndex, 1.0, 1}}};

DrugEvent::Kind KindOf(ScenarioEvent::Drug drug) {
  switch (drug) {
    case ScenarioEvent::Drug::kBolus:
      return DrugEvent::Kind::kBolus;
    case ScenarioEvent::Drug::kInfusion:
      return DrugEvent::Kind::kInfusionRate;
    case ScenarioEvent::Drug::kStopped:
      return DrugEvent::Kind::kInfusionStopped;
    case ScenarioEvent::Drug::kInspired:
      return DrugEvent::Kind::kInspired;
  }
  return DrugEvent::Kind::kBolus;
}

}  // namespace

TheatreMonitor::TheatreMonitor(const Scenario& scenario, const EventSchedule& schedule,
                               const SimulatedTruth& truth, double sample_rate_hz, uint64_t seed)
    : scenario_(scenario),
      schedule_(schedule),
      truth_(truth),
      sample_rate_hz_(sample_rate_hz),
      seed_(seed) {}

int64_t TheatreMonitor::SampleTimeNs(int64_t sample) const {
  return std::llround(static_cast<long double>(sample) * 1e9L / sample_rate_hz_);
}

void TheatreMonitor::AppendItems(int64_t first, int64_t end, std::vector<Item>* items) const {
  AppendImpedances(first, end, items);
  schedule_.Visit(Kind::kNote, first, end, [&](const Occurrence& occurrence) {
    if (occurrence.first_sample < first) return;
    items->emplace_back(
        SourceEvent{SampleTimeNs(occurrence.first_sample), 0, occurrence.event->text});
  });
  schedule_.Visit(Kind::kDrug, first, end, [&](const Occurrence& occurrence) {
    if (occurrence.first_sample < first) return;
    const ScenarioEvent& event = *occurrence.event;
    items->emplace_back(DrugEvent{SampleTimeNs(occurrence.first_sample), KindOf(event.drug),
                                  event.text, event.amount, event.unit, kSource});
  });
  if (!scenario_.has_vitals) return;
  constexpr int64_t kPeriodNs = kVitalPeriodS * int64_t{1'000'000'000};
  const int64_t from_ns = SampleTimeNs(first);
  for (int64_t tick = (from_ns + kPeriodNs - 1) / kPeriodNs; tick * kPeriodNs < SampleTimeNs(end);
       ++tick) {
    AppendVitals(tick, items);
  }
}

void TheatreMonitor::AppendVitals(int64_t tick, std::vector<Item>* items) const {
  const double time_s = static_cast<double>(tick * kVitalPeriodS);
  const int64_t time_ns = tick * kVitalPeriodS * 1'000'000'000;
  SimRandom random(seed_, kVitalStream + static_cast<uint64_t>(tick) * 131);
  const auto add = [&](VitalSign::Kind kind, double value, std::string site) {
    items->emplace_back(VitalSign{time_ns, kind, value, std::move(site), kSource});
  };
  for (const VitalRow& row : kVitals) {
    const double shown = truth_.VitalAt(row.vital, time_s) + row.spread * random.Gaussian();
    double value = std::round(std::max(shown, 0.0) / row.step) * row.step;
    if (row.vital == kSpo2 || row.vital == kBis) value = std::min(value, 100.0);
    add(row.kind, value, "");
  }
  const double mac = truth_.Mac(time_s);
  if (mac >= 0.05) {
    add(VitalSign::Kind::kAlveolarConcentration, std::round(mac * 10) / 10, "");
  }
  constexpr double kUsualLimb = 33;
  for (const Region region : {Region::kArm, Region::kLeg}) {
    for (const Side side : {Side::kLeft, Side::kRight}) {
      const double cooling = truth_.LimbCooling(region, side, time_s);
      if (cooling == 0) continue;
      add(VitalSign::Kind::kLimbTemperature, std::round((kUsualLimb - cooling) * 10) / 10,
          std::string(side == Side::kLeft ? "left" : "right") +
              (region == Region::kArm ? " arm" : " leg"));
    }
  }
}

void TheatreMonitor::AppendImpedance(const std::string& electrode, int64_t sample,
                                     std::vector<Item>* items) const {
  // A hair after the edge: what is in force from it on.
  const double time_s = (static_cast<double>(sample) + 1e-3) / sample_rate_hz_;
  items->emplace_back(
      ElectrodeImpedance{SampleTimeNs(sample), electrode, truth_.ImpedanceKohm(electrode, time_s)});
}

void TheatreMonitor::AppendImpedances(int64_t first, int64_t end, std::vector<Item>* items) const {
  if (!scenario_.impedance_kohm) return;
  if (first == 0) {
    for (const Site& site : scenario_.channels) AppendImpedance(site.label, 0, items);
    for (const Stimulator& stimulator : scenario_.stimulators) {
      if (stimulator.kind == StimulusKind::kBaep || stimulator.kind == StimulusKind::kVep) continue;
      AppendImpedance(StimulusLabel(stimulator, 0), 0, items);
    }
  }
  for (const Kind kind : {Kind::kDisconnect, Kind::kImpedance}) {
    // One sample more at the front: an event that ends exactly there.
    schedule_.Visit(kind, std::max<int64_t>(0, first - 1), end, [&](const Occurrence& occurrence) {
      for (const int64_t edge : {occurrence.first_sample, occurrence.end_sample}) {
        if (edge >= first && edge < end && edge > 0) {
          AppendImpedance(occurrence.event->channel, edge, items);
        }
      }
    });
  }
}

}  // namespace remora::agent::sim
