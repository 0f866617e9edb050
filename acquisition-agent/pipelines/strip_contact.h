// One contact of a strip in one round of a map: its average, and whether it can be used.
//
// Pure; thread-compatible value, owned by a MappingPipeline on its sequence.
//
//   open --sweep_count accepted--------------------------------> whole
//        --so many offered, under kMinCutShare of them good----> dead
//        --kMaxOfferedFactor times as many offered-------------> worn out: used with what it has
//
// A contact is usable with kMinCutShare of its sweeps, as an average that ends early is.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/pipelines/sweep_stream.h"
#include "dsp/evoked/sweep_average.h"

namespace remora::agent {

class StripContact {
 public:
  StripContact(size_t samples, const dsp::Timebase& timebase, uint32_t sweep_count)
      : average_(samples, timebase), sweep_count_(sweep_count) {}

  // `setting` is its stimulus's. A sweep behind the last one that is needed changes nothing.
  void Add(const CutSweep& sweep, const v1::StimulusSetting& setting);
  void Reset();

  // Whether it has sweeps with a stimulus of another kind.
  bool IsOfAnother(const v1::StimulusSetting& setting) const {
    return average_.offered() > 0 && !IsSameStimulus(setting_, setting);
  }
  bool is_whole() const { return average_.accepted() >= sweep_count_; }
  bool is_open() const;
  bool is_usable() const;
  // The least number of sweeps that may close it; 0: it is closed.
  uint32_t sweeps_to_close() const;
  // Why it is not usable: the cause of most of its sweeps; "" where nothing was wrong with them,
  // and there were too few.
  dsp::Rejection cause() const;
  // Of the offered ones, those whose stimulus was not delivered.
  bool was_not_delivered() const { return 2 * undelivered_ > average_.offered(); }

  const dsp::SweepAverage& average() const { return average_; }
  const v1::StimulusSetting& setting() const { return setting_; }
  int64_t first_stimulus_ns() const { return first_stimulus_ns_; }
  int64_t last_stimulus_ns() const { return last_stimulus_ns_; }

 private:
  bool is_dead() const;

  dsp::SweepAverage average_;
  uint32_t sweep_count_;
  uint32_t undelivered_ = 0;
  v1::StimulusSetting setting_;  // of the last sweep that was averaged, or else of the first
  int64_t first_stimulus_ns_ = 0;
  int64_t last_stimulus_ns_ = 0;
};

}  // namespace remora::agent
