#include "tests/surveillance/simulated_change.h"

#include "tests/surveillance/change_simulator.h"

namespace remora::surveillance {
namespace {

using dsp::BaepChange;
using dsp::BodyPart;
using dsp::BodySide;
using dsp::CasePicture;
using dsp::DWaveChange;
using dsp::ImpedanceChange;
using dsp::PicturedTrace;
using dsp::Relaxation;
using dsp::SepStage;
using dsp::StageOfSurgery;
using dsp::SurgicalEvent;
using dsp::TimeCourse;

}  // namespace

void ChangeSimulator::Stimulation() {
  const BodySide side = SomeSide();
  const BodyPart part = Chance(0.5) ? BodyPart::kArm : BodyPart::kLeg;
  Scale([=](const PicturedTrace& t) { return IsSep(t) && t.side == side && t.part == part; },
        Even(0, 0.1));
  picture_.time_course.value = TimeCourse::kInstant;
  if (Chance(0.7)) {
    picture_.impedance.value = ImpedanceChange::kStimulating;
    picture_.delivered_as_asked.value = Chance(0.3);
  } else {
    picture_.delivered_as_asked.value = false;
  }
}

void ChangeSimulator::RecordingElectrode() {
  const BodySide side = SomeSide();
  // A scalp electrode of one derivation, or a needle of one muscle of two of its roots.
  const std::string name =
      Chance(0.5) ? (Chance(0.5) ? "CPz-Fz" : "CPc-Fz") : (Chance(0.5) ? "TA" : "EHL");
  Scale([=](const PicturedTrace& t) { return t.side == side && t.name.rfind(name + " ", 0) == 0; },
        Even(0, 0.15));
  picture_.time_course.value = TimeCourse::kInstant;
  picture_.impedance.value = Chance(0.85) ? ImpedanceChange::kRecording : ImpedanceChange::kNone;
}

void ChangeSimulator::Interference() {
  for (Truth& truth : truth_) truth.noisy = Chance(0.93);
  picture_.device_is_on.value = Chance(0.85);
  picture_.time_course.value = TimeCourse::kInstant;
}

void ChangeSimulator::Anaesthetic() {
  ScaleStage(SepStage::kCortical, Even(0.25, 0.55), Even(1, 8));
  const double muscles = Even(0.15, 0.5);
  Scale(IsMep, muscles);
  picture_.is_deeper.value = Chance(0.95);
  picture_.anaesthetic_given.value = Chance(0.8);
}

void ChangeSimulator::Hypothermia() {
  const double later = Even(9, 16);
  ScaleStage(SepStage::kCortical, Even(0.85, 1.05), later);
  ScaleStage(SepStage::kSubcortical, 1, 0.8 * later);
  ScaleStage(SepStage::kPeripheral, 1, 0.3 * later);
  picture_.core_is_cooling.value = true;
  picture_.time_course.value = Chance(0.8) ? TimeCourse::kSlope : TimeCourse::kHours;
}

void ChangeSimulator::Hypotension() {
  ScaleStage(SepStage::kCortical, Even(0.35, 0.6), Even(0, 5));
  Scale([](const PicturedTrace& t) { return IsMep(t) && IsLeg(t); }, Even(0.08, 0.3));
  Scale([](const PicturedTrace& t) { return IsMep(t) && !IsLeg(t); }, Even(0.45, 0.75));
  picture_.pressure_is_low.value = true;
}

void ChangeSimulator::Relaxant() {
  Scale(IsMep, Even(0, 0.15));
  picture_.relaxation.value = Chance(0.85) ? Relaxation::kDeep : Relaxation::kPartial;
  picture_.relaxant_given.value = Chance(0.8);
}

void ChangeSimulator::Positioning() {
  const BodySide side = SomeSide();
  const BodyPart part = Chance(0.75) ? BodyPart::kArm : BodyPart::kLeg;
  const double share = Even(0.1, 0.5);
  Scale([=](const PicturedTrace& t) { return t.side == side && t.part == part; }, share,
        Even(2, 12));
  picture_.was_moved.value = true;
  picture_.stage.value = Chance(0.5) ? StageOfSurgery::kPositioning : StageOfSurgery::kOther;
  picture_.time_course.value = Chance(0.8) ? TimeCourse::kMinutes : TimeCourse::kSlope;
  picture_.surgical_event.value = SurgicalEvent::kNone;
}

void ChangeSimulator::Cord() {
  const bool one_side = Chance(0.3);
  const BodySide side = SomeSide();
  const auto below = [=](const PicturedTrace& t) {
    return IsLeg(t) && (!one_side || t.side == side);
  };
  Scale([=](const PicturedTrace& t) { return IsMep(t) && below(t); }, Even(0, 0.25));
  // The posterior columns follow, or are spared.
  if (Chance(0.7)) {
    const double share = Even(0, 0.45);
    Scale([=](const PicturedTrace& t) { return IsSep(t) && !IsPeripheral(t) && below(t); }, share,
          Even(0, 10));
  }
  picture_.stage.value = StageOfSurgery::kManipulation;
  picture_.surgical_event.value = Chance(0.8) ? SurgicalEvent::kInstrument : SurgicalEvent::kNone;
  picture_.time_course.value = Chance(0.7) ? TimeCourse::kInstant : TimeCourse::kMinutes;
}

void ChangeSimulator::Root() {
  const BodySide side = SomeSide();
  Scale([=](const PicturedTrace& t) { return t.side == side && t.myotome == "L4-L5"; },
        Even(0, 0.25));
  picture_.stage.value = StageOfSurgery::kManipulation;
  picture_.trains_there.value = Chance(0.85);
  picture_.surgical_event.value =
      Chance(0.8) ? SurgicalEvent::kInstrument : SurgicalEvent::kRetractorOrClip;
  picture_.time_course.value = TimeCourse::kInstant;
}

void ChangeSimulator::Cortical() {
  const BodySide side = SomeSide();
  Scale(
      [=](const PicturedTrace& t) {
        return t.side == side && (IsMep(t) || t.stage == SepStage::kCortical);
      },
      Even(0, 0.35));
  picture_.eeg_differs.value = Chance(0.8);
  picture_.stage.value = StageOfSurgery::kClamp;
  picture_.surgical_event.value =
      Chance(0.8) ? SurgicalEvent::kRetractorOrClip : SurgicalEvent::kNone;
  picture_.time_course.value = Chance(0.6) ? TimeCourse::kInstant : TimeCourse::kMinutes;
}

void ChangeSimulator::Fade() {
  const double legs = Even(0.25, 0.48);
  Scale([](const PicturedTrace& t) { return IsMep(t) && IsLeg(t); }, legs);
  Scale([](const PicturedTrace& t) { return IsMep(t) && !IsLeg(t); }, Even(0.7, 0.85));
  picture_.time_course.value = TimeCourse::kHours;
  picture_.fits_fade.value = Chance(0.9);
}

void ChangeSimulator::Brainstem() {
  const BodySide side = SomeSide();
  const bool arm_alone = Chance(0.5);
  Scale(
      [=](const PicturedTrace& t) {
        return IsSep(t) && t.stage == SepStage::kCortical && t.side == side &&
               (!arm_alone || !IsLeg(t));
      },
      Even(0, 0.3));
  picture_.was_moved.value = Chance(0.3);
  picture_.surgical_event.value =
      Chance(0.8) ? SurgicalEvent::kRetractorOrClip : SurgicalEvent::kNone;
  picture_.time_course.value = TimeCourse::kMinutes;
  picture_.stage.value = StageOfSurgery::kOther;
}

void ChangeSimulator::Corticospinal() {
  Scale([](const PicturedTrace& t) { return IsMep(t) && IsLeg(t); }, Even(0, 1));
  picture_.d_wave.value = DWaveChange::kCaudal;
  picture_.stage.value = StageOfSurgery::kManipulation;
  picture_.time_course.value = TimeCourse::kInstant;
}

void ChangeSimulator::EighthNerve() {
  picture_.baep.value = BaepChange::kWaveFive;
  picture_.surgical_event.value =
      Chance(0.8) ? SurgicalEvent::kRetractorOrClip : SurgicalEvent::kNone;
  picture_.stage.value = StageOfSurgery::kOther;
}

void ChangeSimulator::MepStimulation() {
  Scale(IsMep, Even(0, 0.05));
  picture_.time_course.value = TimeCourse::kInstant;
  const bool delivered = Chance(0.25);
  picture_.delivered_as_asked.value = delivered;
  picture_.impedance.value =
      delivered || Chance(0.5) ? ImpedanceChange::kStimulating : ImpedanceChange::kNone;
  picture_.relaxant_given.value = false;
}

void ChangeSimulator::LimbIschaemia() {
  const BodySide side = SomeSide();
  const BodyPart part = Chance(0.7) ? BodyPart::kLeg : BodyPart::kArm;
  const double share = Even(0.1, 0.45);
  Scale([=](const PicturedTrace& t) { return t.side == side && t.part == part; }, share,
        Even(0, 6));
  picture_.surgical_event.value = Chance(0.85) ? SurgicalEvent::kVessel : SurgicalEvent::kNone;
  picture_.was_moved.value = false;
  picture_.limb_is_cold.value = Chance(0.4);
  picture_.time_course.value = TimeCourse::kMinutes;
}

const std::map<std::string, std::function<void(ChangeSimulator&)>>& ChangeSimulator::rows() {
  static const auto* const all = new std::map<std::string, std::function<void(ChangeSimulator&)>>{
      {"stimulation", &ChangeSimulator::Stimulation},
      {"recording_electrode", &ChangeSimulator::RecordingElectrode},
      {"interference", &ChangeSimulator::Interference},
      {"anaesthetic", &ChangeSimulator::Anaesthetic},
      {"hypothermia", &ChangeSimulator::Hypothermia},
      {"hypotension", &ChangeSimulator::Hypotension},
      {"relaxant", &ChangeSimulator::Relaxant},
      {"positioning", &ChangeSimulator::Positioning},
      {"cord", &ChangeSimulator::Cord},
      {"root", &ChangeSimulator::Root},
      {"cortical", &ChangeSimulator::Cortical},
      {"fade", &ChangeSimulator::Fade},
      {"brainstem", &ChangeSimulator::Brainstem},
      {"corticospinal", &ChangeSimulator::Corticospinal},
      {"eighth_nerve", &ChangeSimulator::EighthNerve},
      {"mep_stimulation", &ChangeSimulator::MepStimulation},
      {"limb_ischaemia", &ChangeSimulator::LimbIschaemia},
  };
  return *all;
}

const std::vector<std::string>& SimulatedCauses() {
  static const auto* const all =
      new std::vector<std::string>{"stimulation",   "recording_electrode",
                                   "interference",  "anaesthetic",
                                   "hypothermia",   "hypotension",
                                   "relaxant",      "positioning",
                                   "cord",          "root",
                                   "cortical",      "fade",
                                   "brainstem",     "corticospinal",
                                   "eighth_nerve",  "mep_stimulation",
                                   "limb_ischaemia"};
  return *all;
}

dsp::CasePicture SimulateChange(const std::string& cause, Beside beside, std::uint64_t seed) {
  return ChangeSimulator(seed).Make(cause, beside);
}

}  // namespace remora::surveillance
