// LaryngealComparison: when there is a baseline, and what it is made of.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/baseline_records.h"
#include "acquisition-agent/surveillance/laryngeal_comparison.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

enum Cause { kNone, kNotAnswered, kTooSmall, kAmplitudesVary, kLatenciesVary };

// Of the values in order, between which the wanted one lies.
double Quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

// The middle half, as a part of the median.
double Spread(const std::vector<double>& values) {
  return (Quantile(values, 0.75) - Quantile(values, 0.25)) / Quantile(values, 0.5);
}

bool IsPositive(double value) { return std::isfinite(value) && value > 0; }

// Between a BaselineSet's reason and the name of its place.
constexpr char kAtPlace[] = " at ";

// What is satisfactory, and still less than one would have.
std::string Optimal(double amplitude_uv) {
  return amplitude_uv < kOptimalLaryngealUv
             ? absl::StrCat("; under ", kOptimalLaryngealUv, " uV, which is called optimal")
             : "";
}

}  // namespace

void LaryngealComparison::Keep(const MotorTrial& trial, size_t muscle, const RecordKey& sweep,
                               int64_t now_ns) {
  bool is_second = false;
  const std::optional<Place> place = PlaceOf(trial, muscle, &is_second);
  if (!place || (is_second && !continuous_)) return;
  Series& series = SeriesAt(muscle, *place);
  if (series.baseline) return;
  const MuscleAnswer& answer = trial.answers[muscle];
  Answer kept;
  kept.sweep = sweep;
  kept.present = answer.response.presence == dsp::Presence::kPresent;
  kept.amplitude_uv = FiniteOr0(answer.response.amplitude_uv);
  kept.latency_ms = kept.present ? FiniteOr0(answer.response.first.latency_ms) : 0;
  kept.uv = answer.uv;
  kept.timebase = trial.timebase;
  kept.uv_per_count = answer.uv_per_count;
  kept.setting = trial.setting;
  kept.conditions = ConditionsOf(trial, muscle);
  // Stimuli of another setting begin anew.
  if (continuous_ && !series.kept.empty() &&
      !dsp::Differences(series.kept.front().conditions, kept.conditions).empty()) {
    series.kept.clear();
  }
  series.kept.push_back(std::move(kept));
  if (series.kept.size() < kLaryngealBaselineStimuli) return;
  if (continuous_) {
    TryContinuous(muscle, &series, now_ns);
  } else if (series.kept.size() > kLaryngealBaselineStimuli) {
    series.kept.pop_front();
  }
}

// Why these make no robust baseline; "" when they do.
std::string LaryngealComparison::WhyNotRobust(const std::deque<Answer>& answers, int* cause) {
  std::vector<double> amplitudes;
  std::vector<double> latencies;
  for (const Answer& answer : answers) {
    if (!answer.present) continue;
    amplitudes.push_back(answer.amplitude_uv);
    latencies.push_back(answer.latency_ms);
  }
  if (amplitudes.size() < answers.size()) {
    *cause = kNotAnswered;
    return absl::StrCat(answers.size() - amplitudes.size(), " of ", answers.size(),
                        " stimuli had no clear response");
  }
  if (const double uv = Quantile(amplitudes, 0.5); uv <= kSatisfactoryLaryngealUv) {
    *cause = kTooSmall;
    return absl::StrFormat("the median of %d amplitudes is %.0f uV, over %.0f uV is satisfactory",
                           amplitudes.size(), uv, kSatisfactoryLaryngealUv);
  }
  if (const double spread = Spread(amplitudes); spread > kMaxBaselineAmplitudeSpread) {
    *cause = kAmplitudesVary;
    return absl::StrFormat(
        "the middle half of %d amplitudes spans %.0f %% of their median, at "
        "most %.0f %% would be robust",
        amplitudes.size(), 100 * spread, 100 * kMaxBaselineAmplitudeSpread);
  }
  if (const double spread = Spread(latencies); spread > kMaxBaselineLatencySpread) {
    *cause = kLatenciesVary;
    return absl::StrFormat(
        "the middle half of %d latencies spans %.0f %% of their median, at most "
        "%.0f %% would be robust",
        latencies.size(), 100 * spread, 100 * kMaxBaselineLatencySpread);
  }
  *cause = kNone;
  return "";
}

void LaryngealComparison::TryContinuous(size_t muscle, Series* series, int64_t now_ns) {
  int cause = kNone;
  series->why_none = WhyNotRobust(series->kept, &cause);
  if (cause == kNone) {
    std::vector<const Answer*> from;
    for (const Answer& answer : series->kept) from.push_back(&answer);
    SetBaseline(
        muscle, from,
        absl::StrCat(
            "median of ", from.size(), " good stimuli",
            series->tried == 0 ? "" : absl::StrCat(", after ", series->tried, " that made none")),
        series, now_ns);
    return;
  }
  series->tried += static_cast<uint32_t>(series->kept.size());
  series->kept.clear();
  // Twenty a minute would bury what people write: the measurements go on saying it.
  if (cause == series->told_cause) return;
  series->told_cause = cause;
  PutSystemMessage(
      absl::StrCat("Baseline of ", plan_.muscles[muscle].trace_id, " not set: ", series->why_none,
                   ". The next ", kLaryngealBaselineStimuli, " stimuli are tried"),
      RecordKey(), now_ns, sink_);
}

