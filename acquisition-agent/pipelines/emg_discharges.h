// The discharges of one muscle, as they are told: spikes, bursts, trains and artefacts
// (dsp/emg/burst_train.h), trains by name with their train time (dsp/emg/train_pattern.h), and
// silence after a tall burst (dsp/emg/silence.h).
//
//   piece + what all muscles together say of it -+-> activities; of spikes at most so many a second
//                                                +-> A-, B- and C-trains
//                                                '-> silence
//
// Spikes beyond kMaxSpikesPerSecond are counted: what is told next says how many they were, and if
// nothing comes the last of them is told when its second is over. What is longer is always told,
// and so is the end of all that was told as ongoing.
//
// While the cortex is stimulated (Piece::stimulated), all is told as ever, and what runs in that
// time says so: it may be an answer, or a nerve.
//
// Pure, thread-compatible, on the agent's sequence. A train that runs a second is told by its
// length alone, and alerts; one that has a name is told beside it, with its own begin and end: an
// A-train of 0.3 s never is a train of a second. What was told once keeps its start, also where the
// device's clock is corrected meanwhile.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/continuous_stream.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "dsp/emg/artefact_class.h"
#include "dsp/emg/burst_train.h"
#include "dsp/emg/silence.h"
#include "dsp/emg/train_pattern.h"
#include "remora/v1/measurement.pb.h"

namespace remora::agent {

struct EmgEvent {
  // Without a kind it is for the criteria alone, between two records of a train.
  v1::EmgActivity activity;
  // A train that is still going on, told each second from its first on.
  bool train_ongoing = false;
  bool train_ended = false;
  // It ended because an artefact, a pause or a hole cut it off: it may be going on.
  bool interrupted = false;
  bool stimulated = false;       // the cortex was stimulated in it: it may be an answer to that
  std::vector<double> trace_uv;  // of a train: the last stretch of it, for its alert's evidence
  double trace_rate_hz = 0;
};

// What the detector knows at the end of an output.
struct EmgState {
  double silent_ms = 0;      // no discharge and no artefact for so long
  double unassessed_ms = 0;  // for so long no train could have been told
  std::string unassessed_because;
};

class EmgDischarges {
 public:
  // `sent_rate_hz`: of Piece::sent_uv. InvalidArgument: the sample rate is none that a detector
  // takes.
  static absl::StatusOr<EmgDischarges> Create(const ResolvedEmg& plan, double sent_rate_hz);

  // The next piece that is not empty, in the order of time, with what all muscles of its rate group
  // together say of it, and of this one among them.
  void Take(const Piece& piece, const dsp::ArtefactVerdict& verdict, std::vector<EmgEvent>* events);
  // After the last piece of a segment.
  void EndSegment(std::vector<EmgEvent>* events);
  // After the last segment of all.
  void End(std::vector<EmgEvent>* events);

  EmgState state() const;
  double noise_floor_uv() const { return detector_.noise_floor_uv(); }  // 0 while it learns
  double threshold_uv() const { return detector_.threshold_uv(); }

 private:
  // What is told under its start until it ends.
  struct Open {
    uint64_t first_sample = 0;
    int64_t started_ns = 0;
    bool is_open = false;
  };

  EmgDischarges(const ResolvedEmg& plan, double sent_rate_hz, dsp::BurstTrainDetector detector,
                dsp::TrainPatternDetector patterns, dsp::SilenceWatch silence);
  void TellActivities(const std::vector<dsp::Activity>& activities, std::vector<EmgEvent>* events);
  void TellTrain(std::vector<EmgEvent>* events);
  void TellPatterns(const std::vector<dsp::PatternTrain>& trains, std::vector<EmgEvent>* events);
  void TellSilence(const dsp::SilenceAfterBurst& silence, std::vector<EmgEvent>* events);
  void TellAllMuscles(const dsp::ArtefactVerdict& verdict, std::vector<EmgEvent>* events);
  EmgEvent NewEvent(v1::EmgActivityKind kind) const;
  EmgEvent Describe(const dsp::Activity& activity);
  std::string ReasonOf(const dsp::Activity& activity);
  // Of an activity between these samples of the detectors.
  bool IsStimulated(uint64_t first_sample, uint64_t last_sample) const;
  static void AddReason(const std::string& reason, EmgEvent* event);
  // Says in it how many spikes before it were not told.
  void AddUntold(EmgEvent* event);
  void TellUntold(std::vector<EmgEvent>* events);
  // The start of what began at this sample of the detectors, as it was told first.
  int64_t StartOf(Open* open, uint64_t first_sample, bool goes_on);
  int64_t TimeOf(double position) const;
  int64_t TimeOfSample(uint64_t sample) const;

  ResolvedEmg plan_;
  double sent_rate_hz_;
  dsp::BurstTrainDetector detector_;
  dsp::TrainPatternDetector patterns_;
  dsp::SilenceWatch silence_;

  double position_zero_ns_ = 0;
  int64_t next_position_ = 0;      // of the next sample after the filter
  uint64_t detected_samples_ = 0;  // given to the detectors
  int64_t detector_offset_ = 0;    // position of a detector's sample - its number
  dsp::ArtefactVerdict verdict_;   // of the artefact that goes on, or was last
  Open activity_;
  Open fast_;  // A-trains end after what follows them begins
  Open slow_;
  int64_t all_muscles_since_ns_ = 0;  // 0: they are not
  std::string all_muscles_because_;
  // The samples of the detectors that were stimulated last, from the first to before the last.
  uint64_t stimulated_from_ = 0;
  uint64_t stimulated_to_ = 0;
  int64_t train_told_ns_ = 0;
  std::deque<double> recent_;  // filtered and decimated, for evidence
  int64_t second_ = 0;         // of the last spike
  int spikes_in_second_ = 0;
  int untold_ = 0;
  EmgEvent untold_spike_;  // the last of them
};

}  // namespace remora::agent
