#include "acquisition-agent/pipelines/sweep_stream.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr double kLookAheadError = 1e-6;
// Samples behind the epoch that its interpolation needs, and one for rounding.
constexpr double kBehindEpochSamples = 4;
// What is left of a filter's start when its samples may be taken.
constexpr double kSettled = 0.01;

double MemoryOf(const dsp::Cascade& filter) {
  return static_cast<double>(dsp::SettlingSamples(filter, kSettled));
}

}  // namespace

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
             options.zero_phase ? MemoryOf(options.filter) : 0, MemoryOf(options.filter)),
      blanking_(std::move(blanking)),
      cutter_(std::move(cutter)) {
  if (options.zero_phase) {
    const size_t look_ahead =
        dsp::StreamingZeroPhase::LookAheadFor(options.filter, kLookAheadError);
    const size_t stride = std::max<size_t>(
        1, static_cast<size_t>(options.derivation.sample_rate_hz * kChunkMs / 1000));
    zero_phase_.emplace(options.filter, look_ahead, stride);
  } else {
    causal_.emplace(options.filter);
  }
}

void SweepStream::OnStimulus(const Stimulus& stimulus, bool own) {
  if (stimulus.known && !own) return;
  if (own) {
    if (open_ns_.size() >= kMaxWaitingTriggers) open_ns_.pop_front();
    open_ns_.insert(std::upper_bound(open_ns_.begin(), open_ns_.end(), stimulus.time_ns),
                    stimulus.time_ns);
  }
  Wait(stimulus, stimulus.time_ns, own);
  if (stimulus.known) return;
  const auto interval_ns = static_cast<int64_t>(stimulus.told.pulse_interval_ms * 1e6);
  for (int pulse = 1; pulse < std::min(stimulus.told.pulses, kMaxPulsesOfTrain); ++pulse) {
    Wait(stimulus, stimulus.time_ns + pulse * interval_ns, /*own=*/false);
  }
}

void SweepStream::Wait(const Stimulus& stimulus, int64_t time_ns, bool own) {
  if (waiting_.size() >= kMaxWaitingTriggers) {
    if (waiting_.front().own) WasGiven(waiting_.front().time_ns);
    waiting_.pop_front();
    ++late_total_;
  }
  const auto after =
      std::upper_bound(waiting_.begin(), waiting_.end(), time_ns,
                       [](int64_t at, const Waiting& other) { return at < other.time_ns; });
  waiting_.insert(after, Waiting{time_ns, stimulus, own});
}

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

void SweepStream::Announce(const Waiting& waiting, double position, std::vector<CutSweep>* sweeps) {
  if (!waiting.stimulus.known) {
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
  if (!waiting.own) return;
  const uint64_t id = next_id_++;
  if (cutter_.AddTrigger(position, id).ok()) {
    in_epochs_.emplace(id, waiting.stimulus);
    return;
  }
  // Too many wait, or it came before the first sample: a sweep without samples.
  ++late_total_;
  if (WasGiven(waiting.stimulus.time_ns)) return;
  sweeps->push_back({waiting.stimulus, {}, dsp::Rejection::kGap});
}

void SweepStream::OnChunk(const Chunk& chunk, std::vector<CutSweep>* sweeps) {
  if (chunk.rate_group != options_.derivation.rate_group) return;
  if (chunk.starts_segment) StartSegment(chunk, sweeps);
  segment_end_ = chunk.first_position + chunk.samples;
  marks_.AddChunk(chunk, inputs_.all);
  while (!waiting_.empty() && waiting_.front().time_ns < chunk.end_ns) {
    const Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    Announce(waiting, chunk.PositionOf(waiting.time_ns), sweeps);
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
  uint32_t marks = marks_.MarksIn(epoch.trigger_sample + options_.epoch_from_ms * samples_per_ms,
                                  epoch.trigger_sample + options_.epoch_to_ms * samples_per_ms);
  const bool interference = (marks & (kMarkInterference | kMarkStimulus)) != 0;
  if (marks & kMarkFloating) marks |= dsp::kQualityFlat;
  dsp::RejectionLimits limits;
  if (options_.reject_over_uv > 0) limits.max_abs_uv = options_.reject_over_uv;
  const dsp::Rejection cause =
      dsp::JudgeSweep(epoch.Channel(0), cutter_.timebase(), limits, marks | dsp::EpochMarks(epoch));
  if (interference && (cause == dsp::Rejection::kNone || cause == dsp::Rejection::kAmplitude)) {
    return dsp::Rejection::kExternal;
  }
  return cause;
}

void SweepStream::TakeEpoch(const dsp::Epoch& epoch, std::vector<CutSweep>* sweeps) {
  const auto found = in_epochs_.find(epoch.trigger_id);
  if (found == in_epochs_.end()) return;
  const std::span<const double> uv = epoch.Channel(0);
  if (!WasGiven(found->second.time_ns)) {
    sweeps->push_back({std::move(found->second), {uv.begin(), uv.end()}, Judge(epoch)});
  }
  in_epochs_.erase(found);
}

bool SweepStream::WasGiven(int64_t stimulus_ns) {
  if (given_ns_.erase(stimulus_ns) > 0) return true;
  const auto open = std::find(open_ns_.begin(), open_ns_.end(), stimulus_ns);
  if (open != open_ns_.end()) open_ns_.erase(open);
  return false;
}

int64_t SweepStream::due_ns(size_t n, int64_t after_ns) const {
  const double behind_ms =
      options_.epoch_to_ms + kBehindEpochSamples * 1000 / options_.derivation.sample_rate_hz;
  const auto behind_ns = static_cast<int64_t>(behind_ms * 1e6);
  for (; n < open_ns_.size(); ++n) {
    if (open_ns_[n] + behind_ns > after_ns) return open_ns_[n] + behind_ns;
  }
  return std::numeric_limits<int64_t>::max();
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

void SweepStream::Give(int64_t stimulus_ns) {
  const auto open = std::find(open_ns_.begin(), open_ns_.end(), stimulus_ns);
  if (open == open_ns_.end()) return;
  open_ns_.erase(open);
  if (given_ns_.size() >= kMaxWaitingTriggers) given_ns_.erase(given_ns_.begin());
  given_ns_.insert(stimulus_ns);
}

}  // namespace remora::agent
