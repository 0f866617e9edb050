// One simulated change: a patient in whom nothing is wrong, what a cause does to them, what goes
// beside it, and how it is measured. Used by SimulateChange alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dsp/assess/causes/picture.h"
#include "tests/surveillance/simulated_change.h"

namespace remora::surveillance {

class ChangeSimulator {
 public:
  explicit ChangeSimulator(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15u + 1) {}

  dsp::CasePicture Make(const std::string& cause, Beside beside) {
    Place();
    Usual();
    rows().at(cause)(*this);
    Add(beside);
    Measure();
    Forget(beside);
    return picture_;
  }

  static const std::map<std::string, std::function<void(ChangeSimulator&)>>& rows();

 private:
  // What is true of a trace before it is measured.
  struct Truth {
    double share = 1;
    double later_percent = 0;
    bool noisy = false;
  };
  using Which = std::function<bool(const dsp::PicturedTrace&)>;

  double Even(double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random_);
  }
  double Normal(double spread) { return std::normal_distribution<double>(0, spread)(random_); }
  bool Chance(double chance) { return Even(0, 1) < chance; }
  dsp::BodySide SomeSide() { return Chance(0.5) ? dsp::BodySide::kLeft : dsp::BodySide::kRight; }

  void Place();
  void Usual();
  void Add(Beside beside);
  void Measure();
  void Forget(Beside beside);
  void Scale(const Which& which, double share, double later_percent = 0);
  // Both sides, SEP or MEP, of one stage.
  void ScaleStage(dsp::SepStage stage, double share, double later_percent = 0) {
    Scale([=](const dsp::PicturedTrace& t) { return IsSep(t) && t.stage == stage; }, share,
          later_percent);
  }
  static bool IsSep(const dsp::PicturedTrace& trace) { return trace.kind == dsp::TraceKind::kSep; }
  static bool IsMep(const dsp::PicturedTrace& trace) { return trace.kind == dsp::TraceKind::kMep; }
  static bool IsLeg(const dsp::PicturedTrace& trace) { return trace.part == dsp::BodyPart::kLeg; }
  static bool IsPeripheral(const dsp::PicturedTrace& trace) {
    return IsSep(trace) && trace.stage == dsp::SepStage::kPeripheral;
  }

  void Stimulation();
  void RecordingElectrode();
  void Interference();
  void Anaesthetic();
  void Hypothermia();
  void Hypotension();
  void Relaxant();
  void Positioning();
  void Cord();
  void Root();
  void Cortical();
  void Fade();
  void Brainstem();
  void Corticospinal();
  void EighthNerve();
  void MepStimulation();
  void LimbIschaemia();

  std::mt19937_64 random_;
  dsp::CasePicture picture_;
  std::vector<Truth> truth_;
};

}  // namespace remora::surveillance
