// EvokedTrace: baselines, by the plan and by a person.
#include "acquisition-agent/surveillance/evoked_trace.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/baseline_records.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::agent {

void EvokedTrace::CollectBaseline(const Finished& finished, int64_t now_ns) {
  const uint32_t wanted = plan_.plan.baseline().first_averages_count();
  if (wanted == 0 || !collects_) return;
  if (!finished.reproducible || finished.marking.presence != dsp::Presence::kPresent ||
      (!finished.average.decided && finished.average.accepted < finished.average.requested)) {
    return;
  }
  candidates_.push_back(finished);
  if (candidates_.size() < wanted) return;
  v1::BaselineSet set;
  set.set_kind(v1::BASELINE_KIND_PRE_INCISION);
  set.set_actor("plan");
  set.set_reason(
      absl::StrCat("mean of the first ", wanted, " averages that pass the quality gate"));
  std::vector<const Finished*> from;
  for (const Finished& candidate : candidates_) from.push_back(&candidate);
  // What makes no baseline (peaks that disagree, or are too small to follow) is not held on to: the
  // newer averages may, with those to come.
  if (!SetBaseline(from, std::move(set), now_ns).ok()) {
    candidates_.erase(candidates_.begin());
  } else {
    candidates_.clear();
  }
}

dsp::PairMarking EvokedTrace::Mark(const EvokedAverage& average) const {
  if (!tracker_.has_baseline()) return MarkWithoutHistory(average);
  dsp::PeakTracker looking = tracker_;  // leaves no memory
  return looking.Track(average.mean_uv, average.timebase, average.noise_uv).marking;
}

// The constituents show the same peaks as their mean, or the mean is of nothing.
absl::Status EvokedTrace::CheckAgreement(const std::vector<const Finished*>& from,
                                         const dsp::PairMarking& marking) const {
  const auto clear = [](const dsp::PairMarking& one) {
    return one.presence == dsp::Presence::kPresent;
  };
  for (const Finished* one : from) {
    if (!clear(one->marking)) {
      return absl::FailedPreconditionError(
          absl::StrCat("the marks of average ", one->average.block_index + 1,
                       " are not clear: ", dsp::DoubtText(one->marking.doubts)));
    }
    const double distance_ms = one->marking.first.latency_ms - marking.first.latency_ms;
    if (std::fabs(distance_ms) > kSameLatencyShare * marking.first.latency_ms) {
      return absl::FailedPreconditionError(absl::StrFormat(
          "the averages disagree: %s lies at %.1f ms in average %d and at %.1f ms in their mean",
          plan_.plan.component(0).label(), one->marking.first.latency_ms,
          one->average.block_index + 1, marking.first.latency_ms));
    }
  }
  if (!clear(marking)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the marks of the averages' mean are not clear: ", dsp::DoubtText(marking.doubts)));
  }
  return absl::OkStatus();
}

