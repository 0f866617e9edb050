#include "acquisition-agent/pipelines/mapping_pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/strip_site.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "common/status_macros.h"

namespace remora::agent {
absl::StatusOr<std::unique_ptr<MappingPipeline>> MappingPipeline::Create(
    const ResolvedMapping& plan, const SourceInfo& source) {
  std::vector<SweepStream> streams;
  for (const ResolvedDerivation& derivation : plan.derivations) {
    SweepStreamOptions options = SweepOptionsOf(plan.plan, plan.filter, derivation);
    options.reject_over_uv = plan.plan.reject_over_uv();
    ASSIGN_OR_RETURN(SweepStream stream, SweepStream::Create(options, source));
    streams.push_back(std::move(stream));
    if (StimulatesContacts(plan.plan)) break;
  }
  return std::unique_ptr<MappingPipeline>(new MappingPipeline(plan, std::move(streams)));
}

MappingPipeline::MappingPipeline(const ResolvedMapping& plan, std::vector<SweepStream> streams)
    : plan_(plan),
      method_(IsGradient(plan.plan)           ? Method::kGradient
              : StimulatesContacts(plan.plan) ? Method::kStimulatedContacts
                                              : Method::kRecordedContacts),
      streams_(std::move(streams)),
      cadence_(plan.plan.stimulus().rate_hz()) {
  for (size_t i = 0; i < plan_.trace_ids.size(); ++i) {
    round_.contacts.emplace_back(streams_[0].samples_per_sweep(), streams_[0].timebase(),
                                 plan_.plan.sweep_count());
  }
}

v1::Side MappingPipeline::SideOf(size_t row) const {
  if (method_ != Method::kGradient) return plan_.plan.side();
  return row == 0 ? v1::SIDE_LEFT : v1::SIDE_RIGHT;
}

void MappingPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  if (own) {
    cadence_.OnStimulus(stimulus.time_ns, stimulus.rate_hz > 0
                                              ? std::optional<double>(stimulus.rate_hz)
                                              : std::nullopt);
  }
  for (SweepStream& stream : streams_) stream.OnStimulus(stimulus, own);
}

MappingPipeline::Place MappingPipeline::PlaceOf(const Stimulus& stimulus) const {
  Place place;
  std::string site = SiteOf(stimulus, plan_.trigger);
  if (method_ == Method::kStimulatedContacts) {
    place.contact = TakeContact(&site);
    place.is_known = place.contact >= 1 && place.contact <= count();
  }
  std::vector<std::string> words = WordsOf(site);
  if (method_ == Method::kGradient) {
    const std::optional<v1::Side> leg = TakeSide(&words);
    place.is_known = leg.has_value();
    place.row = leg == v1::SIDE_RIGHT ? 1 : 0;
  }
  if (!words.empty() && absl::AsciiStrToLower(words.back()) == "contact") words.pop_back();
  place.position = absl::StrJoin(words, " ");
  return place;
}

void MappingPipeline::OnChunk(const Chunk& chunk, std::vector<MappingRound>* rounds) {
  if (chunk.rate_group != streams_[0].rate_group()) return;
  cadence_.Start(chunk.TimeOf(static_cast<double>(chunk.first_position)));
  std::vector<Sweeps> by_stream(streams_.size());
  for (size_t i = 0; i < streams_.size(); ++i) streams_[i].OnChunk(chunk, &by_stream[i]);
  TakeAll(std::move(by_stream), rounds);
  // Told now, and not when somebody stimulates again.
  if (method_ == Method::kRecordedContacts && round_.has_begun &&
      cadence_.IsMissing(chunk.end_ns)) {
    CutRound(rounds);
  }
}

void MappingPipeline::OnEnd(std::vector<MappingRound>* rounds) {
  std::vector<Sweeps> by_stream(streams_.size());
  for (size_t i = 0; i < streams_.size(); ++i) streams_[i].OnEnd(&by_stream[i]);
  TakeAll(std::move(by_stream), rounds);
  if (round_.has_begun) CutRound(rounds);
  if (round_.without_contact + round_.given_up > 0) TellWithoutMap(rounds);
}

