// What alerts, measurements and answers say, in words and marks, so that all traces say it alike.
// Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "common/ids.h"
#include "dsp/assess/fixed_criteria.h"
#include "dsp/evoked/peak.h"
#include "dsp/evoked/sweep_average.h"
#include "remora/v1/alert.pb.h"
#include "remora/v1/plan.pb.h"

namespace remora::agent {

// "SEP median nerve right".
std::string StimulusText(const v1::EvokedPlan& plan);
// The limits of a row at a level: "-50 %", "+10 %", "2 s"; of both levels when the level is normal.
std::string LimitText(const v1::Criterion& criterion, dsp::AlertLevel level);
// That an alert of this priority stands for.
dsp::AlertLevel LevelOf(v1::AlertPriority priority);
// The row as an alert names it.
v1::CriterionReference ReferenceTo(const v1::Criterion& criterion, const std::string& version);
// Why a trial was not judged; "" when it was.
std::string WhyNot(dsp::Interpretability interpretability);

// Records hold finite numbers only.
double FiniteOr0(double value);
// A marker's certainty as a record says it.
v1::MarkConfidence ConfidenceOf(dsp::Presence presence);

// Why a sweep is not good, as a flag and in words; not of kNone.
v1::QualityFlag QualityOf(dsp::Rejection cause);
std::string WhyRejected(dsp::Rejection cause);
// At most so many bytes of it, whole UTF-8 characters.
std::string Bounded(absl::string_view text, size_t most);

// Says something to whoever reads the case. `about` may be the zero key.
void PutSystemMessage(const std::string& text, const RecordKey& about, int64_t now_ns,
                      RecordSink& sink);

}  // namespace remora::agent
