#include "acquisition-agent/surveillance/relation_watch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/surveillance/component_marks.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

bool IsOneTrial(const MeasuredAverage& a, const MeasuredAverage& b) {
  const int64_t shared_ns = std::min(a.last_stimulus_ns, b.last_stimulus_ns) -
                            std::max(a.first_stimulus_ns, b.first_stimulus_ns);
  const int64_t shorter_ns =
      std::min(a.last_stimulus_ns - a.first_stimulus_ns, b.last_stimulus_ns - b.first_stimulus_ns);
  return shared_ns >= 0 &&
         static_cast<double>(shared_ns) >= kSameTrialShare * static_cast<double>(shorter_ns);
}

// How far a relation may rest on it, and what speaks against it in words.
v1::MarkConfidence ConfidenceIn(const v1::Measurement& measurement, const std::string& derivation,
                                std::vector<std::string>* reasons) {
  const auto doubt = [&](const std::string& why) {
    reasons->push_back(absl::StrCat(measurement.component(), " of ", derivation, ": ", why));
  };
  if (measurement.confidence() == v1::MARK_CONFIDENCE_NO_RESPONSE) {
    doubt("no response");
    return v1::MARK_CONFIDENCE_NO_RESPONSE;
  }
  const bool reproducible =
      std::find(measurement.quality().begin(), measurement.quality().end(),
                v1::QUALITY_FLAG_NOT_REPRODUCIBLE) == measurement.quality().end();
  if (measurement.confidence() != v1::MARK_CONFIDENCE_UNCERTAIN && reproducible &&
      measurement.state() != v1::MEASUREMENT_STATE_NOT_INTERPRETABLE) {
    return measurement.confidence();
  }
  doubt(!measurement.reason().empty() ? measurement.reason()
        : reproducible                ? "uncertain"
                                      : "odd and even averages differ");
  return v1::MARK_CONFIDENCE_UNCERTAIN;
}

double ValueOf(const v1::Measurement& first, const v1::Measurement& second, bool is_ratio) {
  if (!is_ratio) return second.latency_ms() - first.latency_ms();
  return FiniteOr0(second.amplitude_uv() / first.amplitude_uv());
}

}  // namespace

RelationWatch::RelationWatch(const v1::Plan& plan, RecordSink& sink) : sink_(sink) {
  for (const v1::RelationPlan& relation : plan.relation()) {
    const auto side = [&](const std::string& derivation) {
      return Side{TraceId(relation.modality(), relation.side(), derivation), derivation, {}};
    };
    pairs_.push_back(
        {relation, side(relation.first_derivation()), side(relation.second_derivation())});
  }
}

void RelationWatch::OnMeasured(const MeasuredAverage& measured, int64_t now_ns) {
  for (Pair& pair : pairs_) {
    for (Side* side : {&pair.first, &pair.second}) {
      if (side->trace_id == measured.measurement.trace_id()) side->newest = measured;
    }
    if (!pair.first.newest || !pair.second.newest ||
        !IsOneTrial(*pair.first.newest, *pair.second.newest)) {
      continue;
    }
    Tell(pair, now_ns);
    pair.first.newest.reset();
    pair.second.newest.reset();
  }
}

void RelationWatch::Tell(const Pair& pair, int64_t now_ns) {
  const v1::Measurement& first = pair.first.newest->measurement;
  const v1::Measurement& second = pair.second.newest->measurement;
  v1::Record record;
  v1::Relation& relation = *record.mutable_relation();
  relation.set_relation_id(TraceId(pair.plan.modality(), pair.plan.side(), pair.plan.name()));
  relation.set_kind(pair.plan.is_ratio() ? v1::RELATION_KIND_RATIO : v1::RELATION_KIND_INTERVAL);
  relation.set_name(pair.plan.name());
  relation.set_modality(pair.plan.modality());
  relation.set_side(pair.plan.side());
  *relation.mutable_first() = ToProto(pair.first.newest->record);
  *relation.mutable_second() = ToProto(pair.second.newest->record);
  std::vector<std::string> reasons;
  const v1::MarkConfidence of_first = ConfidenceIn(first, pair.first.derivation, &reasons);
  const v1::MarkConfidence of_second = ConfidenceIn(second, pair.second.derivation, &reasons);
  relation.set_confidence(LowerOf(of_first, of_second));
  if (relation.confidence() != v1::MARK_CONFIDENCE_NO_RESPONSE) {
    relation.set_value(ValueOf(first, second, pair.plan.is_ratio()));
  }
  relation.set_reason(absl::StrJoin(reasons, "; "));
  sink_.Put(&record, now_ns);
}

}  // namespace remora::agent
