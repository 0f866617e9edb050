#include "acquisition-agent/pipelines/trial_cutter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/check.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

std::vector<std::span<const double>> SpansOf(const std::vector<std::vector<double>>& lines) {
  return {lines.begin(), lines.end()};
}

size_t ChunkSamples(double rate_hz) {
  return static_cast<size_t>(std::max<int64_t>(1, std::llround(kChunkMs * rate_hz / 1000)));
}

bool IsNumber(double uv) { return std::isfinite(uv); }

void SortByStimulus(std::vector<CutTrial>* trials, size_t from) {
  std::stable_sort(
      trials->begin() + static_cast<std::ptrdiff_t>(from), trials->end(),
      [](const CutTrial& a, const CutTrial& b) { return a.stimulus.time_ns < b.stimulus.time_ns; });
}

}  // namespace

absl::StatusOr<TrialCutter> TrialCutter::Create(const std::vector<SweepStreamOptions>& options,
                                                const SourceInfo& source) {
  if (options.empty()) return absl::InvalidArgumentError("no derivation");
  const SweepStreamOptions& first = options.front();
  const double rate_hz = first.derivation.sample_rate_hz;
  dsp::EpochOptions epoch;
  epoch.sample_rate_hz = rate_hz;
  epoch.window = {first.epoch_from_ms, first.epoch_to_ms};
  ASSIGN_OR_RETURN(const dsp::EpochCutter plain, dsp::EpochCutter::Create(epoch));
  const double room_ms = dsp::kMaxEpochMs - (first.epoch_to_ms - first.epoch_from_ms);
  const auto room = static_cast<size_t>(std::max(room_ms * rate_hz / 1000 - 16, 0.0));
  const size_t lead = std::min(dsp::SettlingSamples(first.filter, kLeadInLeft), room);
  const size_t samples = plain.samples_per_epoch();
  // A stimulus may be told late, and its chunk is pushed before it is filtered.
  const auto late = static_cast<size_t>(dsp::kLateTriggerMs * rate_hz / 1000);
  ASSIGN_OR_RETURN(
      dsp::SampleRing ring,
      dsp::SampleRing::Create(options.size(), lead + samples + late + ChunkSamples(rate_hz) + 64));
  ASSIGN_OR_RETURN(dsp::SosBank filter, dsp::SosBank::Create(first.filter, options.size()));
  std::vector<Line> lines;
  for (const SweepStreamOptions& one : options) {
    ASSIGN_OR_RETURN(dsp::StimulusBlanking blanking,
                     dsp::StimulusBlanking::Create(rate_hz, {-one.blank_from_ms, one.blank_to_ms}));
    lines.push_back(
        {InputsOf(one.derivation, source),
         MarkTimeline(rate_hz, one.blank_from_ms, one.blank_to_ms, 0,
                      static_cast<double>(dsp::SettlingSamples(one.filter, kSettledShare))),
         std::move(blanking)});
  }
  filter.ResetToNextSample();
  return TrialCutter(first, std::move(lines), std::move(ring), std::move(filter), plain.timebase(),
                     samples, lead);
}

TrialCutter::TrialCutter(const SweepStreamOptions& options, std::vector<Line> lines,
                         dsp::SampleRing ring, dsp::SosBank filter, dsp::Timebase timebase,
                         size_t samples, size_t lead)
    : options_(options),
      lines_(std::move(lines)),
      ring_(std::move(ring)),
      filter_(std::move(filter)),
      timebase_(timebase),
      samples_(samples),
      lead_(lead),
      settled_(std::min(dsp::SettlingSamples(options.filter, kSettledShare), lead)),
      chunk_samples_(ChunkSamples(options.derivation.sample_rate_hz)),
      behind_ns_(static_cast<int64_t>(
          (options.epoch_to_ms + kBehindEpochSamples * 1000 / options.derivation.sample_rate_hz) *
          1e6)) {}

