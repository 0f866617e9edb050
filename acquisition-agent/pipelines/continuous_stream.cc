#include "acquisition-agent/pipelines/continuous_stream.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"
#include "dsp/emg/burst_train.h"
#include "dsp/filter/butterworth.h"
#include "dsp/filter/sos.h"

namespace remora::agent {
namespace {

constexpr dsp::BlankingWindow kBlanking{2.0, 3.0};
// Corner of the anti-alias filter, of the rate that is sent.
constexpr double kAntiAliasShare = 0.4;
// A muscle's answer is over when this is left of it in the filter, and at most so long after.
constexpr double kSettled = 0.01;
constexpr double kLongestSettlingMs = 100;
// As far as blanking reaches before a stimulus: its line leads up to the answer.
constexpr int64_t kBeforeStimulusNs = 2'000'000;
// Pulses that are told one by one are one stimulation when they follow each other within this.
constexpr int64_t kOneStimulationNs = 100'000'000;

std::vector<v1::QualityFlag> FlagsOf(uint32_t marks) {
  std::vector<v1::QualityFlag> flags;
  if (marks & dsp::kQualityNonFinite) flags.push_back(v1::QUALITY_FLAG_NOT_FINITE);
  if (marks & dsp::kQualityClipping) flags.push_back(v1::QUALITY_FLAG_CLIPPED);
  if (marks & (dsp::kQualityFlat | kMarkFloating)) flags.push_back(v1::QUALITY_FLAG_DISCONNECTED);
  if (marks & dsp::kQualityMains) flags.push_back(v1::QUALITY_FLAG_MAINS);
  if (marks & kMarkInterference) flags.push_back(v1::QUALITY_FLAG_DIATHERMY);
  return flags;
}

}  // namespace

void MergeFlags(const std::vector<v1::QualityFlag>& flags, std::vector<v1::QualityFlag>* into) {
  for (const v1::QualityFlag flag : flags) {
    if (std::find(into->begin(), into->end(), flag) == into->end()) into->push_back(flag);
  }
}

absl::StatusOr<ContinuousStream> ContinuousStream::Create(const ContinuousOptions& options,
                                                          const SourceInfo& source) {
  const double rate = options.derivation.sample_rate_hz;
  const int factor = std::max(1, static_cast<int>(std::ceil(rate / options.sent_rate_hz - 1e-9)));
  dsp::Cascade anti_alias;
  if (factor > 1) {
    ASSIGN_OR_RETURN(anti_alias, dsp::ButterworthLowPass(6, kAntiAliasShare * rate / factor, rate));
  }
  ASSIGN_OR_RETURN(dsp::StimulusBlanking blanking, dsp::StimulusBlanking::Create(rate, kBlanking));
  return ContinuousStream(options, source, factor, dsp::StreamingFilter(std::move(anti_alias)),
                          std::move(blanking));
}

ContinuousStream::ContinuousStream(const ContinuousOptions& options, const SourceInfo& source,
                                   int factor, dsp::StreamingFilter anti_alias,
                                   dsp::StimulusBlanking blanking)
    : options_(options),
      inputs_(InputsOf(options.derivation, source)),
      factor_(factor),
      filter_(options.filter),
      anti_alias_(std::move(anti_alias)),
      blanking_(std::move(blanking)),
      hum_(options.derivation.sample_rate_hz, options.mains_hz) {
  const double settling_ms = 1000 / options.derivation.sample_rate_hz *
                             static_cast<double>(dsp::SettlingSamples(options.filter, kSettled));
  settling_ns_ = static_cast<int64_t>(std::min(settling_ms, kLongestSettlingMs) * 1e6);
}

int64_t ContinuousStream::TimeOf(double position) const {
  return static_cast<int64_t>(position * 1e9 / options_.derivation.sample_rate_hz +
                              position_zero_ns_);
}

std::vector<size_t> StimulationsOf(const ResolvedPlan& plan) {
  std::vector<size_t> listeners;
  for (const ResolvedEeg& eeg : plan.eeg) {
    if (eeg.after_discharge) listeners.push_back(eeg.after_discharge->listener);
  }
  return listeners;
}

void ContinuousStream::OnStimulus(const Stimulus& stimulus) {
  const auto tell = [&](int64_t to_ns, bool is_answer) {
    if (told_.size() >= kMaxWaitingTriggers) told_.pop_front();
    const Stretch stretch{stimulus.time_ns, to_ns, is_answer};
    told_.insert(std::upper_bound(told_.begin(), told_.end(), stretch, IsEarlier), stretch);
  };
  for (const AnsweredStimulus& answer : options_.answers) {
    if (!stimulus.own[answer.listener]) continue;
    const auto behind_ns = static_cast<int64_t>(answer.to_ms * 1e6) + settling_ns_;
    tell(stimulus.last_pulse_ns() + behind_ns, /*is_answer=*/true);
  }
  if (std::any_of(options_.stimulations.begin(), options_.stimulations.end(),
                  [&](size_t listener) { return stimulus.own[listener]; })) {
    tell(StimulationEndNs(stimulus), /*is_answer=*/false);
  }
  if (stimulus.known) return;
  const auto interval_ns = static_cast<int64_t>(stimulus.told.pulse_interval_ms * 1e6);
  for (int pulse = 0; pulse < std::clamp(stimulus.told.pulses, 1, kMaxPulsesOfTrain); ++pulse) {
    if (pulses_ns_.size() >= kMaxWaitingTriggers) {
      pulses_ns_.pop_front();
      ++late_total_;
    }
    const int64_t time_ns = stimulus.time_ns + pulse * interval_ns;
    pulses_ns_.insert(std::upper_bound(pulses_ns_.begin(), pulses_ns_.end(), time_ns), time_ns);
  }
}

void ContinuousStream::AnnounceStretches(const Chunk& chunk) {
  for (; !told_.empty() && told_.front().from_ns < chunk.end_ns; told_.pop_front()) {
    Stretch stretch = told_.front();
    if (!stretch.is_answer) {
      const int64_t until_ns =
          std::exchange(stimulated_until_ns_, std::max(stimulated_until_ns_, stretch.to_ns));
      const bool any_before = until_ns > std::numeric_limits<int64_t>::min() / 2;
      if (any_before && stretch.from_ns - until_ns <= kOneStimulationNs) {
        stretch.from_ns = std::min(stretch.from_ns, until_ns);
      }
      if (stretch.from_ns == stretch.to_ns) continue;
    }
    stretch.from_ns -= kBeforeStimulusNs;
    // One that was told late begins before others that are known.
    stretches_.insert(std::upper_bound(stretches_.begin(), stretches_.end(), stretch, IsEarlier),
                      stretch);
  }
}

void ContinuousStream::FindStretches(Piece* piece) {
  const auto size = static_cast<int64_t>(piece->uv.size());
  const int64_t start_ns = TimeOf(static_cast<double>(piece->first_position));
  const int64_t end_ns = TimeOf(static_cast<double>(piece->first_position + size));
  std::erase_if(stretches_, [&](const Stretch& stretch) { return stretch.to_ns <= start_ns; });
  const auto sample_at = [&](int64_t time_ns) {
    if (time_ns <= start_ns) return size_t{0};
    if (time_ns >= end_ns) return piece->uv.size();
    const double since = static_cast<double>(time_ns - start_ns);
    const double sample = std::ceil(since * options_.derivation.sample_rate_hz / 1e9);
    return static_cast<size_t>(std::clamp<int64_t>(static_cast<int64_t>(sample), 0, size));
  };
  for (const Stretch& stretch : stretches_) {
    if (stretch.from_ns >= end_ns) continue;
    if (!stretch.is_answer) {
      piece->stimulated = size > 0;
      continue;
    }
    const size_t from = sample_at(stretch.from_ns);
    const size_t to = sample_at(stretch.to_ns);
    if (!piece->answers.empty() && from <= piece->answers.back().to) {
      piece->answers.back().to = std::max(piece->answers.back().to, to);
    } else if (from < to) {
      piece->answers.push_back({from, to});
    }
  }
}

// What a muscle answers may be as large.
bool ContinuousStream::HasInterference(const Piece& piece) const {
  auto answer = piece.answers.begin();
  for (size_t i = 0; i < piece.uv.size(); ++i) {
    while (answer != piece.answers.end() && i >= answer->to) ++answer;
    if (answer != piece.answers.end() && i >= answer->from) continue;
    if (std::fabs(piece.uv[i]) > options_.interference_over_uv) return true;
  }
  return false;
}

// Hints for the chunk: its stimuli are blanked, unless one came too late for that.
uint32_t ContinuousStream::AnnounceStimuli(const Chunk& chunk) {
  uint32_t hints = dsp::kNoArtefact;
  while (!pulses_ns_.empty() && pulses_ns_.front() < chunk.end_ns) {
    const double position = chunk.PositionOf(pulses_ns_.front());
    pulses_ns_.pop_front();
    const double rate_khz = options_.derivation.sample_rate_hz / 1000;
    masked_.emplace_back(
        static_cast<int64_t>(std::floor(position - kBlanking.before_ms * rate_khz)),
        static_cast<int64_t>(std::ceil(position + kBlanking.after_ms * rate_khz)) + 1);
    if (blanking_.AddTrigger(position - static_cast<double>(segment_first_)).ok()) continue;
    ++late_total_;
    hints |= dsp::kArtefactStimulus;
  }
  return hints;
}

void ContinuousStream::StartSegment(const Chunk& chunk, std::vector<Piece>* pieces) {
  Flush(pieces);
  in_segment_ = true;
  starts_segment_ = true;
  segment_first_ = chunk.first_position;
  next_position_ = segment_first_;
  blanking_.Restart();
  hum_.Restart();
  masked_.clear();
}

void ContinuousStream::Flush(std::vector<Piece>* pieces) {
  if (!in_segment_) return;
  std::vector<double> blanked;
  blanking_.Flush(blanked);
  Piece last = Take(std::move(blanked), dsp::kNoArtefact);
  last.ends_segment = true;
  pieces->push_back(std::move(last));
  in_segment_ = false;
}

void ContinuousStream::OnChunk(const Chunk& chunk, std::vector<Piece>* pieces) {
  const size_t first = pieces->size();
  Gather(chunk, pieces);
  FilterFrom(first, pieces);
}

void ContinuousStream::OnEnd(std::vector<Piece>* pieces) {
  const size_t first = pieces->size();
  GatherRest(pieces);
  FilterFrom(first, pieces);
}

void ContinuousStream::FilterFrom(size_t first, std::vector<Piece>* pieces) {
  for (size_t i = first; i < pieces->size(); ++i) {
    Piece& piece = (*pieces)[i];
    if (piece.starts_segment) {
      filter_.ResetToNextSample();
      anti_alias_.ResetToNextSample();
    }
    filter_.Process(piece.uv, piece.uv);
    std::vector<double> smooth(piece.uv.size());
    anti_alias_.Process(piece.uv, smooth);
    Finish(&piece, smooth);
  }
}

void ContinuousStream::Gather(const Chunk& chunk, std::vector<Piece>* pieces) {
  if (chunk.rate_group != options_.derivation.rate_group) return;
  if (chunk.starts_segment) StartSegment(chunk, pieces);
  position_zero_ns_ = chunk.position_zero_ns;
  uint32_t marks = 0;
  for (const int k : inputs_.all) {
    marks |= chunk.marks[k].marks;
    for (const ChannelMarks::Run& run : chunk.marks[k].runs) {
      marks |= run.marks;
      masked_.emplace_back(run.first, run.last + 1);
    }
  }
  uint32_t hints = dsp::ArtefactHints(marks);
  if (marks & kMarkInterference) hints |= dsp::kArtefactDiathermy;
  if (marks & kMarkFloating) hints |= dsp::kArtefactFlat;
  quality_ = FlagsOf(marks);
  hints |= AnnounceStimuli(chunk);
  AnnounceStretches(chunk);
  std::vector<double> blanked;
  blanking_.Push(Derive(chunk, inputs_.plus, inputs_.minus), blanked);
  if (!blanked.empty()) pieces->push_back(Take(std::move(blanked), hints));
}

Piece ContinuousStream::Take(std::vector<double> blanked, uint32_t hints) {
  Piece piece;
  piece.first_position = next_position_;
  piece.position_zero_ns = position_zero_ns_;
  piece.starts_segment = std::exchange(starts_segment_, false);
  piece.uv = std::move(blanked);
  FindStretches(&piece);
  hints = JudgeHum(piece, hints);
  piece.hints = piece.raw_hints = hints;
  if ((hints & dsp::kArtefactStimulus) != 0 || piece.stimulated || !piece.answers.empty()) {
    MergeFlags({v1::QUALITY_FLAG_STIMULUS_ARTEFACT}, &quality_);
  }
  piece.quality = quality_;
  next_position_ += static_cast<int64_t>(piece.uv.size());
  return piece;
}

// The chunk was judged with all that is in it: a stimulus hides hum, and an answer is as slow as
// hum.
uint32_t ContinuousStream::JudgeHum(const Piece& piece, uint32_t hints) {
  std::vector<Piece::Range> left_out = piece.answers;
  const int64_t first = piece.first_position;
  const int64_t end = first + std::ssize(piece.uv);
  std::erase_if(masked_, [&](const auto& range) { return range.second <= first; });
  for (const auto& [from, to] : masked_) {
    if (from >= end) continue;
    left_out.push_back({static_cast<size_t>(std::max(from, first) - first),
                        static_cast<size_t>(std::min(to, end) - first)});
  }
  std::sort(left_out.begin(), left_out.end(),
            [](const Piece::Range& a, const Piece::Range& b) { return a.from < b.from; });
  hum_.Push(piece.uv, left_out);
  // A stimulus at the chunk's end may stand in the next piece.
  const bool nothing_hidden = left_out.empty() && masked_.empty();
  if (nothing_hidden || options_.mains_hz <= 0) return hints;
  const auto mains = static_cast<uint32_t>(dsp::kArtefactMains);
  std::erase(quality_, v1::QUALITY_FLAG_MAINS);
  if (hum_.share() <= dsp::QualityLimits().mains_max_fraction) return hints & ~mains;
  MergeFlags({v1::QUALITY_FLAG_MAINS}, &quality_);
  return hints | mains;
}

void ContinuousStream::Finish(Piece* piece, std::span<const double> smooth) const {
  if (HasInterference(*piece)) {
    piece->hints |= dsp::kArtefactDiathermy;
    MergeFlags({v1::QUALITY_FLAG_DIATHERMY}, &piece->quality);
  }
  Send(piece, smooth);
}

void ContinuousStream::Send(Piece* piece, std::span<const double> smooth) const {
  // Positions that are multiples of the factor.
  const int64_t first = (piece->first_position + factor_ - 1) / factor_ * factor_;
  for (auto i = static_cast<size_t>(first - piece->first_position); i < smooth.size();
       i += static_cast<size_t>(factor_)) {
    piece->sent_uv.push_back(smooth[i]);
  }
  piece->first_sent_index = first / factor_;
  size_t at = 0;
  size_t take = piece->sent_uv.size();
  while (at < piece->sent_uv.size()) {
    take = std::min(take, piece->sent_uv.size() - at);
    const std::span<const double> part = std::span<const double>(piece->sent_uv).subspan(at, take);
    v1::SampleBlock block;
    *block.mutable_samples() =
        PackMicrovolts(part, StepFor(part, inputs_.uv_per_count, 1, kSmallestEmgStepUv));
    if (block.ByteSizeLong() + kRecordHeaderRoomBytes > kMaxBlockBytes && take > 1) {
      take /= 2;
      continue;
    }
    const int64_t position = first + static_cast<int64_t>(at) * factor_;
    block.set_trace_id(options_.trace_id);
    block.set_modality(options_.modality);
    block.set_side(options_.side);
    block.set_sample_rate_hz(sent_rate_hz());
    block.set_first_sample_index(static_cast<uint64_t>(position / factor_));
    block.set_started_monotonic_ns(static_cast<int64_t>(static_cast<double>(position) * 1e9 /
                                                            options_.derivation.sample_rate_hz +
                                                        piece->position_zero_ns));
    *block.mutable_filter() = options_.setting;
    for (const v1::QualityFlag flag : piece->quality) block.add_quality(flag);
    piece->blocks.push_back(std::move(block));
    at += take;
  }
}

}  // namespace remora::agent
