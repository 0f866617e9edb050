// The whole case at the moment of a change: each trace against its reference, and what is known of
// patient, equipment and operation. What the features of the cause differential are worked out
// from.
//
// Plain data, filled in by who follows the case. A thing that is not known, or too old to count, is
// left out, with why: it is missing, never "normal".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace remora::dsp {

enum class BodySide : std::uint8_t { kLeft, kRight };
enum class BodyPart : std::uint8_t { kArm, kLeg, kHead };
enum class TraceKind : std::uint8_t { kSep, kMep };
// Where along its way a sensory response is recorded.
enum class SepStage : std::uint8_t { kPeripheral, kSubcortical, kCortical };

enum class TraceChange : std::uint8_t {
  kUnchanged,
  kLate,     // latency alone
  kReduced,  // amplitude, whatever the latency
  kLost,
  kNoisy,  // cannot be judged: interference
};

struct PicturedTrace {
  std::string name;  // for people: "PF left", "TA right"
  TraceKind kind = TraceKind::kSep;
  BodySide side = BodySide::kLeft;
  BodyPart part = BodyPart::kArm;
  SepStage stage = SepStage::kCortical;  // of a sensory one
  // Of a muscle; two traces with the same one are of the same roots: "L4-L5".
  std::string myotome;
  bool is_above_level = false;  // a control, of the operated level
  TraceChange change = TraceChange::kUnchanged;
  double amplitude_percent = 100;  // of the reference
  double latency_rise_percent = 0;
};

// How long the change took, from the last trial within limits to where it is now.
enum class TimeCourse : std::uint8_t {
  kInstant,  // between two trials
  kMinutes,  // up to 20 min
  kSlope,    // up to 3 h
  kHours,
};
enum class StageOfSurgery : std::uint8_t { kManipulation, kClamp, kPositioning, kOther };
enum class Relaxation : std::uint8_t { kFull, kPartial, kDeep };
enum class ImpedanceChange : std::uint8_t { kNone, kRecording, kStimulating };
enum class SurgicalEvent : std::uint8_t { kNone, kInstrument, kRetractorOrClip, kVessel };
enum class DWaveChange : std::uint8_t { kUnchanged, kCaudal, kBothContacts };
enum class BaepChange : std::uint8_t { kUnchanged, kWaveFive, kWaveOneToo };

// A value, or why there is none.
template <typename T>
struct Known {
  std::optional<T> value;
  std::string words;  // of a value: "MAP 52, target 80"; else why it is missing: "MAP 14 min ago"
};

struct CasePicture {
  std::vector<PicturedTrace> traces;
  Known<TimeCourse> time_course;
  Known<StageOfSurgery> stage;
  Known<Relaxation> relaxation;         // in the limb, not overdue
  Known<bool> relaxant_given;           // in the last 30 min
  Known<bool> is_deeper;                // SEF down, or more suppression
  Known<bool> anaesthetic_given;        // bolus, faster, or more of a volatile, in 15 min
  Known<bool> pressure_is_low;          // under its target, or a fifth lower
  Known<bool> core_is_cooling;          // under 35.5, or half a degree an hour
  Known<bool> limb_is_cold;             // of what changed
  Known<ImpedanceChange> impedance;     // of electrodes of what changed
  Known<bool> delivered_as_asked;       // the stimulus of what changed
  Known<bool> device_is_on;             // diathermy, drill, aspirator
  Known<bool> was_moved;                // patient, arm or head, in 30 min
  Known<SurgicalEvent> surgical_event;  // in 5 min
  Known<bool> trains_there;             // EMG trains in the roots of what changed
  Known<bool> eeg_differs;              // slower or flatter over one hemisphere
  Known<DWaveChange> d_wave;
  Known<BaepChange> baep;
  Known<bool> fits_fade;  // no more than time under anaesthesia brings
};

}  // namespace remora::dsp
