#include "acquisition-agent/pipelines/sweep_stream.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr double kLookAheadError = 1e-6;

// Of a zero-phase filter.
size_t LookAheadOf(const SweepStreamOptions& options) {
  return dsp::StreamingZeroPhase::LookAheadFor(options.filter, kLookAheadError);
}

// Samples that are released at a time. Twice as many as are looked ahead: the backward pass then
// costs half as much again as the forward one. An average that is due does not wait for them
// (Look); what is told on the way waits no longer than a second.
size_t StrideOf(const SweepStreamOptions& options) {
  const double rate_hz = options.derivation.sample_rate_hz;
  const auto most = static_cast<size_t>(rate_hz);
  const auto chunk = static_cast<size_t>(rate_hz * kChunkMs / 1000);
  return std::max({size_t{1}, chunk, std::min(2 * LookAheadOf(options), most)});
}

// Samples from an epoch's first until it is judged: it, what the filter waits for, and two chunks.
double AskedBehind(const SweepStreamOptions& options) {
  const double samples_per_ms = options.derivation.sample_rate_hz / 1000;
  const double epoch = (options.epoch_to_ms - options.epoch_from_ms) * samples_per_ms;
  const double waits =
      options.zero_phase ? static_cast<double>(LookAheadOf(options) + StrideOf(options)) : 0;
  return epoch + waits + 2 * kChunkMs * samples_per_ms;
}

double MemoryOf(const dsp::Cascade& filter) {
  return static_cast<double>(dsp::SettlingSamples(filter, kSettledShare));
}

}  // namespace

dsp::Rejection JudgeCut(std::span<const double> uv, const dsp::Timebase& timebase,
                        double reject_over_uv, uint32_t marks) {
  const bool interference = (marks & (kMarkInterference | kMarkStimulus)) != 0;
  if (marks & kMarkFloating) marks |= dsp::kQualityFlat;
  dsp::RejectionLimits limits;
  if (reject_over_uv > 0) limits.max_abs_uv = reject_over_uv;
  const dsp::Rejection cause = dsp::JudgeSweep(uv, timebase, limits, marks);
  if (interference && (cause == dsp::Rejection::kNone || cause == dsp::Rejection::kAmplitude)) {
    return dsp::Rejection::kExternal;
  }
  return cause;
}

absl::StatusOr<SweepStream> SweepStream::Create(const SweepStreamOptions& options,
                                                const SourceInfo& source) {
  dsp::EpochOptions epoch;
  epoch.sample_rate_hz = options.derivation.sample_rate_hz;
  epoch.window = {options.epoch_from_ms, options.epoch_to_ms};
  ASSIGN_OR_RETURN(dsp::EpochCutter cutter, dsp::EpochCutter::Create(epoch));
  ASSIGN_OR_RETURN(dsp::StimulusBlanking blanking,
                   dsp::StimulusBlanking::Create(options.derivation.sample_rate_hz,
                                                 {-options.blank_from_ms, options.blank_to_ms}));
  return SweepStream(options, source, std::move(cutter), std::move(blanking));
}

SweepStream::SweepStream(const SweepStreamOptions& options, const SourceInfo& source,
                         dsp::EpochCutter cutter, dsp::StimulusBlanking blanking)
    : options_(options),
      inputs_(InputsOf(options.derivation, source)),
      marks_(options.derivation.sample_rate_hz, options.blank_from_ms, options.blank_to_ms,
             options.zero_phase ? MemoryOf(options.filter) : 0, MemoryOf(options.filter),
             AskedBehind(options)),
      blanking_(std::move(blanking)),
      cutter_(std::move(cutter)),
      behind_ns_(static_cast<int64_t>(
          (options.epoch_to_ms + kBehindEpochSamples * 1000 / options.derivation.sample_rate_hz) *
          1e6)) {
  if (options.zero_phase) {
    zero_phase_.emplace(options.filter, LookAheadOf(options), StrideOf(options));
  } else {
    causal_.emplace(options.filter);
  }
}

void SweepStream::OnStimulus(const Stimulus& stimulus, bool own) { stimuli_.Add(stimulus, own); }

void SweepStream::StartSegment(const Chunk& chunk, std::vector<CutSweep>* sweeps) {
  FlushSegment(sweeps);
  in_segment_ = true;
  segment_first_ = chunk.first_position;
  filtered_position_ = segment_first_;
  blanking_.Restart();
  if (causal_) causal_->ResetToNextSample();
  marks_.AddMarks(segment_first_ - 1, segment_first_, dsp::kQualityGap);
}

void SweepStream::Filter(std::span<const double> blanked) {
  if (zero_phase_) {
    zero_phase_->Push(blanked, filtered_);
    return;
  }
  const size_t start = filtered_.size();
  filtered_.resize(start + blanked.size());
  causal_->Process(blanked, std::span<double>(filtered_).subspan(start));
}

