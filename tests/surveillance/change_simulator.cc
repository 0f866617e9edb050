#include "tests/surveillance/change_simulator.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace remora::surveillance {
namespace {

using dsp::BodyPart;
using dsp::BodySide;
using dsp::ImpedanceChange;
using dsp::PicturedTrace;
using dsp::Relaxation;
using dsp::SepStage;
using dsp::StageOfSurgery;
using dsp::SurgicalEvent;
using dsp::TimeCourse;
using dsp::TraceChange;
using dsp::TraceKind;

// How often a thing that is watched is overdue when it is asked for, or was never recorded.
constexpr double kMissing = 0.15;

template <typename T>
void Lose(dsp::Known<T>* known, bool lost) {
  if (lost) known->value.reset();
}

}  // namespace

void ChangeSimulator::Place() {
  for (const BodySide side : {BodySide::kLeft, BodySide::kRight}) {
    const std::string s = side == BodySide::kLeft ? " left" : " right";
    for (const BodyPart part : {BodyPart::kArm, BodyPart::kLeg}) {
      const bool arm = part == BodyPart::kArm;
      const auto sep = [&](const char* name, SepStage stage) {
        PicturedTrace trace;
        trace.name = name + s;
        trace.side = side;
        trace.part = part;
        trace.stage = stage;
        trace.is_above_level = arm;
        picture_.traces.push_back(trace);
      };
      sep(arm ? "Erb" : "PF", SepStage::kPeripheral);
      sep(arm ? "Cv5 median" : "Cv5 tibial", SepStage::kSubcortical);
      sep(arm ? "CPc-Fz" : "CPz-Fz", SepStage::kCortical);
      sep(arm ? "CPc-CPi" : "Cz-CPc", SepStage::kCortical);
      const auto muscle = [&](const char* name, const char* myotome) {
        PicturedTrace trace;
        trace.name = name + s;
        trace.kind = TraceKind::kMep;
        trace.side = side;
        trace.part = part;
        trace.myotome = myotome;
        trace.is_above_level = arm;
        picture_.traces.push_back(trace);
      };
      if (arm) {
        muscle("APB", "C8-T1");
        muscle("ADM", "C8-T1");
      } else {
        muscle("VL", "L3-L4");
        muscle("TA", "L4-L5");
        muscle("EHL", "L4-L5");
        muscle("AH", "S1-S2");
      }
    }
  }
  truth_.resize(picture_.traces.size());
}

// A case in which nothing is wrong; things happen in it all the same.
void ChangeSimulator::Usual() {
  const double stage = Even(0, 1);
  picture_.stage.value = stage < 0.5    ? StageOfSurgery::kManipulation
                         : stage < 0.55 ? StageOfSurgery::kClamp
                         : stage < 0.65 ? StageOfSurgery::kPositioning
                                        : StageOfSurgery::kOther;
  picture_.time_course.value = TimeCourse::kMinutes;
  picture_.relaxation.value = Relaxation::kFull;
  picture_.relaxant_given.value = Chance(0.05);
  picture_.is_deeper.value = Chance(0.08);
  picture_.anaesthetic_given.value = Chance(0.15);
  picture_.pressure_is_low.value = Chance(0.1);
  picture_.core_is_cooling.value = Chance(0.1);
  picture_.limb_is_cold.value = Chance(0.05);
  picture_.impedance.value = ImpedanceChange::kNone;
  picture_.delivered_as_asked.value = true;
  picture_.device_is_on.value = Chance(0.15);
  picture_.was_moved.value = Chance(0.1);
  const double event = Even(0, 1);
  picture_.surgical_event.value = event < 0.2    ? SurgicalEvent::kInstrument
                                  : event < 0.25 ? SurgicalEvent::kRetractorOrClip
                                  : event < 0.28 ? SurgicalEvent::kVessel
                                                 : SurgicalEvent::kNone;
  if (Chance(0.3)) picture_.d_wave.value = dsp::DWaveChange::kUnchanged;
  if (Chance(0.3)) picture_.baep.value = dsp::BaepChange::kUnchanged;
  picture_.trains_there.value = Chance(0.05);
  picture_.eeg_differs.value = Chance(0.03);
  picture_.fits_fade.value = Chance(0.05);
}

