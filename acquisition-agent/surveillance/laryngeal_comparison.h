// What a response of the larynx is compared with: the baseline of continuous monitoring, or V1 and
// R1 of the same side when the nerve is stimulated from time to time.
//
//   continuous     20 good stimuli --robust--> BaselineSet; every later one is compared with it
//                        '------- not robust, told why: the next 20
//   intermittent   V1, R1 kept by side --> BaselineSet at the first V2, R2 of that side
//
// Robust: each of the 20 is answered; the median amplitude is over kSatisfactoryLaryngealUv; the
// middle half of the amplitudes spans at most kMaxBaselineAmplitudeSpread of the median, and that
// of the latencies kMaxBaselineLatencySpread (interquartile ranges: a single swallow spoils
// neither). The spans are Remora's own: a response at half of the baseline then lies outside what
// chance does. The first baseline stays: there is no command for another one.
//
// One a plan entry with a laryngeal modality, owned by its MotorWatch; thread-compatible. Records
// it makes: BaselineSet, and a system Message when none can be set, once for each cause.
// Memory: the answers of 20 stimuli a muscle, and of as many a nerve and side.
//
// A response that is not like for like with the baseline has its numbers, and is NOT_INTERPRETABLE.
// That nothing answered is no comparison: it stays NO_RESPONSE. States are shown; no alert is made
// of them.
//
// What it says of a loss of signal are facts for a person: what the first response was, which
// current came, what the last train-of-four was. It never makes a state milder.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "acquisition-agent/pipelines/laryngeal_site.h"
#include "acquisition-agent/pipelines/motor_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "acquisition-agent/surveillance/latest_train.h"
#include "dsp/assess/fixed_criteria.h"

namespace remora::agent {

class LaryngealComparison {
 public:
  // `trains` may be null: nothing is known of relaxation. `sink` outlives it.
  LaryngealComparison(const ResolvedMotor& plan, std::shared_ptr<const LatestTrain> trains,
                      RecordSink& sink);

  // Whether entries of this modality are compared here.
  static bool IsFor(v1::Modality modality);

  // First, in the middle of a case: takes up its baselines, whose site of continuous stimulation is
  // not on record and so is no difference. What V1 and R1 answered before, with no V2 or R2 behind
  // it, is not known. What a person has to know; "" is nothing.
  std::string Restore(const CasePast& past);

  // Before the measurement of a good answer is written: adds the baseline, the comparison and the
  // facts to what it measured.
  void Compare(const MotorTrial& trial, size_t muscle, int64_t now_ns,
               v1::Measurement* measurement);
  // After it was written, with the answer's sweep record.
  void Keep(const MotorTrial& trial, size_t muscle, const RecordKey& sweep, int64_t now_ns);

 private:
  struct Answer {
    RecordKey sweep;
    bool present = false;
    double amplitude_uv = 0;
    double latency_ms = 0;
    std::vector<double> uv;
    dsp::Timebase timebase;
    double uv_per_count = 0;
    v1::StimulusSetting setting;
    dsp::RecordingConditions conditions;
  };
  struct Baseline {
    RecordKey id;
    double amplitude_uv = 0;
    double latency_ms = 0;
    v1::StimulusSetting setting;
    dsp::RecordingConditions conditions;
  };
  // The answers of one nerve and side, or all of continuous monitoring.
  struct Series {
    std::deque<Answer> kept;
    std::optional<Baseline> baseline;
    std::string why_none;
    int told_cause = 0;  // of why_none
    uint32_t tried = 0;  // stimuli of baselines that were not set
  };
  using Place = std::pair<LaryngealSite::Nerve, v1::Side>;

  // Delivered, else asked for, in mA; 0: not known.
  static double CurrentOf(const v1::StimulusSetting& setting);

  Series& SeriesAt(size_t muscle, const Place& place) { return series_[muscle][place]; }
  std::optional<Place> PlaceOf(const v1::BaselineSet& set) const;
  std::optional<Place> PlaceOf(const MotorTrial& trial, size_t muscle, bool* is_second) const;
  dsp::RecordingConditions ConditionsOf(const MotorTrial& trial, size_t muscle) const;
  static std::string WhyNotRobust(const std::deque<Answer>& answers, int* cause);
  void TryContinuous(size_t muscle, Series* series, int64_t now_ns);
  void TryFirst(size_t muscle, const Place& place, Series* series, int64_t now_ns);
  void SetBaseline(size_t muscle, const std::vector<const Answer*>& from, const std::string& reason,
                   Series* series, int64_t now_ns);
  void Hold(const Baseline& baseline, const MotorTrial& trial, size_t muscle,
            std::vector<std::string>* reasons, v1::Measurement* measurement) const;
  std::string InitialResponse(size_t muscle, const std::optional<Place>& place) const;

  const ResolvedMotor plan_;
  const bool continuous_;
  const std::shared_ptr<const LatestTrain> trains_;
  RecordSink& sink_;
  std::vector<std::map<Place, Series>> series_;  // by muscle
};

}  // namespace remora::agent
