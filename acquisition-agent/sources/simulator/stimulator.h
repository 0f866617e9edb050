// The stimulators of a scenario: what each delivers, and what its stimuli are called. A plan refers
// to the labels, so they never change.
//
//   kind          label                     site of a stimulus    delivers
//   SEP           "MED L", "TIB R", "ULN L"                       by turns, at a rate
//   MEP           "MEP C3-C4"               "C3-C4"               a train each so many seconds
//   D-wave        "DWAVE"                                         single pulses at 1 Hz, a few
//   train-of-four "TOF L hand"                                    four pulses at 2 Hz: 4 triggers
//   screw, nerve  "SCREW L4 L", "DNS L5 R"  "L4 L"                only what a test delivers
//   larynx        "RLN L", "VAGUS L"                              a pulse each so many seconds
//   BAEP, VEP     "BAEP L", "VEP L"                               by turns, at a rate
//   cortex        "DCS G5"                  "G5"                  a train each so many seconds
//   white matter  "SUBCORTICAL leg R"       "leg R"               the same
//   midline       "MIDLINE contact 3"       "contact 3"           its contacts in turn, at a rate
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "acquisition-agent/sources/simulator/electrodes.h"
#include "acquisition-agent/sources/simulator/muscles.h"

namespace remora::agent::sim {

enum class StimulusKind {
  kSep,
  kMep,
  kDwave,
  kTof,
  kScrew,
  kNerve,
  kRln,
  kVagus,
  kBaep,
  kVep,
  kDcs,
  kSubcortical,
  kMidline,
};

struct Stimulator {
  Nerve nerve = Nerve::kMedian;  // kSep
  Side side = Side::kLeft;       // of the nerve, ear, eye, limb or screw; of the muscles moved
  double rate_hz = 3.1;          // of those that take turns; otherwise of the pulses of one round
  double current_ma = 25;        // 0: it holds the voltage
  StimulusKind kind = StimulusKind::kSep;
  double volts = 0;
  double every_s = 0;  // from round to round of those that do not take turns; 0: only in tests
  double from_s = 0;
  double until_s = std::numeric_limits<double>::infinity();
  double threshold = 0;  // of a response, in its own unit; 0: a quarter of what it delivers
  int pulses = 1;        // of a train
  double pulse_interval_ms = 0;
  double pulse_us = 200;
  int sweeps = 1;                // stimuli of one round
  int contacts = 8;              // kMidline
  int root = 0;                  // kScrew, kNerve
  Region region = Region::kArm;  // kDcs, kSubcortical: what it moves; kTof: arm for the hand
  std::string site;              // "C3-C4", "G5"

  bool takes_turns() const {
    return kind == StimulusKind::kSep || kind == StimulusKind::kBaep ||
           kind == StimulusKind::kVep || kind == StimulusKind::kMidline;
  }
  double intensity() const { return volts > 0 ? volts : current_ma; }
};

// `number` counts its stimuli; only the contacts of the midline depend on it.
std::string StimulusLabel(const Stimulator& stimulator, int64_t number);
std::string StimulusSite(const Stimulator& stimulator, int64_t number);

absl::string_view SideLetter(Side side);  // "L", "R"

}  // namespace remora::agent::sim
