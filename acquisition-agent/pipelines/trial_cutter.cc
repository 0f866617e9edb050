#include "acquisition-agent/pipelines/trial_cutter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

std::vector<std::span<const double>> SpansOf(const std::vector<std::vector<double>>& lines) {
  return {lines.begin(), lines.end()};
}

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
  const size_t lead =
      std::min(dsp::SettlingSamples(first.filter, kLeadInLeft), room) + dsp::kSamplesBeforeShift;
  // The cutter's triggers stand on whole samples: some more behind for the fraction.
  const size_t samples = plain.samples_per_epoch();
  const double samples_per_ms = rate_hz / 1000;
  epoch.window.start_ms = plain.timebase().start_ms - static_cast<double>(lead) / samples_per_ms;
  epoch.window.end_ms =
      epoch.window.start_ms +
      static_cast<double>(lead + samples + dsp::kSamplesBehindShift - 1) / samples_per_ms;
  epoch.channels = options.size();
  ASSIGN_OR_RETURN(dsp::EpochCutter cutter, dsp::EpochCutter::Create(epoch));
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
  return TrialCutter(first, std::move(lines), std::move(cutter), std::move(filter),
                     plain.timebase(), samples, lead);
}

TrialCutter::TrialCutter(const SweepStreamOptions& options, std::vector<Line> lines,
                         dsp::EpochCutter cutter, dsp::SosBank filter, dsp::Timebase timebase,
                         size_t samples, size_t lead)
    : options_(options),
      lines_(std::move(lines)),
      cutter_(std::move(cutter)),
      filter_(std::move(filter)),
      timebase_(timebase),
      samples_(samples),
      lead_(lead),
      settled_(std::min(dsp::SettlingSamples(options.filter, kSettledShare), lead)),
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
  const uint64_t id = next_id_++;
  if (announced_++ < kMaxTrialsAChunk && cutter_.AddTrigger(std::floor(position), id).ok()) {
    open_.emplace(id, Open{pulse.stimulus, position, segment_first_});
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

// All lines have the same pulses, so that they hold back the same number of samples.
void TrialCutter::Push(const std::vector<std::vector<double>>& blanked,
                       std::vector<CutTrial>* trials) {
  std::vector<dsp::Epoch> epochs;
  // As many lines as there are, and positions from 0 on: it has nothing to refuse.
  cutter_.Push(static_cast<uint64_t>(next_position_), SpansOf(blanked), epochs).IgnoreError();
  next_position_ += static_cast<int64_t>(blanked.front().size());
  for (const dsp::Epoch& epoch : epochs) TakeEpoch(epoch, trials);
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
  std::vector<dsp::Epoch> epochs;
  cutter_.Flush(epochs);
  for (const dsp::Epoch& epoch : epochs) TakeEpoch(epoch, trials);
  SortByStimulus(trials, before);
}

void TrialCutter::Look(const Chunk& look, std::vector<CutTrial>* trials) {
  if (look.rate_group != rate_group() || look.starts_segment || !in_segment_) return;
  const size_t before = trials->size();
  std::vector<Line> lines = lines_;
  StimulusQueue coming = stimuli_;
  std::vector<Open> open;
  for (const auto& [id, one] : open_) open.push_back(one);
  for (Line& line : lines) line.marks.AddChunk(look, line.inputs.all);
  while (const std::optional<Pulse> pulse = coming.NextBefore(look.end_ns)) {
    const double position = look.PositionOf(pulse->time_ns);
    if (!pulse->stimulus.known) Blank(position, &lines);
    if (pulse->own && open.size() < open_.size() + kMaxTrialsAChunk) {
      open.push_back({pulse->stimulus, position, segment_first_});
    }
  }
  std::vector<std::vector<double>> blanked(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const DerivationInputs& inputs = lines[i].inputs;
    lines[i].blanking.Push(Derive(look, inputs.plus, inputs.minus), blanked[i]);
    lines[i].blanking.Flush(blanked[i]);
  }
  const std::vector<std::span<const double>> next = SpansOf(blanked);
  for (const Open& one : open) {
    if (stimuli_.was_given(one.stimulus.time_ns)) continue;
    std::optional<dsp::Epoch> epoch = cutter_.Peek(std::floor(one.position), 0, next);
    if (!epoch) continue;
    trials->push_back(Cut(one, *std::move(epoch), lines));
    stimuli_.Give(one.stimulus.time_ns);
  }
  SortByStimulus(trials, before);
}

void TrialCutter::TakeEpoch(const dsp::Epoch& epoch, std::vector<CutTrial>* trials) {
  const auto found = open_.find(epoch.trigger_id);
  if (found == open_.end()) return;
  if (stimuli_.Finish(found->second.stimulus.time_ns)) {
    trials->push_back(Cut(found->second, epoch, lines_));
  }
  open_.erase(found);
}

CutTrial TrialCutter::Cut(const Open& open, dsp::Epoch epoch, const std::vector<Line>& lines) {
  const double samples_per_ms = options_.derivation.sample_rate_hz / 1000;
  const double base = std::floor(open.position);
  const auto is_number = [](double uv) { return std::isfinite(uv); };
  std::vector<bool> is_settled;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::span<const double> settling = epoch.Channel(i).subspan(lead_ - settled_, settled_);
    is_settled.push_back(std::all_of(settling.begin(), settling.end(), is_number));
  }
  std::vector<double> filtered = std::move(epoch.values_uv);
  // What came before a gap in time does not lead in.
  const int64_t first_position =
      std::llround(base + timebase_.start_ms * samples_per_ms) - static_cast<int64_t>(lead_);
  const int64_t foreign =
      std::clamp<int64_t>(open.segment_first - first_position, 0, static_cast<int64_t>(lead_));
  for (size_t i = 0; open.position >= static_cast<double>(open.segment_first) && i < lines.size();
       ++i) {
    std::fill_n(filtered.begin() + static_cast<std::ptrdiff_t>(i * epoch.samples), foreign,
                std::numeric_limits<double>::quiet_NaN());
  }
  filter_.ResetToNextSample();
  filter_.ProcessPlanar(filtered, filtered);
  CutTrial trial;
  trial.stimulus = open.stimulus;
  for (size_t i = 0; i < lines.size(); ++i) {
    CutSweep sweep;
    sweep.stimulus = open.stimulus;
    sweep.uv.resize(samples_);
    const auto line =
        std::span(filtered).subspan(i * epoch.samples + lead_ - dsp::kSamplesBeforeShift,
                                    samples_ + dsp::kSamplesBeforeShift + dsp::kSamplesBehindShift);
    dsp::ShiftSamples(line, open.position - base, sweep.uv);
    uint32_t marks = lines[i].marks.MarksIn(open.position + options_.epoch_from_ms * samples_per_ms,
                                            open.position + options_.epoch_to_ms * samples_per_ms);
    const bool whole = is_settled[i] && std::all_of(sweep.uv.begin(), sweep.uv.end(), is_number);
    if (!whole && epoch.missing_samples > 0) marks |= dsp::kQualityGap;
    sweep.cause = JudgeCut(sweep.uv, timebase_, options_.reject_over_uv, marks);
    trial.sweeps.push_back(std::move(sweep));
  }
  return trial;
}

}  // namespace remora::agent
