// The responses of a case as its records tell them: what the picture of a change has of each trace
// (dsp/assess/causes/picture.h). Fed with the case's plan and each measurement, in their order.
//
// A trace counts only while it is known: what was measured last before the change began says
// nothing of what came of it, and is left out. Bounded: 64 measurements a trace. Thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dsp/assess/causes/picture.h"
#include "remora/v1/alert.pb.h"
#include "remora/v1/case.pb.h"
#include "remora/v1/measurement.pb.h"

namespace remora::agent {

class FollowedTraces {
 public:
  void OnPlan(const v1::CasePlanSet& set);
  void OnMeasurement(const v1::Measurement& measurement, int64_t at_ns);

  // Each trace that is known since `onset_ns`, or shortly before it.
  std::vector<dsp::PicturedTrace> Pictured(int64_t onset_ns) const;
  // Of the alert's own trace, or else of the worst in it.
  dsp::Known<dsp::TimeCourse> TimeCourseOf(const v1::Alert& alert) const;
  dsp::Known<dsp::DWaveChange> DWave(int64_t onset_ns) const;
  dsp::Known<dsp::BaepChange> Baep(int64_t onset_ns) const;
  // Whether the muscles that fell did so by no more than time under anaesthesia brings.
  dsp::Known<bool> FitsFade(int64_t onset_ns) const;
  // Names of the traces that have changed, for people.
  std::vector<std::string> Changed(int64_t onset_ns) const;

  struct Place {
    std::string name;
    v1::Modality modality = v1::MODALITY_UNSPECIFIED;
    v1::Side side = v1::SIDE_UNSPECIFIED;
    v1::LevelRole role = v1::LEVEL_ROLE_UNSPECIFIED;
    dsp::BodyPart part = dsp::BodyPart::kArm;
    dsp::SepStage stage = dsp::SepStage::kCortical;
    std::string myotome;
    std::vector<std::string> electrodes;  // that it is recorded between
    std::string stimulus;                 // label or electrodes of what stimulates
  };
  // Null: no trace of the plan.
  const Place* Find(const std::string& trace_id) const;
  const std::map<std::string, Place>& places() const { return places_; }

 private:
  struct Seen {
    int64_t at_ns = 0;
    double percent = 100;  // of the baseline that is oldest
    double latency_rise_percent = 0;
    bool lost = false;
    bool noisy = false;
    double expected_percent = 0;
  };

  dsp::PicturedTrace Picture(const Place& place, const std::deque<Seen>& history) const;
  const std::deque<Seen>* Known(const std::string& trace_id, int64_t onset_ns) const;

  std::map<std::string, Place> places_;              // by trace id
  std::map<std::string, std::deque<Seen>> history_;  // by trace id
  // Of BAEP: by trace id, whether wave I is there.
  std::map<std::string, bool> has_wave_one_;
};

}  // namespace remora::agent