bool TrialCutter::Blank(double position, std::vector<Line>* lines) const {
  bool in_time = true;
  const double samples_per_ms = options_.derivation.sample_rate_hz / 1000;
  for (Line& line : *lines) {
    line.marks.AddStimulus(position);
    if (line.blanking.AddTrigger(position - static_cast<double>(segment_first_)).ok()) continue;
    // Its samples, or those of a later stimulus, were given out before it was told.
    line.marks.AddMarks(static_cast<int64_t>(position + options_.blank_from_ms * samples_per_ms),
                        static_cast<int64_t>(position + options_.blank_to_ms * samples_per_ms) + 1,
                        kMarkStimulus);
    in_time = false;
  }
  return in_time;
}

void TrialCutter::Announce(const Pulse& pulse, double position, std::vector<CutTrial>* trials) {
  if (!pulse.stimulus.known && !Blank(position, &lines_)) ++late_total_;
  if (!pulse.own) return;
  if (announced_++ < kMaxTrialsAChunk && open_.size() < dsp::kMaxPendingTriggers && position >= 0) {
    open_.emplace(next_id_++, Begin(pulse.stimulus, position));
    return;
  }
  // Too many wait, or it came before the first sample: a trial without samples.
  ++late_total_;
  if (stimuli_.Finish(pulse.stimulus.time_ns)) trials->push_back(Nothing(pulse.stimulus));
}

CutTrial TrialCutter::Nothing(const Stimulus& stimulus) const {
  CutTrial trial;
  trial.stimulus = stimulus;
  trial.sweeps.resize(lines_.size(), CutSweep{stimulus, {}, dsp::Rejection::kGap});
  return trial;
}

void TrialCutter::OnChunk(const Chunk& chunk, std::vector<CutTrial>* trials) {
  if (chunk.rate_group != rate_group()) return;
  const size_t before = trials->size();
  if (chunk.starts_segment) {
    FlushSegment(trials);
    in_segment_ = true;
    segment_first_ = next_position_ = chunk.first_position;
    for (Line& line : lines_) {
      line.blanking.Restart();
      line.marks.AddMarks(segment_first_ - 1, segment_first_, dsp::kQualityGap);
    }
  }
  segment_end_ = chunk.first_position + chunk.samples;
  announced_ = 0;
  for (Line& line : lines_) line.marks.AddChunk(chunk, line.inputs.all);
  while (const std::optional<Pulse> pulse = stimuli_.NextBefore(chunk.end_ns)) {
    Announce(*pulse, chunk.PositionOf(pulse->time_ns), trials);
  }
  std::vector<std::vector<double>> blanked(lines_.size());
  for (size_t i = 0; i < lines_.size(); ++i) {
    const DerivationInputs& inputs = lines_[i].inputs;
    lines_[i].blanking.Push(Derive(chunk, inputs.plus, inputs.minus), blanked[i]);
  }
  Push(blanked, trials);
  SortByStimulus(trials, before);
}

TrialCutter::Open TrialCutter::Begin(const Stimulus& stimulus, double position) const {
  Open open;
  open.stimulus = stimulus;
  open.position = position;
  open.segment_first = segment_first_;
  const double samples_per_ms = options_.derivation.sample_rate_hz / 1000;
  open.from = std::llround(std::floor(position) + timebase_.start_ms * samples_per_ms) -
              static_cast<int64_t>(dsp::kSamplesBeforeShift);
  open.next = open.from - static_cast<int64_t>(lead_);
  open.end = open.from + static_cast<int64_t>(kept());
  return open;
}

