// A small patient for tests: two scalp electrodes and a muscle at 2 kHz, a median stimulus 5 times
// a second, an N20 and a P25 whose size and delay the test sets over time, and faults where it
// wants them. Deterministic from its seed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent {

// How the source says that a stimulus came.
enum class Telling {
  kTriggers,
  kNotes,         // an annotation "STIM MED R"
  kLateNotes,     // the same, after its samples were delivered
  kChannel,       // an edge of the channel TRIG, in a rate group whose blocks come last
  kNamelessNotes  // an annotation that only the plan's prefix "N1" makes a stimulus
};

struct PatientScript {
  double seconds = 60;
  double stimulus_hz = 5;
  uint64_t seed = 1;
  int block_ms = 40;
  // At a time in s: factors of the response's amplitude and latency.
  std::function<double(double)> amplitude = [](double) { return 1.0; };
  std::function<double(double)> latency = [](double) { return 1.0; };
  // Changes a sample (channel 0 CPc, 1 Front, 2 TA) after it was made; time in s.
  std::function<double(int, double, double)> fault = [](int, double, double uv) { return uv; };
  // False: the stimulus at that time is given and answered, but its trigger is lost.
  std::function<bool(double)> told = [](double) { return true; };
  Telling telling = Telling::kTriggers;
  // Current of the stimulus at that time, as the source says it; 0: it does not say.
  std::function<double(double)> delivered_ma = [](double) { return 0.0; };
  // What a stimulus leaves in the muscle's channel for 1 ms.
  double muscle_artefact_uv = 0;
  // Nothing was recorded in [gap_from_s, gap_to_s); a gap of no length is a jump of the recorded
  // clock.
  double gap_from_s = -1;
  double gap_to_s = -1;
};

class ScriptedSource : public SignalSource {
 public:
  explicit ScriptedSource(PatientScript script);
  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;

  static constexpr double kRateHz = 2000;
  static constexpr double kLimitUv = 3000;

 private:
  double Noise();
  double Sample(int channel, double time_s);
  void MakeBlock();
  void TellStimulus(double time_s, std::vector<SourceEvent>* late);
  SampleBlock TriggerBlock(const SampleBlock& of) const;

  const PatientScript script_;
  SourceInfo info_;
  std::deque<Item> ready_;
  int64_t next_sample_ = 0;
  int64_t delivered_ = 0;
  uint64_t noise_state_;
  bool gap_told_ = false;
  bool ended_ = false;
};

// A plan for it: trace "SEP_UPPER/R/CPc-Front" of 20 sweeps, and EMG of TA; `more` is added to the
// evoked block.
CasePlan PatientPlan(const std::string& more = "baseline { first_averages_count: 2 }");

}  // namespace remora::agent
