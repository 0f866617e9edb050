#include "acquisition-agent/sources/lsl/lsl_source.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::lsl {
namespace {

constexpr double kCorrectionIntervalS = 5;
constexpr double kResyncIntervalS = 5;
constexpr int64_t kResyncToleranceNs = 2'000'000;
// A stamp that is farther away than this says nothing about missing samples.
constexpr double kFarS = 3600;
// For a stream from which nothing has come for so long the others do not wait.
constexpr double kStalledS = 2;
constexpr double kBlockS = 0.05;
constexpr int64_t kPullValues = 1 << 16;
constexpr int kMostPulls = 64;  // of a stream for one Next(), so that none starves the others
constexpr size_t kMaxHeld = 20'000;

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> LslSource::Open(LslApi api, const std::string& name,
                                                              const LslOptions& options,
                                                              const Clock& clock) {
  std::unique_ptr<LslSource> source(new LslSource(api, options));
  if (absl::Status status = source->Start(name); !status.ok()) return status;
  source->info_.live_zero_ns = clock.Now().nanoseconds();
  return source;
}

LslSource::LslSource(LslApi api, const LslOptions& options) : api_(api), options_(options) {}

absl::Status LslSource::Start(const std::string& name) {
  absl::StatusOr<std::vector<std::unique_ptr<OpenStream>>> streams =
      OpenStreams(api_, options_.names, options_.type, options_.wait_s);
  if (!streams.ok()) return streams.status();
  std::stable_partition(streams->begin(), streams->end(),
                        [](const auto& stream) { return stream->has_samples(); });
  info_.name = name;
  info_.live = true;
  bool markers = false;
  for (std::unique_ptr<OpenStream>& stream : *streams) {
    info_.notes.push_back(absl::StrCat("stream ", stream->name, " (", stream->type, ") from ",
                                       stream->host, ", clock offset ", stream->correction_s,
                                       " s"));
    info_.notes.insert(info_.notes.end(), stream->notes.begin(), stream->notes.end());
    Track& track = tracks_.emplace_back();
    markers = markers || !stream->has_samples();
    if (stream->has_samples()) {
      track.rate_group = static_cast<int>(info_.rate_groups.size());
      track.clock = StreamClock(stream->rate_hz);
      track.grid = FrameClock::OfRate(stream->rate_hz);
      info_.rate_groups.push_back({stream->rate_hz, {}});
      for (ChannelInfo& channel : stream->channels) {
        channel.rate_group = track.rate_group;
        info_.rate_groups.back().channels.push_back(static_cast<int>(info_.channels.size()));
        info_.channels.push_back(channel);
      }
    }
    track.stream = std::move(stream);
  }
  MakeLabelsUnique(&info_.channels, &info_.notes);
  if (options_.triggers.from == TriggerOptions::From::kChannel ||
      (options_.triggers.from == TriggerOptions::From::kAuto && !markers)) {
    absl::StatusOr<TriggerChoice> choice = ChooseTriggers(options_.triggers, {}, info_.channels);
    if (!choice.ok()) return choice.status();
    trigger_channel_index_ = choice->channel;
    if (choice->channel) {
      trigger_channel_.emplace(info_.channels[*choice->channel], options_.triggers);
    }
    info_.notes.push_back(choice->note);
  }
  opened_s_ = corrected_s_ = now_s_ = api_.local_clock();
  for (Track& track : tracks_) track.arrived_s = opened_s_;
  return absl::OkStatus();
}

std::optional<int64_t> LslSource::DeviceNs(double lsl_time_s) const {
  double device_s = lsl_time_s - opened_s_;
  if (!tracks_.empty() && IsPrimary(tracks_[0])) {
    if (!tracks_[0].clock.started()) return std::nullopt;
    device_s = tracks_[0].clock.IndexOf(lsl_time_s) / tracks_[0].stream->rate_hz;
  }
  if (!std::isfinite(device_s)) return std::nullopt;
  const double most_s = Seconds(kMaxRecordedNs);
  return std::llround(std::clamp(device_s, -most_s, most_s) * 1e9);
}

absl::StatusOr<Item> LslSource::Next() {
  if (ready_.empty() && !ended_) {
    if (failed_.ok()) failed_ = Poll();
    Release();
    if (ready_.empty() && !failed_.ok()) {
      ended_ = true;
      return failed_;
    }
  }
  if (ready_.empty()) return ended_ ? Item(EndOfSource{}) : Item(NothingYet{});
  Item item = std::move(ready_.front());
  ready_.pop_front();
  return item;
}

void LslSource::RefreshCorrections() {
  if (now_s_ - corrected_s_ < kCorrectionIntervalS) return;
  corrected_s_ = now_s_;
  for (Track& track : tracks_) {
    const Inlet inlet = track.stream->inlet();
    if (api_.was_clock_reset(inlet) != 0) track.clock_was_reset = true;
    int32_t error = 0;
    const double correction_s = api_.time_correction(inlet, 0, &error);
    // Without a new estimate the last one holds.
    if (error == 0 && std::isfinite(correction_s)) track.stream->correction_s = correction_s;
  }
}

absl::Status LslSource::Poll() {
  now_s_ = api_.local_clock();
  RefreshCorrections();
  for (Track& track : tracks_) {
    // Until the first stream has begun there is no device time: liblsl keeps the others.
    if (!IsPrimary(track) && !DeviceNs(now_s_)) continue;
    const absl::Status status = track.rate_group >= 0             ? PollSamples(&track)
                                : track.stream->format == kString ? PollTexts(&track)
                                                                  : PollNumbers(&track);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status LslSource::PollSamples(Track* track) {
  const int64_t channels = track->stream->channel_count;
  const int64_t most = std::max<int64_t>(kPullValues / channels, 16);
  std::vector<double> values(static_cast<size_t>(most * channels));
  std::vector<double> stamps(static_cast<size_t>(most));
  for (int pull = 0; pull < kMostPulls; ++pull) {
    int32_t error = 0;
    const int64_t samples =
        static_cast<int64_t>(api_.pull_chunk_d(track->stream->inlet(), values.data(), stamps.data(),
                                               values.size(), stamps.size(), 0, &error)) /
        channels;
    if (error == kLostError) {
      return absl::UnavailableError(absl::StrCat("stream ", track->stream->name, " went away"));
    }
    if (samples <= 0) break;
    track->arrived_s = now_s_;
    TakeChunk(track, values, stamps, std::min(samples, most));
    if (samples < most) break;
  }
  return absl::OkStatus();
}

absl::Status LslSource::PollNumbers(Track* track) {
  std::vector<double> values(static_cast<size_t>(track->stream->channel_count));
  for (int pull = 0; pull < kMostPulls; ++pull) {
    int32_t error = 0;
    double stamp_s = 0;
    const unsigned long count = api_.pull_chunk_d(track->stream->inlet(), values.data(), &stamp_s,
                                                  values.size(), 1, 0, &error);
    if (error == kLostError) {
      return absl::UnavailableError(absl::StrCat("stream ", track->stream->name, " went away"));
    }
    if (count == 0) break;
    AddMarker(*track, absl::StrCat(values[0]), stamp_s);
  }
  return absl::OkStatus();
}

absl::Status LslSource::PollTexts(Track* track) {
  std::vector<char*> strings(static_cast<size_t>(track->stream->channel_count));
  for (int pull = 0; pull < kMostPulls; ++pull) {
    int32_t error = 0;
    std::fill(strings.begin(), strings.end(), nullptr);
    const double stamp_s = api_.pull_sample_str(track->stream->inlet(), strings.data(),
                                                track->stream->channel_count, 0, &error);
    std::string text;
    for (char* string : strings) {
      if (string == nullptr) continue;
      absl::StrAppend(&text, text.empty() ? "" : " ",
                      absl::string_view(string).substr(0, kMaxMarkText));
      api_.destroy_string(string);
    }
    if (error == kLostError) {
      return absl::UnavailableError(absl::StrCat("stream ", track->stream->name, " went away"));
    }
    if (stamp_s == 0) break;
    AddMarker(*track, CleanText(text.substr(0, kMaxMarkText)), stamp_s);
  }
  return absl::OkStatus();
}

void LslSource::TakeChunk(Track* track, const std::vector<double>& values,
                          const std::vector<double>& stamps, int64_t samples) {
  const int64_t most = std::max<int64_t>(static_cast<int64_t>(track->stream->rate_hz * kBlockS), 1);
  int64_t first = 0;  // of the block that is being gathered
  for (int64_t i = 0; i < samples; ++i) {
    const double time_s = stamps[static_cast<size_t>(i)] + track->stream->correction_s;
    if (std::isfinite(time_s) && !Follows(time_s, *track)) {
      AddBlock(values, first, i - first, track);
      first = i;
      Break(time_s, track);
    }
    if (std::isfinite(time_s)) track->clock.Add(static_cast<double>(track->next_index), time_s);
    ++track->next_index;
    if (track->leave_out > 0) {
      --track->leave_out;
      first = i + 1;
    }
    if (i + 1 - first == most || i + 1 == samples) {
      AddBlock(values, first, i + 1 - first, track);
      first = i + 1;
      Resync(track);
    }
  }
}

bool LslSource::Follows(double time_s, const Track& track) const {
  if (!track.clock.started() || track.clock_was_reset) return false;
  const double late_s = time_s - track.clock.TimeOf(static_cast<double>(track.next_index));
  return std::fabs(late_s) < std::max(options_.gap_ms / 1e3, 1.5 / track.stream->rate_hz);
}

void LslSource::Break(double time_s, Track* track) {
  const double index = static_cast<double>(track->next_index);
  const double rate_hz = track->stream->rate_hz;
  const std::string& name = track->stream->name;
  const auto ns_of = [&](int64_t i) {
    return track->anchor_ns + track->grid.Ns(i - track->anchor_index);
  };
  if (!track->clock.started()) {
    track->clock.Restart(index, time_s);
    if (!IsPrimary(*track)) {
      track->anchor_ns = DeviceNs(time_s).value_or(0);
      track->resync_index = static_cast<int64_t>(rate_hz * kResyncIntervalS);
    }
    return;
  }
  if (track->leave_out > 0) {
    track->anchor_index = track->next_index;
    track->leave_out = 0;
  }
  const double late_s = time_s - track->clock.TimeOf(index);
  const int64_t here_ns = ns_of(track->next_index);
  if (!track->clock_was_reset && late_s > 0 && late_s < kFarS) {
    const int64_t missing = std::max<int64_t>(std::llround(late_s * rate_hz), 1);
    track->next_index += missing;
    AddGap(Gap::Kind::kMissing, here_ns, ns_of(track->next_index), 0,
           absl::StrCat(missing, " samples of stream ", name, " are missing"));
    return;
  }
  const std::string why = track->clock_was_reset ? "its clock was reset" : "its time stamps jumped";
  track->clock_was_reset = false;
  track->clock.Restart(index, time_s);
  AddGap(late_s < 0 ? Gap::Kind::kTimeJumpedBack : Gap::Kind::kMissing, here_ns, here_ns,
         std::min(late_s, 0.0),
         absl::StrCat("stream ", name, ": ", why, " by ", late_s,
                      " s; how many samples are missing is unknown"));
}

// A further stream against the first.
void LslSource::Resync(Track* track) {
  if (IsPrimary(*track) || track->next_index < track->resync_index) return;
  track->resync_index = track->next_index + static_cast<int64_t>(std::max(
                                                track->stream->rate_hz * kResyncIntervalS, 1.0));
  if (!track->clock.settled() || !tracks_[0].clock.settled()) return;
  const std::optional<int64_t> there_ns =
      DeviceNs(track->clock.TimeOf(static_cast<double>(track->next_index)));
  const int64_t here_ns =
      track->anchor_ns + track->grid.Ns(track->next_index - track->anchor_index);
  const int64_t drift_ns = there_ns.value_or(here_ns) - here_ns;
  if (std::abs(drift_ns) < kResyncToleranceNs) return;
  const std::string cause = absl::StrCat("stream ", track->stream->name, " has drifted by ",
                                         Seconds(drift_ns) * 1e3, " ms against the first stream");
  if (drift_ns > 0) {
    track->anchor_index = track->next_index;
    track->anchor_ns = *there_ns;
    AddGap(Gap::Kind::kMissing, here_ns, *there_ns, 0, cause);
    return;
  }
  track->leave_out =
      std::max<int64_t>(std::llround(-Seconds(drift_ns) * track->stream->rate_hz), 1);
  track->anchor_index = track->next_index + track->leave_out;
  track->anchor_ns = here_ns;
  AddGap(Gap::Kind::kTimeJumpedBack, here_ns, here_ns, Seconds(drift_ns),
         absl::StrCat(cause, "; ", track->leave_out, " samples are left out"));
}

void LslSource::AddGap(Gap::Kind kind, int64_t from_ns, int64_t to_ns, double step_s,
                       std::string cause) {
  Gap gap;
  gap.kind = kind;
  gap.from_ns = from_ns;
  gap.to_ns = to_ns;
  gap.clock_step_ns = std::llround(std::clamp(step_s, -kFarS * 1e3, 0.0) * 1e9);
  gap.cause = std::move(cause);
  Hold(std::move(gap), "");
}

// Samples [first, first + count) of the chunk, which end before next_index.
void LslSource::AddBlock(const std::vector<double>& values, int64_t first, int64_t count,
                         Track* track) {
  if (count <= 0) return;
  const std::vector<int>& group = info_.rate_groups[track->rate_group].channels;
  const int64_t channels = static_cast<int64_t>(group.size());
  const int64_t first_index = track->next_index - count;
  SampleBlock block;
  block.rate_group = track->rate_group;
  block.sample_rate_hz = track->stream->rate_hz;
  block.first_sample_index = track->delivered;
  block.start_time_ns = track->anchor_ns + track->grid.Ns(first_index - track->anchor_index);
  block.end_time_ns = track->anchor_ns + track->grid.Ns(track->next_index - track->anchor_index);
  block.samples_per_channel = static_cast<int32_t>(count);
  block.samples.reserve(static_cast<size_t>(count * channels));
  for (int64_t k = 0; k < channels; ++k) {
    const double scale = track->stream->uv_per_unit[static_cast<size_t>(k)];
    for (int64_t i = first; i < first + count; ++i) {
      block.samples.push_back(scale * values[static_cast<size_t>(i * channels + k)]);
    }
  }
  if (trigger_channel_ && info_.channels[*trigger_channel_index_].rate_group == block.rate_group) {
    for (StimulusTrigger& trigger :
         TriggersIn(block, info_, *trigger_channel_index_, &*trigger_channel_)) {
      Hold(std::move(trigger), track->stream->name);
    }
  }
  if (Hold(std::move(block), track->stream->name)) track->delivered += count;
}

bool LslSource::IsStimulus(const std::string& text) const {
  switch (options_.triggers.from) {
    case TriggerOptions::From::kNone:
    case TriggerOptions::From::kChannel:
      return false;
    case TriggerOptions::From::kAnnotations:
      return absl::StartsWith(text, options_.triggers.annotation_prefix);
    case TriggerOptions::From::kAuto:
      break;
  }
  if (absl::StartsWith(text, options_.triggers.annotation_prefix)) return true;
  absl::string_view number = text;
  absl::ConsumePrefix(&number, "S");
  number = absl::StripLeadingAsciiWhitespace(number);
  return CodeOf(number) != 0;
}

void LslSource::AddMarker(const Track& track, const std::string& text, double stamp_s) {
  const std::optional<int64_t> time_ns = DeviceNs(stamp_s + track.stream->correction_s);
  if (text.empty() || !time_ns) return;
  if (!IsStimulus(text)) {
    Hold(SourceEvent{*time_ns, 0, text}, track.stream->name);
    return;
  }
  const std::string& prefix = options_.triggers.annotation_prefix;
  StimulusTrigger trigger = TriggerFromMarker(
      text, absl::StartsWith(text, prefix) ? prefix : std::string(), options_.triggers);
  trigger.time_ns = *time_ns;
  Hold(std::move(trigger), track.stream->name);
}

bool LslSource::Hold(Item item, const std::string& stream) {
  const int64_t due_ns = DueTimeNs(item);
  if (due_ns >= released_ns_) {
    held_.emplace(due_ns, std::move(item));
    return true;
  }
  const double late_s = Seconds(released_ns_ - due_ns);
  if (auto* event = std::get_if<SourceEvent>(&item)) {
    event->time_ns = released_ns_;
  } else if (auto* gap = std::get_if<Gap>(&item)) {
    gap->from_ns = released_ns_;
    gap->to_ns = std::max(gap->to_ns, released_ns_);
  } else if (const auto* trigger = std::get_if<StimulusTrigger>(&item)) {
    item = SourceEvent{released_ns_, 0,
                       absl::StrCat("a stimulus (code ", trigger->code, ", \"", trigger->label,
                                    "\") came ", late_s, " s too late and is not used")};
  } else if (const auto* block = std::get_if<SampleBlock>(&item)) {
    Gap lost;
    lost.from_ns = lost.to_ns = released_ns_;
    lost.cause = absl::StrCat(block->samples_per_channel, " samples of stream ", stream, " came ",
                              late_s, " s too late and are not used");
    item = std::move(lost);
  }
  held_.emplace(released_ns_, std::move(item));
  return false;
}

void LslSource::Release() {
  int64_t until_ns = INT64_MAX;
  if (tracks_.size() > 1 && failed_.ok()) {
    const std::optional<int64_t> now_ns = DeviceNs(now_s_);
    until_ns = now_ns ? *now_ns - int64_t{options_.hold_ms} * 1'000'000 : INT64_MIN;
    for (const Track& track : tracks_) {
      if (track.rate_group < 0 || now_s_ - track.arrived_s > kStalledS) continue;
      until_ns = std::min(
          until_ns, track.clock.started()
                        ? track.anchor_ns + track.grid.Ns(track.next_index - track.anchor_index)
                        : INT64_MIN);
    }
  }
  while (!held_.empty() && (held_.begin()->first <= until_ns || held_.size() > kMaxHeld)) {
    released_ns_ = std::max(released_ns_, held_.begin()->first);
    ready_.push_back(std::move(held_.begin()->second));
    held_.erase(held_.begin());
  }
}

}  // namespace remora::agent::lsl