void MappingPipeline::OnLook(const Chunk& look, std::vector<MappingRound>* rounds) {
  if (look.rate_group != rate_group()) return;
  looked_ns_ = look.end_ns;
  std::vector<Sweeps> by_stream;
  for (const SweepStream& stream : streams_) by_stream.push_back(stream.Look(look));
  const Round before = round_;
  for (size_t i = 0; i < by_stream[0].size(); ++i) {
    Sweeps sweeps;
    for (const Sweeps& stream : by_stream) {
      if (i < stream.size()) sweeps.push_back(stream[i]);
    }
    if (sweeps.size() < by_stream.size()) break;
    const size_t had = rounds->size();
    Take(sweeps, rounds);
    if (rounds->size() == had) continue;
    for (size_t given = 0; given <= i; ++given) {
      for (SweepStream& stream : streams_) stream.Give(by_stream[0][given].stimulus.time_ns);
    }
    return;
  }
  // What ends no round comes with the filter's look-ahead.
  round_ = before;
}

size_t MappingPipeline::SweepsToEnd() const {
  size_t sum = 0;
  const size_t rows = round_.contacts.size() / count();
  for (size_t row = 0; row < rows; ++row) {
    size_t of_row = 0;
    for (size_t i = 0; i < count(); ++i) {
      const size_t of_contact = round_.contacts[row * count() + i].sweeps_to_close();
      // One that is stimulated has sweeps of its own; those that are recorded have them together.
      of_row = method_ == Method::kStimulatedContacts ? of_row + of_contact
                                                      : std::max(of_row, of_contact);
    }
    sum += of_row;
  }
  // Contacts that are stimulated a second time end it as well.
  if (method_ == Method::kStimulatedContacts && Usable() >= 2 &&
      round_.again < plan_.plan.sweep_count()) {
    sum = std::min<size_t>(sum, plan_.plan.sweep_count() - round_.again);
  }
  return std::max<size_t>(sum, 1);
}

// All streams are told of the same stimuli and the same chunks: their sweeps come together.
void MappingPipeline::TakeAll(std::vector<Sweeps> by_stream, std::vector<MappingRound>* rounds) {
  for (size_t i = 0; i < by_stream[0].size(); ++i) {
    Sweeps sweeps;
    for (Sweeps& stream : by_stream) {
      if (i < stream.size()) sweeps.push_back(std::move(stream[i]));
    }
    if (sweeps.size() == by_stream.size()) Take(sweeps, rounds);
  }
}

void MappingPipeline::Take(const Sweeps& sweeps, std::vector<MappingRound>* rounds) {
  const Stimulus& stimulus = sweeps[0].stimulus;
  const Place place = PlaceOf(stimulus);
  if (!place.is_known) {
    if (++round_.without_contact >= plan_.plan.sweep_count()) TellWithoutMap(rounds);
    return;
  }
  const v1::StimulusSetting setting = SettingOf(stimulus, plan_.plan.stimulus());
  EndBefore(stimulus, place, setting, rounds);
  if (round_.given_up >= plan_.plan.sweep_count()) TellWithoutMap(rounds);
  round_.has_begun = true;
  ++round_.stimuli;
  round_.position = place.position;
  round_.last_ns = stimulus.time_ns;
  if (place.contact == 0) {
    for (size_t i = 0; i < sweeps.size(); ++i) {
      round_.contacts[place.row * count() + i].Add(sweeps[i], setting);
    }
  } else {
    StripContact& contact = round_.contacts[place.contact - 1];
    if (!contact.is_whole()) {
      round_.again = 0;
      round_.advanced = place.contact;
    } else if (place.contact != round_.advanced) {
      ++round_.again;
    }
    contact.Add(sweeps[0], setting);
  }
  if (IsOver()) rounds->push_back(Finish(/*is_cut=*/false));
}

void MappingPipeline::EndBefore(const Stimulus& stimulus, const Place& place,
                                const v1::StimulusSetting& setting,
                                std::vector<MappingRound>* rounds) {
  if (!round_.has_begun) return;
  // Between contacts that are stimulated by hand, or legs, there are pauses.
  const bool paused = method_ == Method::kRecordedContacts
                          ? cadence_.IsPause(round_.last_ns, stimulus.time_ns)
                          : stimulus.time_ns - round_.last_ns > kNewSearchAfterNs;
  if (place.position != round_.position || paused) return CutRound(rounds);
  const size_t first = place.row * count();
  if (place.contact != 0) {
    StripContact& contact = round_.contacts[place.contact - 1];
    if (contact.IsOfAnother(setting)) GiveUp(place.contact - 1, 1);
  } else if (std::any_of(round_.contacts.begin() + static_cast<ptrdiff_t>(first),
                         round_.contacts.begin() + static_cast<ptrdiff_t>(first + count()),
                         [&](const StripContact& one) { return one.IsOfAnother(setting); })) {
    if (method_ == Method::kRecordedContacts) return CutRound(rounds);
    GiveUp(first, count());
  }
}