void TrialCutter::Advance(int64_t until, Samples next, Open* open) const {
  until = std::min(until, open->end);
  if (open->next >= until) return;
  if (!open->filter) {
    open->filter = filter_;
    open->uv.resize(lines_.size() * kept());
    open->is_settled.assign(lines_.size(), true);
  }
  const auto count = static_cast<size_t>(until - open->next);
  dsp::SampleRing::Stretch stretch = ring_.Copy(open->next, count, next);
  open->is_missing = open->is_missing || stretch.missing_before.back() > 0;
  // Places in the stretch.
  const auto place = [&](int64_t position) {
    return static_cast<size_t>(
        std::clamp<int64_t>(position - open->next, 0, static_cast<int64_t>(count)));
  };
  const size_t settling = place(open->from - static_cast<int64_t>(settled_));
  const size_t kept_from = place(open->from);
  // What came before a gap in time does not lead in.
  const int64_t epoch_from = open->from + static_cast<int64_t>(dsp::kSamplesBeforeShift);
  const bool is_of_segment = open->position >= static_cast<double>(open->segment_first);
  const size_t foreign = is_of_segment ? place(std::min(open->segment_first, epoch_from)) : 0;
  for (size_t i = 0; i < lines_.size(); ++i) {
    const auto line = std::span(stretch.values).subspan(i * count, count);
    const auto lead_end = line.subspan(settling, kept_from - settling);
    if (!std::all_of(lead_end.begin(), lead_end.end(), IsNumber)) open->is_settled[i] = false;
    std::fill_n(line.begin(), foreign, std::numeric_limits<double>::quiet_NaN());
  }
  open->filter->ProcessPlanar(stretch.values, stretch.values);
  const auto at = static_cast<size_t>(std::max<int64_t>(open->next - open->from, 0));
  for (size_t i = 0; i < lines_.size(); ++i) {
    const auto line = std::span(stretch.values).subspan(i * count + kept_from, count - kept_from);
    std::copy(line.begin(), line.end(),
              open->uv.begin() + static_cast<std::ptrdiff_t>(i * kept() + at));
  }
  open->next = until;
}

// All lines have the same pulses, so that they hold back the same number of samples.
void TrialCutter::Push(const std::vector<std::vector<double>>& blanked,
                       std::vector<CutTrial>* trials) {
  if (!ring_started_) ring_.Start(next_position_);
  ring_started_ = true;
  // Positions count on over gaps.
  REMORA_CHECK(next_position_ >= ring_.end(), "samples that were there before");
  if (next_position_ > ring_.end()) {
    // A gap that takes what a trial rests on out of the ring.
    const int64_t first_left = next_position_ - static_cast<int64_t>(ring_.samples());
    for (auto& [id, open] : open_) {
      if (open.next < first_left) Advance(next_position_, {}, &open);
    }
    ring_.Skip(next_position_ - ring_.end());
    AdvanceAll(trials);
  }
  // In pieces: what a trial rests on is filtered before more than a chunk comes behind it.
  const std::vector<std::span<const double>> all = SpansOf(blanked);
  std::vector<std::span<const double>> piece(all.size());
  for (size_t done = 0; done < all.front().size();) {
    const size_t count = std::min(all.front().size() - done, chunk_samples_);
    std::transform(all.begin(), all.end(), piece.begin(),
                   [&](std::span<const double> line) { return line.subspan(done, count); });
    ring_.Append(piece);
    done += count;
    AdvanceAll(trials);
  }
  // Also of those that were told behind their samples.
  if (all.front().empty()) AdvanceAll(trials);
  next_position_ = ring_.end();
}

void TrialCutter::AdvanceAll(std::vector<CutTrial>* trials) {
  size_t ahead = 0;
  for (auto open = open_.begin(); open != open_.end();) {
    const auto current = open++;
    if (current->second.end <= ring_.end()) {
      Finish(current, trials);
    } else if (ahead < kMaxTrialsAhead && !stimuli_.was_given(current->second.stimulus.time_ns)) {
      Advance(ring_.end(), {}, &current->second);
      ++ahead;
    }
  }
}

