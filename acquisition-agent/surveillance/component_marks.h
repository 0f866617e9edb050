// Marks of all components of an averaged response, and the intervals between them. Pure functions;
// EvokedTrace calls them for each average.
#pragma once

#include <vector>

#include "acquisition-agent/pipelines/sep_pipeline.h"
#include "dsp/evoked/peak.h"
#include "remora/v1/measurement.pb.h"
#include "remora/v1/plan.pb.h"

namespace remora::agent {

// One a component, in the plan's order; a wave that is not there has no latency, and
// MARK_CONFIDENCE_NO_RESPONSE. The first two stand where `pair` was marked. The others are looked
// for near where they usually lie, or where they were in the `baseline` (empty: none), moved as
// much as the first component has; only where nothing is found there, in their whole windows. No
// wave is taken for two, and their order is kept (dsp/evoked/wave_series.h).
std::vector<v1::PeakMark> MarkComponents(const v1::EvokedPlan& plan, const EvokedAverage& average,
                                         const dsp::PairMarking& pair,
                                         const std::vector<v1::PeakMark>& baseline);

// With the lower of both marks' confidence; 0 ms where one of them is not there.
v1::Interval MeasureInterval(const v1::IntervalPlan& interval,
                             const std::vector<v1::PeakMark>& marks,
                             const std::vector<v1::PeakMark>& baseline);

// The one that is less to be relied on.
v1::MarkConfidence LowerOf(v1::MarkConfidence a, v1::MarkConfidence b);

}  // namespace remora::agent
