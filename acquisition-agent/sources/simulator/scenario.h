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

namespace remora::agent::sim {

struct Stimulator {
  Nerve nerve = Nerve::kMedian;
  Side side = Side::kLeft;
  double rate_hz = 3.1;
  double current_ma = 25;
};

struct ScenarioEvent {
  enum class Kind {
    kResponse,         // amplitude and latency of evoked responses
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
    kNote,             // text
  };
  Kind kind = Kind::kNote;
  int line = 0;
  double at_s = 0;
  double for_s = std::numeric_limits<double>::infinity();  // infinity: to the end
  double every_s = 0;                                      // > 0: again and again

  // kResponse, kStopStimulation; nothing set means all.
  std::optional<Nerve> nerve;
  std::optional<Side> side;
  bool levels[3] = {false, false, false};  // by Level
  double amplitude = 1;                    // factor, >= 0
  double latency = 1;                      // factor, (0.5, 2]
  double ramp_s = 0;  // to get there after the beginning, and back after the end

  std::string channel;  // kEmg..., kDisconnect, kSaturate
  double level_uv = 0;  // peak: kEmg..., kDiathermy, kMains
  double rate_hz = 0;   // kEmgTrain
  bool flat = false;    // kDisconnect
  std::string text;     // kNote
};

struct Scenario {
  std::string title;
  std::vector<Site> channels;
  std::vector<Stimulator> stimulators;
  double sample_rate_hz = 5000;
  double mains_hz = 50;
  double mains_uv = 2;        // peak
  double eeg_uv = 8;          // rms, scalp
  double emg_uv = 3;          // rms, muscles, nerves, neck
  double amplifier_uv = 0.4;  // rms, everywhere
  double artefact_uv = 100;   // at each stimulus, decays with 0.5 ms
  double ecg_uv = 0;          // peak
  double duration_s = std::numeric_limits<double>::infinity();
  std::vector<ScenarioEvent> events;
};

// Channels and stimulators of a spinal case: what a scenario has that names none.
Scenario DefaultScenario();

// Parses a scenario. `name` stands before the line number in messages.
//   kInvalidArgument  "cord.scenario:12: ...": what is wrong, and what would be right
absl::StatusOr<Scenario> ParseScenario(absl::string_view text, absl::string_view name);

// The scenarios that ship with Remora; empty if there is none of that name.
absl::string_view ShippedScenario(absl::string_view name);
std::vector<std::string> ShippedScenarioNames();

}  // namespace remora::agent::sim
