#include "acquisition-agent/pipelines/mapping_pipeline.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"

namespace remora::agent {

absl::StatusOr<std::unique_ptr<MappingPipeline>> MappingPipeline::Create(
    const ResolvedMapping& plan, const SourceInfo& source) {
  const bool midline = plan.plan.modality() == v1::MODALITY_MAP_MIDLINE;
  std::vector<SweepStream> streams;
  for (const ResolvedDerivation& derivation : plan.derivations) {
    SweepStreamOptions options = SweepOptionsOf(plan.plan, plan.filter, derivation);
    options.reject_over_uv = plan.plan.reject_over_uv();
    ASSIGN_OR_RETURN(SweepStream stream, SweepStream::Create(options, source));
    streams.push_back(std::move(stream));
    if (midline) break;
  }
  return std::unique_ptr<MappingPipeline>(new MappingPipeline(plan, std::move(streams)));
}

MappingPipeline::MappingPipeline(const ResolvedMapping& plan, std::vector<SweepStream> streams)
    : plan_(plan), streams_(std::move(streams)) {
  for (size_t i = 0; i < plan_.trace_ids.size(); ++i) {
    contacts_.push_back(
        {dsp::SweepAverage(streams_[0].samples_per_sweep(), streams_[0].timebase()), 0, 0, {}});
  }
}

bool MappingPipeline::is_midline() const {
  return plan_.plan.modality() == v1::MODALITY_MAP_MIDLINE;
}

void MappingPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  if (own && is_midline() && ContactOf(stimulus) == 0) ++without_contact_;
  for (SweepStream& stream : streams_) stream.OnStimulus(stimulus, own);
}

// "3", "contact 3": the number at its end.
uint32_t MappingPipeline::ContactOf(const Stimulus& stimulus) const {
  const std::string site = SiteOf(stimulus, plan_.trigger);
  absl::string_view number = site;
  const size_t other = number.find_last_not_of("0123456789");
  if (other != absl::string_view::npos) number.remove_prefix(other + 1);
  uint32_t contact = 0;
  if (!absl::SimpleAtoi(number, &contact) || contact > contacts_.size()) return 0;
  return contact;
}

void MappingPipeline::OnChunk(const Chunk& chunk, std::vector<MappingRound>* rounds) {
  if (chunk.rate_group != streams_[0].rate_group()) return;
  for (size_t i = 0; i < streams_.size(); ++i) {
    std::vector<CutSweep> sweeps;
    streams_[i].OnChunk(chunk, &sweeps);
    Take(i, sweeps);
  }
  TellComplete(rounds);
}

void MappingPipeline::OnEnd(std::vector<MappingRound>* rounds) {
  for (size_t i = 0; i < streams_.size(); ++i) {
    std::vector<CutSweep> sweeps;
    streams_[i].OnEnd(&sweeps);
    Take(i, sweeps);
  }
  TellComplete(rounds);
}

void MappingPipeline::Take(size_t stream, const std::vector<CutSweep>& sweeps) {
  for (const CutSweep& sweep : sweeps) {
    const size_t place = is_midline() ? size_t{ContactOf(sweep.stimulus)} : stream + 1;
    if (place == 0) continue;
    Contact& contact = contacts_[place - 1];
    // A contact that is complete waits for the others.
    if (contact.average.accepted() >= plan_.plan.sweep_count()) continue;
    if (contact.average.offered() == 0) contact.first_stimulus_ns = sweep.stimulus.time_ns;
    contact.last_stimulus_ns = sweep.stimulus.time_ns;
    if (contact.average.Add(sweep.uv, sweep.cause) != dsp::Rejection::kNone) continue;
    contact.setting = SettingOf(sweep.stimulus, plan_.plan.stimulus());
  }
}

void MappingPipeline::TellComplete(std::vector<MappingRound>* rounds) {
  if (std::all_of(contacts_.begin(), contacts_.end(), [&](const Contact& contact) {
        return contact.average.accepted() >= plan_.plan.sweep_count();
      })) {
    rounds->push_back(Finish());
  }
}

MappingRound MappingPipeline::Finish() {
  MappingRound round;
  round.round_index = round_index_++;
  round.timebase = streams_[0].timebase();
  round.uv_per_count = streams_[0].inputs().uv_per_count;
  const dsp::LatencyWindow behind{plan_.plan.blank_to_ms() + 1, plan_.plan.epoch_to_ms()};
  double noise_uv = 0;
  for (size_t i = 0; i < contacts_.size(); ++i) {
    dsp::SweepAverage& average = contacts_[i].average;
    ContactAverage told;
    told.contact = static_cast<uint32_t>(i) + 1;
    told.mean_uv.assign(average.mean_uv().begin(), average.mean_uv().end());
    told.odd_uv.assign(average.odd_uv().begin(), average.odd_uv().end());
    told.even_uv.assign(average.even_uv().begin(), average.even_uv().end());
    told.accepted = average.accepted();
    told.offered = average.offered();
    told.noise_uv = average.PlusMinusNoiseUv(behind);
    told.first_stimulus_ns = contacts_[i].first_stimulus_ns;
    told.last_stimulus_ns = contacts_[i].last_stimulus_ns;
    told.setting = contacts_[i].setting;
    if (std::isfinite(told.noise_uv)) noise_uv = std::max(noise_uv, told.noise_uv);
    round.contacts.push_back(std::move(told));
    average.Reset();
  }
  std::vector<std::span<const double>> traces;
  for (const ContactAverage& contact : round.contacts) traces.emplace_back(contact.mean_uv);
  dsp::PhaseReversalOptions options;
  options.window = {plan_.plan.window_from_ms(), plan_.plan.window_to_ms()};
  options.upper_corner_hz = plan_.plan.filter().low_pass_hz();
  absl::StatusOr<dsp::PhaseReversal> reversal =
      dsp::FindPhaseReversal(traces, round.timebase, noise_uv, options);
  if (reversal.ok()) round.reversal = *std::move(reversal);
  return round;
}

}  // namespace remora::agent