void ChangeSimulator::Scale(const Which& which, double share, double later_percent) {
  for (size_t i = 0; i < truth_.size(); ++i) {
    if (!which(picture_.traces[i])) continue;
    truth_[i].share *= share;
    truth_[i].later_percent += later_percent;
  }
}

void ChangeSimulator::Add(Beside beside) {
  switch (beside) {
    case Beside::kNothing:
    case Beside::kDeadControl:
      return;
    case Beside::kHypotension:
      picture_.pressure_is_low.value = true;
      ScaleStage(SepStage::kCortical, Even(0.6, 0.9));
      Scale(IsMep, Even(0.5, 0.9));
      return;
    case Beside::kRelaxant:
      picture_.relaxant_given.value = true;
      picture_.relaxation.value = Chance(0.5) ? Relaxation::kPartial : Relaxation::kDeep;
      Scale(IsMep, Even(0.2, 0.8));
      return;
    case Beside::kDeepening:
      picture_.is_deeper.value = true;
      picture_.anaesthetic_given.value = Chance(0.7);
      ScaleStage(SepStage::kCortical, Even(0.5, 0.85));
      Scale(IsMep, Even(0.4, 0.85));
      return;
    case Beside::kNoise:
      picture_.device_is_on.value = true;
      for (Truth& truth : truth_) truth.noisy = truth.noisy || Chance(0.33);
      return;
  }
}

// Averages vary by a tenth, muscles by a third; what is under a tenth of its reference is lost in
// the noise. A change of a muscle is one by two and a half of its spreads.
void ChangeSimulator::Measure() {
  for (size_t i = 0; i < truth_.size(); ++i) {
    PicturedTrace& trace = picture_.traces[i];
    const bool muscle = IsMep(trace);
    trace.amplitude_percent = 100 * truth_[i].share * std::exp(Normal(muscle ? 0.33 : 0.1));
    trace.latency_rise_percent = truth_[i].later_percent + Normal(muscle ? 2 : 1);
    if (truth_[i].noisy) {
      trace.change = TraceChange::kNoisy;
    } else if (trace.amplitude_percent < 10) {
      trace.change = TraceChange::kLost;
    } else if (trace.amplitude_percent < (muscle ? 44 : 60)) {
      trace.change = TraceChange::kReduced;
    } else if (!muscle && trace.latency_rise_percent > 7) {
      trace.change = TraceChange::kLate;
    }
  }
}

void ChangeSimulator::Forget(Beside beside) {
  Lose(&picture_.stage, Chance(kMissing));
  Lose(&picture_.relaxation, Chance(kMissing));
  Lose(&picture_.is_deeper, Chance(kMissing));
  Lose(&picture_.pressure_is_low, Chance(kMissing));
  Lose(&picture_.core_is_cooling, Chance(kMissing));
  Lose(&picture_.limb_is_cold, Chance(0.5));
  Lose(&picture_.impedance, Chance(kMissing));
  Lose(&picture_.delivered_as_asked, Chance(kMissing));
  Lose(&picture_.trains_there, Chance(kMissing));
  Lose(&picture_.eeg_differs, Chance(0.3));
  if (beside != Beside::kDeadControl) return;
  const BodyPart part = Chance(0.5) ? BodyPart::kArm : BodyPart::kLeg;
  const double which = Even(0, 1);
  auto& traces = picture_.traces;
  traces.erase(std::remove_if(traces.begin(), traces.end(),
                              [&](const PicturedTrace& t) {
                                if (which < 0.4) return IsPeripheral(t) && t.part == part;
                                if (which < 0.7) return t.is_above_level && IsMep(t);
                                return t.is_above_level && IsSep(t);
                              }),
               traces.end());
}

}  // namespace remora::surveillance
