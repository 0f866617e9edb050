// Where signals come from: one interface over recordings, the simulator, and live feeds.
//
// A source is pulled. It owns no thread, reads no clock and never waits for time to pass: it says
// at which device time things happened, and the app decides when to ask for the next one (as fast
// as it can for a dry run, paced for a replay).
//
// Thread-compatible: one sequence at a time calls Next().
//
// Order. With T(item) = the time of a trigger, event, vital sign, drug or impedance, the start of a
// gap, the END of a block:
//
// 1. T never decreases. What is told late (a vital that a monitor sends each minute) has the time
//    at which it became known.
//
// 2. What has a time before the end of a block comes before that block, so
//    whoever handles a block already knows each stimulus inside it. (A stimulus shortly after the
//    block's end is not known yet: to blank from 2 ms before a stimulus, hold 2 ms back.)
//
// 3. Blocks of one rate group are contiguous, start_time_ns = previous end, unless a Gap of that
//    group, or of all, lies between. After a Gap filters and epochs of it must start anew.
//
// 4. first_sample_index counts delivered samples of the rate group from 0 without holes, so it
//    says nothing about time across a gap; start_time_ns does.
//
// Device time: int64 nanoseconds; 0 is the first sample of the source. Events from before it are
// negative.
//
// A recording, and the simulator, always have a next item. A live source has NothingYet when no
// more has arrived: asked again later, it goes on. Its device time 0 is when it was opened. It
// tells a Gap when it knows of it, so from_ns may lie before the T of what came already.
//
// Errors of Next(): kDataLoss (the recording cannot be read here; nothing follows), kUnavailable
// (the device went away). After an error or EndOfSource the source stays at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

#include "acquisition-agent/sources/channel.h"

namespace remora::agent {

// Channels that are sampled together. A block always carries one whole rate group.
struct RateGroup {
  double sample_rate_hz = 0;
  std::vector<int> channels;  // indexes into SourceInfo::channels, ascending
};

struct SourceInfo {
  std::string name;  // what a person would call it: a path, "sim:cord"
  std::vector<ChannelInfo> channels;
  std::vector<RateGroup> rate_groups;
  // Local civil time of device time 0, where the source knows it. Recordings carry no time zone.
  std::optional<absl::CivilSecond> start_local;
  int32_t start_subsecond_ns = 0;      // to add to start_local, [0, 1e9)
  std::optional<int64_t> duration_ns;  // from first to last sample, gaps included; empty if endless
  // Labels that stimuli may have, then texts of the events, distinct: no other will come. Nothing
  // where the source cannot know before.
  std::optional<std::vector<std::string>> texts;
  // It runs by itself and cannot be read again: an amplifier, a stream.
  bool live = false;
  // Of a live source: device time 0 on this machine's monotonic clock (common/clock.h).
  int64_t live_zero_ns = 0;
  // What was unusual but tolerable in the recording, one sentence each, for the log and the record.
  std::vector<std::string> notes;
};

// Contiguous samples of one rate group, channel after channel. In uV (see ChannelInfo). A sample
// may be NaN where the device said "no value"; it is never averaged in silently.
struct SampleBlock {
  int rate_group = 0;
  double sample_rate_hz = 0;
  int64_t first_sample_index = 0;
  int64_t start_time_ns = 0;  // of the first sample
  int64_t end_time_ns = 0;    // of the sample that would follow the last one
  int32_t samples_per_channel = 0;
  std::vector<double> samples;  // samples_per_channel x channels of the group, channel-major