// Of the responses to the setting that was last: a search for the current goes before it.
void LaryngealComparison::TryFirst(size_t muscle, const Place& place, Series* series,
                                   int64_t now_ns) {
  LaryngealSite site;
  site.nerve = place.first;
  site.side = place.second;
  std::vector<const Answer*> from;
  for (auto answer = series->kept.rbegin(); answer != series->kept.rend(); ++answer) {
    if (!answer->present) continue;
    if (!from.empty() && !dsp::Differences(from[0]->conditions, answer->conditions).empty()) break;
    from.push_back(&*answer);
  }
  std::reverse(from.begin(), from.end());
  if (from.empty()) {
    series->why_none = absl::StrCat("no response at ", NameOf(site), " before");
    return;
  }
  series->why_none.clear();
  SetBaseline(muscle, from,
              from.size() == 1
                  ? absl::StrCat("the response", kAtPlace, NameOf(site))
                  : absl::StrCat("median of ", from.size(), " responses", kAtPlace, NameOf(site)),
              series, now_ns);
}

// As SetBaseline wrote it.
std::optional<LaryngealComparison::Place> LaryngealComparison::PlaceOf(
    const v1::BaselineSet& set) const {
  if (continuous_) return Place(LaryngealSite::Nerve::kVagus, v1::SIDE_UNSPECIFIED);
  const std::string reason = set.reason().substr(0, set.reason().find(';'));
  const size_t at = reason.rfind(kAtPlace);
  if (at == std::string::npos) return std::nullopt;
  const std::optional<LaryngealSite> site =
      LaryngealSiteOf(absl::string_view(reason).substr(at + sizeof(kAtPlace) - 1));
  if (!site || site->is_second || site->side == v1::SIDE_UNSPECIFIED) return std::nullopt;
  return Place(site->nerve, site->side);
}

std::string LaryngealComparison::Restore(const CasePast& past) {
  std::vector<std::string> without;
  for (size_t muscle = 0; muscle < plan_.muscles.size(); ++muscle) {
    const ResolvedMuscle& of = plan_.muscles[muscle];
    for (const CasePast::Baseline& one : past.baselines) {
      const v1::BaselineSet& set = one.set;
      if (set.trace_id() != of.trace_id) continue;
      const std::optional<Place> place = PlaceOf(set);
      // A person's, which asks for what there is no command for, has none of the numbers.
      if (!place || !IsPositive(set.amplitude_uv()) || !IsPositive(set.latency_ms())) continue;
      Series& series = SeriesAt(muscle, *place);
      if (series.baseline) continue;
      Baseline& baseline = series.baseline.emplace(Baseline());
      baseline.id = one.key;
      baseline.amplitude_uv = set.amplitude_uv();
      baseline.latency_ms = set.latency_ms();
      baseline.setting = set.stimulus();
      baseline.conditions.derivation = of.plan.derivation();
      baseline.conditions.filter = set.filter().ShortDebugString();
      baseline.conditions.sample_rate_hz = of.derivation.sample_rate_hz;
      if (CurrentOf(set.stimulus()) > 0) {
        baseline.conditions.stimulus_intensity_ma = CurrentOf(set.stimulus());
      }
    }
    if (series_[muscle].empty()) without.push_back(of.trace_id);
  }
  if (!continuous_) {
    return absl::StrCat(plan_.muscles[0].trace_id,
                        ": what V1 and R1 answered before the restart is known only where V2 or R2 "
                        "came behind it");
  }
  if (without.empty()) return "";
  return absl::StrCat(absl::StrJoin(without, ", "), ": no baseline is on record, the next ",
                      kLaryngealBaselineStimuli, " good stimuli are to make one");
}

void LaryngealComparison::SetBaseline(size_t muscle, const std::vector<const Answer*>& from,
                                      const std::string& reason, Series* series, int64_t now_ns) {
  std::vector<double> amplitudes;
  std::vector<double> latencies;
  std::vector<double> mean_uv(from[0]->uv.size());
  v1::Record record;
  v1::BaselineSet& set = *record.mutable_baseline_set();
  for (const Answer* answer : from) {
    amplitudes.push_back(answer->amplitude_uv);
    latencies.push_back(answer->latency_ms);
    *set.add_sweeps() = ToProto(answer->sweep);
    // Sweeps of one stream have one length.
    for (size_t i = 0; i < mean_uv.size(); ++i) {
      mean_uv[i] += answer->uv[i] / static_cast<double>(from.size());
    }
  }
  Baseline baseline;
  baseline.amplitude_uv = Quantile(amplitudes, 0.5);
  baseline.latency_ms = Quantile(latencies, 0.5);
  baseline.setting = from.back()->setting;
  baseline.conditions = from.back()->conditions;
  const v1::Sweep packed = PackTrace(mean_uv, from[0]->timebase, from[0]->uv_per_count,
                                     plan_.plan.filter().low_pass_hz());
  set.set_trace_id(plan_.muscles[muscle].trace_id);
  // Nerves are stimulated when they lie free.
  set.set_kind(v1::BASELINE_KIND_POST_EXPOSURE);
  set.set_amplitude_uv(baseline.amplitude_uv);
  set.set_latency_ms(baseline.latency_ms);
  set.set_component("response");
  set.set_reason(absl::StrCat(reason, Optimal(baseline.amplitude_uv)));
  set.set_actor("plan");
  *set.mutable_average() = packed.average();
  set.set_first_sample_ms(packed.first_sample_ms());
  set.set_sample_rate_hz(packed.sample_rate_hz());
  *set.mutable_filter() = plan_.plan.filter();
  *set.mutable_stimulus() = baseline.setting;
  Seal(&set);
  baseline.id = sink_.Put(&record, now_ns);
  series->baseline = std::move(baseline);
  series->kept.clear();
}

}  // namespace remora::agent