void SweepStream::FlushSegment(std::vector<CutSweep>* sweeps) {
  if (!in_segment_) return;
  marks_.AddMarks(segment_end_, segment_end_, dsp::kQualityGap);
  std::vector<double> blanked;
  blanking_.Flush(blanked);
  Filter(blanked);
  if (zero_phase_) zero_phase_->Flush(filtered_);
  Cut(sweeps);
  in_segment_ = false;
}

void SweepStream::Announce(const Pulse& pulse, double position, std::vector<CutSweep>* sweeps) {
  if (!pulse.stimulus.known) {
    marks_.AddStimulus(position);
    if (!blanking_.AddTrigger(position - static_cast<double>(segment_first_)).ok()) {
      // Its samples, or those of a later stimulus, were given out before it was told.
      const double samples_per_ms = options_.derivation.sample_rate_hz / 1000;
      marks_.AddMarks(static_cast<int64_t>(position + options_.blank_from_ms * samples_per_ms),
                      static_cast<int64_t>(position + options_.blank_to_ms * samples_per_ms) + 1,
                      kMarkStimulus);
      ++late_total_;
    }
  }
  if (!pulse.own) return;
  const uint64_t id = next_id_++;
  if (cutter_.AddTrigger(position, id).ok()) {
    in_epochs_.emplace(id, pulse.stimulus);
    return;
  }
  // Too many wait, or it came before the first sample: a sweep without samples.
  ++late_total_;
  if (!stimuli_.Finish(pulse.stimulus.time_ns)) return;
  sweeps->push_back({pulse.stimulus, {}, dsp::Rejection::kGap});
}

void SweepStream::OnChunk(const Chunk& chunk, std::vector<CutSweep>* sweeps) {
  if (chunk.rate_group != options_.derivation.rate_group) return;
  if (chunk.starts_segment) StartSegment(chunk, sweeps);
  segment_end_ = chunk.first_position + chunk.samples;
  marks_.AddChunk(chunk, inputs_.all);
  while (const std::optional<Pulse> pulse = stimuli_.NextBefore(chunk.end_ns)) {
    Announce(*pulse, chunk.PositionOf(pulse->time_ns), sweeps);
  }
  std::vector<double> blanked;
  blanking_.Push(Derive(chunk, inputs_.plus, inputs_.minus), blanked);
  Filter(blanked);
  Cut(sweeps);
}

void SweepStream::OnEnd(std::vector<CutSweep>* sweeps) {
  FlushSegment(sweeps);
  std::vector<dsp::Epoch> epochs;
  cutter_.Flush(epochs);
  for (const dsp::Epoch& epoch : epochs) TakeEpoch(epoch, sweeps);
}

void SweepStream::Cut(std::vector<CutSweep>* sweeps) {
  if (filtered_.empty()) return;
  std::vector<dsp::Epoch> epochs;
  const std::array<std::span<const double>, 1> channel{filtered_};
  // One channel always, and positions from 0 on: it has nothing to refuse.
  cutter_.Push(static_cast<uint64_t>(filtered_position_), channel, epochs).IgnoreError();
  filtered_position_ += static_cast<int64_t>(filtered_.size());
  filtered_.clear();
  for (const dsp::Epoch& epoch : epochs) TakeEpoch(epoch, sweeps);
}

dsp::Rejection SweepStream::Judge(const dsp::Epoch& epoch) const {
  const double samples_per_ms = options_.derivation.sample_rate_hz / 1000;
  const uint32_t marks =
      marks_.MarksIn(epoch.trigger_sample + options_.epoch_from_ms * samples_per_ms,
                     epoch.trigger_sample + options_.epoch_to_ms * samples_per_ms);
  return JudgeCut(epoch.Channel(0), cutter_.timebase(), options_.reject_over_uv,
                  marks | dsp::EpochMarks(epoch));
}

void SweepStream::TakeEpoch(const dsp::Epoch& epoch, std::vector<CutSweep>* sweeps) {
  const auto found = in_epochs_.find(epoch.trigger_id);
  if (found == in_epochs_.end()) return;
  const std::span<const double> uv = epoch.Channel(0);
  if (stimuli_.Finish(found->second.time_ns)) {
    sweeps->push_back({std::move(found->second), {uv.begin(), uv.end()}, Judge(epoch)});
  }
  in_epochs_.erase(found);
}

std::vector<CutSweep> SweepStream::Look(const Chunk& look) const {
  std::vector<CutSweep> sweeps;
  if (look.rate_group != rate_group()) return sweeps;
  SweepStream ahead = *this;
  ahead.OnChunk(look, &sweeps);
  std::vector<double> blanked;
  ahead.blanking_.Flush(blanked);
  ahead.Filter(blanked);
  if (ahead.zero_phase_) ahead.zero_phase_->Flush(ahead.filtered_);
  ahead.Cut(&sweeps);
  std::stable_sort(sweeps.begin(), sweeps.end(), [](const CutSweep& a, const CutSweep& b) {
    return a.stimulus.time_ns < b.stimulus.time_ns;
  });
  return sweeps;
}

}  // namespace remora::agent