// Contacts of which another average begins, recorded together: their stimuli are the same.
void MappingPipeline::GiveUp(size_t first, size_t contacts) {
  uint32_t stimuli = 0;
  for (size_t i = first; i < first + contacts; ++i) {
    stimuli = std::max(stimuli, round_.contacts[i].average().offered());
    round_.contacts[i].Reset();
  }
  stimuli = std::min(stimuli, round_.stimuli);
  round_.stimuli -= stimuli;
  round_.given_up += stimuli;
}

void MappingPipeline::CutRound(std::vector<MappingRound>* rounds) {
  const size_t rows = round_.contacts.size() / count();
  if (Usable() >= 2 * rows) {
    rounds->push_back(Finish(/*is_cut=*/true));
  } else {
    round_.given_up += round_.stimuli;
    Restart();
  }
}

size_t MappingPipeline::Usable() const {
  return static_cast<size_t>(
      std::count_if(round_.contacts.begin(), round_.contacts.end(),
                    [](const StripContact& contact) { return contact.is_usable(); }));
}

bool MappingPipeline::IsOver() const {
  if (std::none_of(round_.contacts.begin(), round_.contacts.end(),
                   [](const StripContact& contact) { return contact.is_open(); })) {
    return true;
  }
  // The others are stimulated a second time: what has not been will not be.
  return round_.again >= plan_.plan.sweep_count() && Usable() >= 2;
}

void MappingPipeline::Restart() {
  for (StripContact& contact : round_.contacts) contact.Reset();
  round_.has_begun = false;
  round_.stimuli = 0;
  round_.again = round_.advanced = 0;
}

ContactAverage MappingPipeline::Tell(size_t row, uint32_t contact) const {
  const dsp::LatencyWindow behind{plan_.plan.blank_to_ms() + 1, plan_.plan.epoch_to_ms()};
  const size_t trace = row * count() + contact - 1;
  const StripContact& from = round_.contacts[trace];
  const dsp::SweepAverage& average = from.average();
  ContactAverage told;
  told.contact = contact;
  told.trace = trace;
  told.side = SideOf(row);
  told.mean_uv.assign(average.mean_uv().begin(), average.mean_uv().end());
  told.odd_uv.assign(average.odd_uv().begin(), average.odd_uv().end());
  told.even_uv.assign(average.even_uv().begin(), average.even_uv().end());
  told.accepted = average.accepted();
  told.offered = average.offered();
  told.noise_uv = average.PlusMinusNoiseUv(behind);
  told.first_stimulus_ns = from.first_stimulus_ns();
  told.last_stimulus_ns = from.last_stimulus_ns();
  told.setting = from.setting();
  return told;
}

MappingRound MappingPipeline::Finish(bool is_cut) {
  MappingRound round;
  round.round_index = round_.index++;
  round.timebase = streams_[0].timebase();
  round.uv_per_count = streams_[0].inputs().uv_per_count;
  round.position = round_.position;
  round.is_cut = is_cut;
  round.without_contact = std::exchange(round_.without_contact, 0);
  round.given_up = std::exchange(round_.given_up, 0);
  const size_t rows = round_.contacts.size() / count();
  for (size_t row = 0; row < rows; ++row) {
    for (uint32_t contact = 1; contact <= count(); ++contact) {
      const StripContact& from = round_.contacts[row * count() + contact - 1];
      if (from.is_usable()) {
        round.contacts.push_back(Tell(row, contact));
      } else {
        round.left_out.push_back({contact, rows > 1 ? SideOf(row) : v1::SIDE_UNSPECIFIED,
                                  from.cause(), from.was_not_delivered(), /*is_noisy=*/false,
                                  from.average().accepted(), from.average().offered()});
      }
    }
  }
  LeaveOutNoisy(method_ == Method::kGradient, &round);
  for (uint32_t contact = 1; contact <= count(); ++contact) {
    const auto of = static_cast<size_t>(
        std::count_if(round.contacts.begin(), round.contacts.end(),
                      [&](const ContactAverage& one) { return one.contact == contact; }));
    if (of == rows) round.used.push_back(contact);
  }
  if (method_ == Method::kGradient) {
    FindCrossing(plan_.plan, &round);
  } else {
    FindTurn(plan_.plan, &round);
  }
  Restart();
  return round;
}

void MappingPipeline::TellWithoutMap(std::vector<MappingRound>* rounds) {
  MappingRound round;
  round.without_contact = std::exchange(round_.without_contact, 0);
  round.given_up = std::exchange(round_.given_up, 0);
  round.timebase = streams_[0].timebase();
  rounds->push_back(std::move(round));
}

}  // namespace remora::agent
