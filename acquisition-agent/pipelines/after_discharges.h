// After-discharges in one derivation of EEG or ECoG, behind the stimuli that the plan names: the
// detector of dsp/eeg, told when is stimulated and which samples are brain.
//
// Pure, thread-compatible, on the agent's sequence. Stimulation is from a train's first pulse to
// its last, or as long as an annotation says; pulses that are told one by one make one stretch when
// they follow each other within a few ms. Samples that are no EEG (clipped, flat, in interference)
// right before, in and right behind a stimulation belong to it: an amplifier that takes long to
// come back costs that time, and not the background. Elsewhere they end what goes on.
//
// What surrounds a pulse may lie in the piece before it. So each piece waits for the next one, and
// a stimulus for its samples: however far ahead it is told, the same comes of it. The delay is a
// piece, 100 ms; memory, one piece.
//
// A stimulus that is told after its samples is not watched. Where the background of 3 s is not
// known, nothing is told (dsp/eeg/after_discharge.h has the rule and its source).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/continuous_stream.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "dsp/eeg/after_discharge.h"

namespace remora::agent {

// One after-discharge: told when it is one, each kDischargeToldNs while it goes on, and at its end.
struct EegDischarge {
  int64_t started_ns = 0;  // the first discharge
  dsp::AfterDischarge found;
  bool ongoing = false;
  double after_stimulus_ms = 0;
  // Of the stimulus.
  std::string site;
  double current_ma = 0;  // delivered, or else asked for; 0: not known
};

class AfterDischarges {
 public:
  // `sample_rate_hz`: of what is sent. InvalidArgument: a rate under 100 Hz.
  static absl::StatusOr<AfterDischarges> Create(const ResolvedTrigger& trigger,
                                                double sample_rate_hz);

  // One of the plan's, before the piece that holds its time.
  void OnStimulus(const Stimulus& stimulus);
  // The next piece with samples. Appends what became known of those before it.
  void OnPiece(const Piece& piece, std::vector<EegDischarge>* discharges);
  // The end of the source.
  void OnEnd(std::vector<EegDischarge>* discharges);

 private:
  struct Stretch {
    int64_t from_ns = 0;
    int64_t to_ns = 0;
    std::string site;
    double current_ma = 0;
  };

  // A piece that waits.
  struct Held {
    int64_t first_index = 0;
    std::vector<double> uv;
    bool bad = false;
    bool starts_segment = false;
    double position_zero_ns = 0;
  };

  AfterDischarges(const ResolvedTrigger& trigger, double sample_rate_hz,
                  dsp::AfterDischargeDetector detector);
  int64_t TimeOf(int64_t sent_index) const;
  int64_t EndOf(const Held& held) const;
  void Take(const Held& held, int64_t known_until_ns, std::vector<EegDischarge>* discharges);
  // Stimuli that reach into what ends there, as far as all are known.
  void Reach(int64_t end_ns, int64_t known_until_ns);
  bool IsStimulating(int64_t time_ns);
  void Push(std::vector<double> uv, bool stimulating, std::vector<EegDischarge>* discharges);
  void Skip(uint64_t samples, std::vector<EegDischarge>* discharges);
  void Tell(const std::vector<dsp::AfterDischarge>& found, std::vector<EegDischarge>* discharges);

  const ResolvedTrigger trigger_;
  const double sample_rate_hz_;
  dsp::AfterDischargeDetector detector_;
  std::optional<Held> held_;
  std::deque<Stretch> told_;     // one a stimulus, by time
  std::deque<Stretch> waiting_;  // that were reached, joined; by time
  Stretch newest_;               // that was reached
  Stretch watched_;              // whose samples the detector has had
  bool blind_ = false;           // since the stimulation no sample was brain
  bool began_ = false;
  int64_t next_index_ = 0;  // of the sample to come, as sent
  uint64_t position_ = 0;   // the detector's
  double position_zero_ns_ = 0;
  EegDischarge current_;
  int64_t told_ns_ = 0;
};

}  // namespace remora::agent
