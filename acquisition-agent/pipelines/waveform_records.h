// Samples as they stand in a record: which step, which rate, how many bytes. Pure functions.
#pragma once

#include <span>
#include <vector>

#include "acquisition-agent/pipelines/motor_pipeline.h"
#include "acquisition-agent/pipelines/sep_pipeline.h"
#include "remora/v1/waveform.pb.h"

namespace remora::agent {

// Microvolts a count: not finer than `smallest_uv` nor than the source's resolution (an average of
// n sweeps resolves 1/sqrt(n) of it), and so coarse that the largest sample stays within 16 bits.
double StepFor(std::span<const double> uv, double resolution_uv, double averaged,
               double smallest_uv);

// Sweep with its averages, thinned by a whole factor to six samples a period of the filter's upper
// corner or more; further where a trace would have more than kMaxSweepSamples, or the record more
// than kMaxSweepBytes. Marks are the caller's.
v1::Sweep MakeSweep(const EvokedAverage& average, const ResolvedEvoked& plan);

// The same of one sweep of one muscle: no halves, nothing averaged. Its marks, peaks and quality
// are the caller's.
v1::Sweep MakeSweep(const MotorTrial& trial, size_t muscle, const ResolvedMotor& plan);
// Of any trace that is no average of its own kind: samples, rate and first latency alone.
v1::Sweep PackTrace(std::span<const double> uv, const dsp::Timebase& timebase, double resolution_uv,
                    double low_pass_hz);

// A trace of at most `most` samples; `*interval_ms` is the time between them. One that is longer is
// reduced to the extremes of each stretch, so that every peak keeps its height and, within two
// intervals, its place.
v1::PackedSamples ReduceTrace(std::span<const double> uv, double sample_rate_hz, size_t most,
                              double* interval_ms);

}  // namespace remora::agent
