// A scenario: what the simulator's patient, amplifier and theatre do, and when. Written by people
// in a text file of one statement a line (docs: scenarios/README.md); this is what the parser makes
// of it.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/simulator/electrodes.h"
#include "acquisition-agent/sources/simulator/stimulator.h"

namespace remora::agent::sim {

// What a monitor shows; `index` of vitals and their events.
enum Vital { kMap, kHeartRate, kSpo2, kEtco2, kTemperature, kBis, kVitalCount };

struct ScenarioEvent {
  enum class Kind {
    kResponse,         // amplitude and latency of SEP
    kEmgTrain,         // regular discharges, sudden on and off (an A-train)
    kEmgBurst,         // irregular discharges
    kEmgSpike,         // one discharge
    kDiathermy,        // on all channels
    kDisconnect,       // an electrode hangs in the air, or is flat
    kSaturate,         // an amplifier at its rail
    kMains,            // the mains level is this while it lasts
    kLoseTriggers,     // stimuli are delivered, their triggers do not arrive
    kStopStimulation,  // stimuli are not delivered
    kGap,              // samples are lost
    kNote,             // text; also phases and positions
    kMotor,            // MEP of muscles
    kCord,             // what passes a level of the cord
    kRoot,             // the muscles of a root
    kHemisphere,       // what one hemisphere answers and sends
    kLimb,             // a stretched plexus or nerve
    kIschaemia,        // of a limb
    kColdLimb,
    kLarynx,  // RLN and vagus
    kBaep,
    kVep,
    kDwave,
    kThreshold,  // of responses to a kind of stimulus
    kDepth,      // anaesthesia, besides what drugs do
    kDrug,
    kVital,
    kDelivery,  // a stimulator delivers a part of what it says
    kImpedance,
    kSwap,        // two channels' leads in each other's sockets
    kTest,        // stimuli of rising or falling intensity
    kEmgBTrain,   // regular, comes and goes gradually
    kEmgCTrain,   // irregular, goes on
    kEmgSilence,  // no activity of a muscle, as behind a cut nerve
    kShivering,   // all muscles
    kDrill,       // on all channels
    kCusa,
    kAfterDischarge,  // on a contact of the strip and its neighbours
  };
  enum class Drug { kBolus, kInfusion, kStopped, kInspired };

  Kind kind = Kind::kNote;
  int line = 0;
  double at_s = 0;
  double for_s = std::numeric_limits<double>::infinity();  // infinity: to the end
  double every_s = 0;                                      // > 0: again and again

  // What it concerns; nothing set means all.
  std::optional<Nerve> nerve;
  std::optional<Side> side;
  std::optional<Region> region;             // kMotor, kLimb, kIschaemia, kColdLimb
  std::optional<StimulusKind> stimulation;  // kStopStimulation, kDelivery, kThreshold
  int root = 0;                             // kCord: the level; kRoot
  bool levels[3] = {false, false, false};   // kResponse: by Level
  bool first_wave = false;                  // kBaep: wave I too
  std::string channel;  // kEmg..., kDisconnect, kSaturate, kMotor, kImpedance, kSwap, kDwave
  std::string other;    // kSwap: the other channel

  double amplitude = 1;      // factor, >= 0; kDelivery, kThreshold: the factor
  double latency = 1;        // factor, [0.5, 2]
  double delay_ms = 0;       // added to latencies
  double ramp_s = 0;         // to get there after the beginning, and back after the end
  double sep_amplitude = 1;  // kCord: of SEP from below, ...
  double sep_delay_s = 480;  // ... that much later
  double dwave_amplitude = 1;
  double level_uv = 0;  // peak: kEmg..., kDiathermy, kMains, kDrill, kCusa, kShivering
  double rate_hz = 0;   // kEmgTrain...
  bool flat = false;    // kDisconnect
  double amount = 0;    // kVital, kDepth, kDrug (in `unit`), kColdLimb (degrees), kImpedance (kOhm)
  Vital vital = kMap;
  Drug drug = Drug::kBolus;
  std::string unit;
  std::string text;    // kNote, kDrug: its name
  int stimulator = 0;  // kTest, as are the next
  double first = 0;
  double last = 0;
  double step = 0;
  double step_s = 0;

  int test_count() const;  // stimuli of a kTest
};

struct Scenario {
  std::string title;
  std::vector<Site> channels;
  std::vector<Stimulator> stimulators;
  double sample_rate_hz = 5000;
  double mains_hz = 50;
  double mains_uv = 2;        // peak
  double eeg_uv = 8;          // rms, scalp
  double alpha_uv = 0;        // rms at the forehead, of spindles of 10 Hz
  double delta_uv = 0;        // rms, of waves of 1.5 Hz
  double emg_uv = 3;          // rms, muscles, nerves, neck
  double amplifier_uv = 0.4;  // rms, everywhere
  double artefact_uv = 100;   // at each stimulus, decays with 0.5 ms
  double ecg_uv = 0;          // peak
  double duration_s = std::numeric_limits<double>::infinity();
  bool has_vitals = false;
  double vitals[kVitalCount] = {78, 66, 99, 36, 36.5, 45};  // by Vital
  std::optional<double> impedance_kohm;  // of every electrode; nothing: nobody measures it
  bool fades = true;                     // MEP over hours
  double fade_from_s = 0;                // of anaesthesia before the first sample
  int sulcus = 4;                        // between this contact of the strip and the next
  Side strip = Side::kLeft;
  int midline = 4;  // between this contact on the cord and the next
  std::vector<ScenarioEvent> events;
};

// Channels and stimulators of a spinal case: what a scenario has that names none.
Scenario DefaultScenario();

// Parses a scenario. `name` stands before the line number in messages.
//   kInvalidArgument  "cord.scenario:12: ...": what is wrong, and what would be right
absl::StatusOr<Scenario> ParseScenario(absl::string_view text, absl::string_view name);

// The scenarios that ship with Remora, by name ("cord", "S09") or by their word
// ("cord-derotation"); empty if there is none.
absl::string_view ShippedScenario(absl::string_view name);
std::vector<std::string> ShippedScenarioNames();

}  // namespace remora::agent::sim
