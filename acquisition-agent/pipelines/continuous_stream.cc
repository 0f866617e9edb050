#include "acquisition-agent/pipelines/continuous_stream.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"
#include "dsp/emg/burst_train.h"
#include "dsp/filter/butterworth.h"

namespace remora::agent {
namespace {

constexpr dsp::BlankingWindow kBlanking{2.0, 3.0};
// Corner of the anti-alias filter, of the rate that is sent.
constexpr double kAntiAliasShare = 0.4;

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
      blanking_(std::move(blanking)) {}

int64_t ContinuousStream::TimeOf(double position) const {
  return static_cast<int64_t>(position * 1e9 / options_.derivation.sample_rate_hz +
                              position_zero_ns_);
}

void ContinuousStream::OnStimulus(const Stimulus& stimulus) {
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

// Hints for the chunk: its stimuli are blanked, unless one came too late for that.
uint32_t ContinuousStream::AnnounceStimuli(const Chunk& chunk) {
  uint32_t hints = dsp::kNoArtefact;
  while (!pulses_ns_.empty() && pulses_ns_.front() < chunk.end_ns) {
    const double position = chunk.PositionOf(pulses_ns_.front());
    pulses_ns_.pop_front();
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
  filtered_position_ = segment_first_;
  blanking_.Restart();
  filter_.ResetToNextSample();
  anti_alias_.ResetToNextSample();
}

void ContinuousStream::Flush(std::vector<Piece>* pieces) {
  if (!in_segment_) return;
  std::vector<double> blanked;
  blanking_.Flush(blanked);
  Piece last = Take(blanked, dsp::kNoArtefact);
  last.ends_segment = true;
  pieces->push_back(std::move(last));
  in_segment_ = false;
}

void ContinuousStream::OnEnd(std::vector<Piece>* pieces) { Flush(pieces); }

void ContinuousStream::OnChunk(const Chunk& chunk, std::vector<Piece>* pieces) {
  if (chunk.rate_group != options_.derivation.rate_group) return;
  if (chunk.starts_segment) StartSegment(chunk, pieces);
  position_zero_ns_ = chunk.position_zero_ns;
  uint32_t marks = 0;
  for (const int k : inputs_.all) {
    marks |= chunk.marks[k].marks;
    for (const ChannelMarks::Run& run : chunk.marks[k].runs) marks |= run.marks;
  }
  uint32_t hints = dsp::ArtefactHints(marks);
  if (marks & kMarkInterference) hints |= dsp::kArtefactDiathermy;
  if (marks & kMarkFloating) hints |= dsp::kArtefactFlat;
  // A muscle's answer to a stimulus is no spontaneous activity.
  if ((marks & kMarkEvoked) != 0 && options_.is_muscle) hints |= dsp::kArtefactStimulus;
  quality_ = FlagsOf(marks);
  hints |= AnnounceStimuli(chunk);
  if (hints & dsp::kArtefactStimulus) MergeFlags({v1::QUALITY_FLAG_STIMULUS_ARTEFACT}, &quality_);
  std::vector<double> blanked;
  blanking_.Push(Derive(chunk, inputs_.plus, inputs_.minus), blanked);
  if (!blanked.empty()) pieces->push_back(Take(blanked, hints));
}

Piece ContinuousStream::Take(std::span<const double> blanked, uint32_t hints) {
  Piece piece;
  piece.first_position = filtered_position_;
  piece.position_zero_ns = position_zero_ns_;
  piece.starts_segment = std::exchange(starts_segment_, false);
  piece.hints = piece.raw_hints = hints;
  piece.uv.resize(blanked.size());
  filter_.Process(blanked, piece.uv);
  if (std::any_of(piece.uv.begin(), piece.uv.end(),
                  [&](double uv) { return std::fabs(uv) > options_.interference_over_uv; })) {
    piece.hints |= dsp::kArtefactDiathermy;
    MergeFlags({v1::QUALITY_FLAG_DIATHERMY}, &quality_);
  }
  piece.quality = quality_;
  Send(&piece);
  filtered_position_ += static_cast<int64_t>(piece.uv.size());
  return piece;
}

void ContinuousStream::Send(Piece* piece) {
  std::vector<double> smooth(piece->uv.size());
  anti_alias_.Process(piece->uv, smooth);
  int64_t first = -1;
  for (size_t i = 0; i < smooth.size(); ++i) {
    const int64_t position = piece->first_position + static_cast<int64_t>(i);
    if (position % factor_ != 0) continue;
    if (first < 0) first = position;
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
    block.set_started_monotonic_ns(TimeOf(static_cast<double>(position)));
    *block.mutable_filter() = options_.setting;
    for (const v1::QualityFlag flag : quality_) block.add_quality(flag);
    piece->blocks.push_back(std::move(block));
    at += take;
  }
}

}  // namespace remora::agent
