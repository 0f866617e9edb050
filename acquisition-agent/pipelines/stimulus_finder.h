// Finds every stimulus of a source, however it is told: as a trigger, an annotation, or an edge of
// a trigger channel. Says which plan entries make epochs of it; all pipelines blank it.
//
// Pure, thread-compatible, on the agent's sequence. One a case, so that what one plan entry finds
// is known to the traces of all. Memory: the last kMaxWaitingTriggers stimuli, to know one that is
// told twice.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent {

struct Stimulus {
  int64_t time_ns = 0;
  std::vector<bool> own;  // by listener of the plan (ResolvedTrigger): makes an epoch there
  // Told before by other means, and blanked then: only `own` is news.
  bool known = false;
  // As the source says it; 0: it does not.
  double delivered_ma = 0;  // or else what was asked for
  double rate_hz = 0;
  int64_t lasts_ns = 0;  // as an annotation says it; 0: it does not, or it is a pulse
  // All that the source says of it: the trigger, or an annotation's text as its label.
  StimulusTrigger told;

  // The time of its last pulse.
  int64_t last_pulse_ns() const;
};

// When what one stimulus tells is over: the last pulse, or as long as an annotation says; at most
// kLongestStimulationNs.
int64_t StimulationEndNs(const Stimulus& stimulus);
// What was touched, as the source says it, or what its label has behind the listener's prefix:
// "L4 L" of "SCREW L4 L". Trimmed; at most a name long.
std::string SiteOf(const Stimulus& stimulus, const ResolvedTrigger& trigger);
// The plan's setting with all that the source says of this stimulus.
v1::StimulusSetting SettingOf(const Stimulus& stimulus, const v1::StimulusSetting& planned);
// Whether responses to both may go into one average: the same current or voltage, rate, width and
// number of pulses, as far as both are known.
bool IsSameStimulus(const v1::StimulusSetting& a, const v1::StimulusSetting& b);

class StimulusFinder {
 public:
  StimulusFinder(const ResolvedPlan& plan, const SourceInfo& source);

  // Each appends what is new.
  void OnTrigger(const StimulusTrigger& trigger, std::vector<Stimulus>* found);
  // False: the text is no stimulus.
  bool OnEvent(const SourceEvent& event, std::vector<Stimulus>* found);
  void OnChunk(const Chunk& chunk, std::vector<Stimulus>* found);

  // Device time up to which every trigger channel has been looked at; the largest number when there
  // is none: triggers and annotations come before the samples of their time.
  int64_t known_until_ns() const;

 private:
  // A trigger channel with a threshold.
  struct Line {
    int rate_group = 0;
    int place = 0;  // in it
    double threshold = 0;
    bool was_high = true;  // the first sample is never an edge
    std::vector<bool> own;
  };

  std::vector<bool> OwnersOf(absl::string_view label, int32_t code) const;
  void Admit(Stimulus stimulus, std::vector<Stimulus>* found);

  std::vector<v1::TriggerPlan> triggers_;  // by listener
  std::vector<Line> lines_;
  std::map<int, int64_t> reached_ns_;  // by rate group that holds a line
  std::deque<Stimulus> recent_;
};

}  // namespace remora::agent