  // Channel `k` of the rate group: SourceInfo::rate_groups[rate_group].channels[k].
  std::span<const double> channel(int k) const {
    return std::span<const double>(samples).subspan(
        size_t{static_cast<uint32_t>(k)} * samples_per_channel, samples_per_channel);
  }
};

// One delivered stimulus, or one train of pulses. `code` and `label` say which: a label such as
// "MED R" or "TIB L" is what a plan refers to; a code is what a trigger channel or status word
// carried (0 where there is none).
struct StimulusTrigger {
  int64_t time_ns = 0;  // onset of the first pulse; finer than a sample where the source knows it
  int32_t code = 0;
  std::string label;  // may be empty for a bare trigger channel
  // What is touched, where that changes from stimulus to stimulus: "L4 L" of a screw, "contact 3"
  // of a strip, "C3-C4" of scalp electrodes. At most 64 bytes; empty where the label says it.
  std::string site;
  // Current, or voltage of a stimulator that holds the voltage; what was asked for, and what the
  // device measured.
  std::optional<double> commanded_ma;
  std::optional<double> delivered_ma;
  std::optional<double> commanded_v;
  std::optional<double> delivered_v;
  std::optional<double> rate_hz;   // of this stimulus kind, as the source states it
  std::optional<double> pulse_us;  // width of a pulse
  int32_t pulses = 1;              // of a train, 1 to 20
  double pulse_interval_ms = 0;    // from pulse to pulse of a train; 0 for one pulse
};

// Text at a time: an annotation of the recording, a note of the scenario. Valid UTF-8, untrusted.
struct SourceEvent {
  int64_t time_ns = 0;
  int64_t duration_ns = 0;  // 0 if none was given
  std::string text;
  // What a live source says of itself, or a person typed there: never a stimulus, whatever its
  // text.
  bool is_remark = false;
};

// Samples that should be there and are not, or a break in the recorded time.
struct Gap {
  enum class Kind {
    kMissing,         // nothing was recorded from from_ns to to_ns
    kTimeJumpedBack,  // by clock_step_ns; device time goes on (from_ns == to_ns)
    kTruncated,       // the recording ends inside this stretch
  };
  Kind kind = Kind::kMissing;
  int64_t from_ns = 0;
  int64_t to_ns = 0;
  int64_t clock_step_ns = 0;  // negative for kTimeJumpedBack, otherwise 0
  std::string cause;          // one sentence for a person
  int rate_group = -1;        // whose samples are missing; -1: of all
};

// A value of the patient's that a monitor tells or a person types: no waveform. Carried, never
// computed here.
struct VitalSign {
  enum class Kind {
    kMeanArterialPressure,   // mmHg
    kSystolicPressure,       // mmHg
    kDiastolicPressure,      // mmHg
    kHeartRate,              // 1/min
    kOxygenSaturation,       // SpO2, %
    kEndTidalCo2,            // EtCO2, mmHg
    kCoreTemperature,        // degrees Celsius
    kLimbTemperature,        // degrees Celsius; `site` names the limb
    kHaemoglobin,            // g/dl
    kBispectralIndex,        // the monitor's own BIS, 0 to 100
    kAlveolarConcentration,  // MAC of the volatile agents, as the monitor sums it
  };
  int64_t time_ns = 0;  // when it was measured
  Kind kind = Kind::kMeanArterialPressure;
  double value = 0;
  std::string site;
  std::string source;  // the monitor's or the person's name, for people
};

// A drug was given, or an infusion changed.
struct DrugEvent {
  enum class Kind { kBolus, kInfusionRate, kInfusionStopped, kInspired };
  int64_t time_ns = 0;
  Kind kind = Kind::kBolus;
  std::string drug;   // international name: "rocuronium"
  double amount = 0;  // in `unit`; 0 where nobody said it, and when stopped
  std::string unit;   // "mg", "mg/kg/h", "ug/kg/min", "%"
  std::string source;
};

// An electrode's impedance, as the amplifier measured it.
struct ElectrodeImpedance {
  int64_t time_ns = 0;
  std::string electrode;  // a channel's label, or that of a stimulating electrode
  double kohm = 0;        // infinity: open
};

struct EndOfSource {};

// Only of a live source: nothing more has arrived.
struct NothingYet {};

using Item = std::variant<SampleBlock, StimulusTrigger, SourceEvent, Gap, VitalSign, DrugEvent,
                          ElectrodeImpedance, NothingYet, EndOfSource>;

// The time by which an item is complete, T above: what a paced replay waits for. 0 for EndOfSource
// and NothingYet.
int64_t DueTimeNs(const Item& item);

// Moves all times of an item.
void ShiftTimes(int64_t by_ns, Item* item);

class SignalSource {
 public:
  virtual ~SignalSource() = default;
  // Fixed from the moment the source is open.
  virtual const SourceInfo& info() const = 0;
  virtual absl::StatusOr<Item> Next() = 0;
  // Before the first Next(): nothing before `time_ns` is wanted. A recording may leave out items
  // that end before then (their samples count in first_sample_index all the same); nothing at or
  // after it is left out or told otherwise. Who asks must still cut (playback.h).
  virtual void SkipBefore(int64_t time_ns) { static_cast<void>(time_ns); }
};

}  // namespace remora::agent