absl::Status EvokedTrace::SetBaseline(const std::vector<const Finished*>& from, v1::BaselineSet set,
                                      int64_t now_ns) {
  EvokedAverage mean = from[0]->average;
  std::fill(mean.mean_uv.begin(), mean.mean_uv.end(), 0.0);
  Baseline baseline;
  double noise_squares = 0;
  const double share = 1.0 / static_cast<double>(from.size());
  mean.accepted = 0;
  double bias_uv = 0;
  for (const Finished* one : from) {
    for (size_t i = 0; i < mean.mean_uv.size(); ++i) {
      mean.mean_uv[i] += share * one->average.mean_uv[i];
    }
    mean.accepted += one->average.accepted;
    noise_squares += share * share * one->average.noise_uv * one->average.noise_uv;
    // It comes of the noise, and falls with its power.
    bias_uv += share * share * one->bias_uv;
  }
  mean.noise_uv = std::sqrt(noise_squares);
  const dsp::PairMarking marking = Mark(mean);
  RETURN_IF_ERROR(CheckAgreement(from, marking));
  if (!(marking.amplitude_uv > bias_uv)) {
    return absl::FailedPreconditionError("its amplitude is no more than what noise adds to it");
  }
  for (const Row& row : rows_) {
    // Before anything is on record.
    RETURN_IF_ERROR(dsp::FixedCriterion::Create(
                        row.limits, {marking.amplitude_uv - bias_uv, marking.first.latency_ms})
                        .status());
  }
  RETURN_IF_ERROR(tracker_.SetBaseline(mean.mean_uv, mean.timebase, mean.noise_uv, marking));
  for (Row& row : rows_) row.lost_its_baseline = false;
  baseline.amplitude_uv = std::max(0.0, tracker_.baseline().amplitude_uv - bias_uv);
  baseline.latency_ms = tracker_.baseline().first.latency_ms;
  baseline.marks = MarkAll(mean, marking);
  baseline.mean_uv = mean.mean_uv;
  baseline.conditions = ConditionsOf(from.back()->average);
  const v1::Sweep packed = MakeSweep(mean, plan_);
  set.set_trace_id(plan_.trace_id);
  set.clear_sweeps();
  for (const Finished* one : from) *set.add_sweeps() = ToProto(one->sweep);
  set.set_amplitude_uv(baseline.amplitude_uv);
  set.set_latency_ms(baseline.latency_ms);
  set.set_component(ComponentName());
  *set.mutable_average() = packed.average();
  set.set_first_sample_ms(packed.first_sample_ms());
  set.set_sample_rate_hz(packed.sample_rate_hz());
  *set.mutable_filter() = plan_.plan.filter();
  *set.mutable_stimulus() = packed.stimulus();
  Seal(&set);
  v1::Record record;
  *record.mutable_baseline_set() = std::move(set);
  baseline.id = sink_.Put(&record, now_ns);
  return AddBaseline(std::move(baseline));
}

absl::Status EvokedTrace::AddBaseline(Baseline baseline) {
  // Of all rows or of none: a row without a criterion would judge everything to be well.
  std::vector<dsp::FixedCriterion> criteria;
  for (const Row& row : rows_) {
    ASSIGN_OR_RETURN(
        dsp::FixedCriterion criterion,
        dsp::FixedCriterion::Create(row.limits, {baseline.amplitude_uv, baseline.latency_ms}));
    criteria.push_back(std::move(criterion));
  }
  if (baselines_.size() == 2) baselines_.pop_back();
  baselines_.push_back(std::move(baseline));
  for (size_t i = 0; i < rows_.size(); ++i) {
    std::vector<dsp::FixedCriterion>& against = rows_[i].against;
    if (against.size() == 2) against.pop_back();
    against.push_back(std::move(criteria[i]));
  }
  return absl::OkStatus();
}

void EvokedTrace::Refuse(const v1::BaselineSet& asked, const RecordKey& asked_by,
                         const std::string& why, int64_t now_ns) {
  PutSystemMessage(absl::StrCat("Baseline of ", asked.trace_id(), " not set: ", why), asked_by,
                   now_ns, sink_);
}

void EvokedTrace::OnBaselineAsked(const v1::BaselineSet& asked, const RecordKey& asked_by,
                                  int64_t now_ns) {
  if (has_open_alert()) {
    Refuse(asked, asked_by,
           "an alert is on for this trace. A baseline set now would hide what it shows; set it "
           "when the alert has recovered, or resolve or dismiss the alert first",
           now_ns);
    return;
  }
  std::vector<const Finished*> from;
  for (const v1::RecordId& id : asked.sweeps()) {
    const RecordKey key = FromProto(id);
    const auto found = std::find_if(finished_.begin(), finished_.end(),
                                    [&](const Finished& one) { return one.sweep == key; });
    if (found == finished_.end()) {
      Refuse(asked, asked_by,
             absl::StrCat("sweep ", id.origin_seq(), " is not one of the last ",
                          kMaxRememberedAverages, " finished averages of this trace"),
             now_ns);
      return;
    }
    from.push_back(&*found);
  }
  if (from.empty() && !finished_.empty()) from.push_back(&finished_.back());
  if (from.empty()) {
    Refuse(asked, asked_by, "there is no finished average yet", now_ns);
    return;
  }
  v1::BaselineSet set;
  set.set_kind(asked.kind());
  set.set_actor(asked.actor());
  set.set_reason(asked.reason());
  *set.mutable_asked_by() = ToProto(asked_by);
  if (const absl::Status status = SetBaseline(from, std::move(set), now_ns); !status.ok()) {
    Refuse(asked, asked_by, std::string(status.message()), now_ns);
  }
}

}  // namespace remora::agent