void TrialCutter::Finish(std::map<uint64_t, Open>::iterator open, std::vector<CutTrial>* trials) {
  if (stimuli_.Finish(open->second.stimulus.time_ns)) {
    Advance(open->second.end, {}, &open->second);
    trials->push_back(Cut(open->second, lines_));
  }
  open_.erase(open);
}

void TrialCutter::FlushSegment(std::vector<CutTrial>* trials) {
  if (!in_segment_) return;
  std::vector<std::vector<double>> blanked(lines_.size());
  for (size_t i = 0; i < lines_.size(); ++i) {
    lines_[i].marks.AddMarks(segment_end_, segment_end_, dsp::kQualityGap);
    lines_[i].blanking.Flush(blanked[i]);
  }
  Push(blanked, trials);
  in_segment_ = false;
}

void TrialCutter::OnEnd(std::vector<CutTrial>* trials) {
  const size_t before = trials->size();
  FlushSegment(trials);
  while (!open_.empty()) Finish(open_.begin(), trials);
  ring_started_ = false;
  SortByStimulus(trials, before);
}

void TrialCutter::Look(const Chunk& look, std::vector<CutTrial>* trials) {
  if (look.rate_group != rate_group() || look.starts_segment || !in_segment_ || !ring_started_) {
    return;
  }
  const size_t before = trials->size();
  std::vector<Line> lines = lines_;
  StimulusQueue coming = stimuli_;
  std::vector<Open> opening;
  for (Line& line : lines) line.marks.AddChunk(look, line.inputs.all);
  while (const std::optional<Pulse> pulse = coming.NextBefore(look.end_ns)) {
    const double position = look.PositionOf(pulse->time_ns);
    if (!pulse->stimulus.known) Blank(position, &lines);
    if (pulse->own && opening.size() < kMaxTrialsAChunk && position >= 0) {
      opening.push_back(Begin(pulse->stimulus, position));
    }
  }
  std::vector<std::vector<double>> blanked(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const DerivationInputs& inputs = lines[i].inputs;
    lines[i].blanking.Push(Derive(look, inputs.plus, inputs.minus), blanked[i]);
    lines[i].blanking.Flush(blanked[i]);
  }
  const std::vector<std::span<const double>> next = SpansOf(blanked);
  const int64_t end = ring_.end() + static_cast<int64_t>(blanked.front().size());
  const auto take = [&](Open* open) {
    if (open->end > end || stimuli_.was_given(open->stimulus.time_ns)) return;
    Advance(open->end, next, open);
    trials->push_back(Cut(*open, lines));
    stimuli_.Give(open->stimulus.time_ns);
    open->Drop();
  };
  for (auto& [id, open] : open_) take(&open);
  for (Open& open : opening) take(&open);
  SortByStimulus(trials, before);
}

CutTrial TrialCutter::Cut(const Open& open, const std::vector<Line>& lines) const {
  const double samples_per_ms = options_.derivation.sample_rate_hz / 1000;
  CutTrial trial;
  trial.stimulus = open.stimulus;
  for (size_t i = 0; i < lines.size(); ++i) {
    CutSweep sweep;
    sweep.stimulus = open.stimulus;
    sweep.uv.resize(samples_);
    dsp::ShiftSamples(std::span(open.uv).subspan(i * kept(), kept()),
                      open.position - std::floor(open.position), sweep.uv);
    uint32_t marks = lines[i].marks.MarksIn(open.position + options_.epoch_from_ms * samples_per_ms,
                                            open.position + options_.epoch_to_ms * samples_per_ms);
    const bool whole =
        open.is_settled[i] && std::all_of(sweep.uv.begin(), sweep.uv.end(), IsNumber);
    if (!whole && open.is_missing) marks |= dsp::kQualityGap;
    sweep.cause = JudgeCut(sweep.uv, timebase_, options_.reject_over_uv, marks);
    trial.sweeps.push_back(std::move(sweep));
  }
  return trial;
}

}  // namespace remora::agent
