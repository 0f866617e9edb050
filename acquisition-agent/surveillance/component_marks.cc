#include "acquisition-agent/surveillance/component_marks.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "acquisition-agent/pipelines/decided_average.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "dsp/evoked/wave_series.h"

namespace remora::agent {
namespace {

// Of a pair's peaks: no other choice is worth as much.
constexpr double kGiven = 1e6;

bool IsThere(const v1::PeakMark& mark) {
  return mark.confidence() != v1::MARK_CONFIDENCE_UNSPECIFIED &&
         mark.confidence() != v1::MARK_CONFIDENCE_NO_RESPONSE;
}

v1::PeakMark MarkOf(const std::string& label, const dsp::Extremum& peak, dsp::Presence presence,
                    const std::string& reason) {
  v1::PeakMark mark;
  mark.set_label(label);
  mark.set_confidence(ConfidenceOf(presence));
  if (presence == dsp::Presence::kAbsent) return mark;
  mark.set_latency_ms(FiniteOr0(peak.latency_ms));
  mark.set_amplitude_uv(FiniteOr0(peak.value_uv));
  mark.set_reason(reason);
  return mark;
}

double UsualMs(const v1::ComponentPlan& component) {
  return component.expected_ms() > 0
             ? component.expected_ms()
             : 0.5 * (component.window_from_ms() + component.window_to_ms());
}

// The further components, beside those of the pair that stand already.
class Further {
 public:
  Further(const v1::EvokedPlan& plan, const EvokedAverage& average,
          const std::vector<v1::PeakMark>& baseline, std::vector<v1::PeakMark>* marks)
      : plan_(plan), average_(average), baseline_(baseline), marks_(*marks), order_(marks->size()) {
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](int a, int b) {
      return UsualMs(plan.component(a)) < UsualMs(plan.component(b));
    });
    options_.longest_fall_ms = kLongestFallShare * UsualMs(plan.component(order_.back()));
    const bool has_moved = !baseline.empty() && IsThere(marks_[0]) && IsThere(baseline[0]);
    if (has_moved) moved_ = marks_[0].latency_ms() / baseline[0].latency_ms();
  }

  // Looks for those that are not marked yet.
  void Mark(bool near) {
    options_.waves.clear();
    for (const int i : order_) options_.waves.push_back(WaveOf(i, near));
    const auto found =
        dsp::MarkWaves(average_.mean_uv, average_.timebase, average_.noise_uv, options_);
    // A sample that is no number: nothing is marked.
    if (!found.ok()) return;
    for (size_t place = 0; place < order_.size(); ++place) {
      const int i = order_[place];
      const dsp::WaveMark& wave = (*found)[place];
      if (i < 2 || IsThere(marks_[i])) continue;
      marks_[i] = MarkOf(plan_.component(i).label(), wave.peak, wave.presence,
                         wave.presence == dsp::Presence::kUncertain ? "low signal" : "");
    }
  }

 private:
  dsp::Wave WaveOf(int i, bool near) const {
    const v1::ComponentPlan& component = plan_.component(i);
    dsp::Wave wave{component.label(), PolarityOf(component.polarity()), WindowNear(component, 0)};
    if (IsThere(marks_[i])) {
      const double at_ms = marks_[i].latency_ms();
      const double step_ms = average_.timebase.StepMs();
      wave.window = {at_ms - step_ms, at_ms + step_ms};
      wave.weight = kGiven;
    } else if (near) {
      const bool was_there = !baseline_.empty() && IsThere(baseline_[i]);
      const dsp::LatencyWindow around = WindowNear(
          component, was_there ? moved_ * baseline_[i].latency_ms() : component.expected_ms());
      if (around.end_ms > around.start_ms) wave.window = around;
    }
    return wave;
  }

  const v1::EvokedPlan& plan_;
  const EvokedAverage& average_;
  const std::vector<v1::PeakMark>& baseline_;
  std::vector<v1::PeakMark>& marks_;
  std::vector<int> order_;  // of the components, by where they usually lie
  dsp::WaveSeriesOptions options_;
  double moved_ = 1;
};

const v1::PeakMark* Find(const std::vector<v1::PeakMark>& marks, const std::string& label) {
  const auto found = std::find_if(marks.begin(), marks.end(),
                                  [&](const v1::PeakMark& mark) { return mark.label() == label; });
  return found == marks.end() ? nullptr : &*found;
}

}  // namespace

std::vector<v1::PeakMark> MarkComponents(const v1::EvokedPlan& plan, const EvokedAverage& average,
                                         const dsp::PairMarking& pair,
                                         const std::vector<v1::PeakMark>& baseline) {
  const std::string doubts = dsp::DoubtText(pair.doubts);
  std::vector<v1::PeakMark> marks;
  marks.push_back(MarkOf(plan.component(0).label(), pair.first, pair.presence, doubts));
  marks.push_back(MarkOf(plan.component(1).label(), pair.second, pair.presence, doubts));
  if (plan.component_size() == 2) return marks;
  for (int i = 2; i < plan.component_size(); ++i) {
    marks.push_back(MarkOf(plan.component(i).label(), {}, dsp::Presence::kAbsent, ""));
  }
  Further further(plan, average, baseline, &marks);
  further.Mark(/*near=*/true);
  further.Mark(/*near=*/false);
  return marks;
}

v1::MarkConfidence LowerOf(v1::MarkConfidence a, v1::MarkConfidence b) {
  for (const v1::MarkConfidence low :
       {v1::MARK_CONFIDENCE_UNSPECIFIED, v1::MARK_CONFIDENCE_NO_RESPONSE,
        v1::MARK_CONFIDENCE_UNCERTAIN}) {
    if (a == low || b == low) return low;
  }
  return a == v1::MARK_CONFIDENCE_PERSON ? b : a;
}

v1::Interval MeasureInterval(const v1::IntervalPlan& interval,
                             const std::vector<v1::PeakMark>& marks,
                             const std::vector<v1::PeakMark>& baseline) {
  v1::Interval measured;
  measured.set_name(interval.name());
  const auto between = [&](const std::vector<v1::PeakMark>& of, v1::MarkConfidence* confidence) {
    const v1::PeakMark* from = Find(of, interval.from_component());
    const v1::PeakMark* to = Find(of, interval.to_component());
    if (from == nullptr || to == nullptr) return 0.0;
    *confidence = LowerOf(from->confidence(), to->confidence());
    return IsThere(*from) && IsThere(*to) ? to->latency_ms() - from->latency_ms() : 0.0;
  };
  v1::MarkConfidence confidence = v1::MARK_CONFIDENCE_UNSPECIFIED;
  measured.set_baseline_ms(between(baseline, &confidence));
  measured.set_interval_ms(between(marks, &confidence));
  measured.set_confidence(confidence);
  return measured;
}

}  // namespace remora::agent
