#include "acquisition-agent/surveillance/testing/scripted_source.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

double Wave(double ms, double peak_ms, double width_ms) {
  const double z = (ms - peak_ms) / (width_ms / 2.355);
  return std::exp(-z * z / 2);
}

}  // namespace

ScriptedSource::ScriptedSource(PatientScript script)
    : script_(std::move(script)), noise_state_(script_.seed * 2654435761u + 1) {
  info_.name = "scripted patient";
  info_.rate_groups.push_back(RateGroup{kRateHz, {0, 1, 2}});
  for (const char* label : {"CPc", "Front", "TA"}) {
    ChannelInfo channel;
    channel.label = label;
    channel.original_label = label;
    channel.unit = "uV";
    channel.sample_rate_hz = kRateHz;
    channel.uv_per_count = 0.1;
    channel.digital_min = -30'000;
    channel.digital_max = 30'000;
    channel.physical_min = -kLimitUv;
    channel.physical_max = kLimitUv;
    info_.channels.push_back(channel);
  }
  if (script_.telling != Telling::kChannel) return;
  ChannelInfo trigger = info_.channels[0];
  trigger.label = trigger.original_label = "TRIG";
  trigger.unit = "";
  trigger.is_voltage = false;
  trigger.rate_group = 1;
  trigger.uv_per_count = 1;
  trigger.digital_min = 0;
  trigger.digital_max = 1;
  trigger.physical_min = 0;
  trigger.physical_max = 1;
  info_.rate_groups.push_back(RateGroup{kRateHz, {3}});
  info_.channels.push_back(trigger);
}

double ScriptedSource::Noise() {
  // Twelve uniform numbers make one that is nearly Gaussian.
  double sum = 0;
  for (int i = 0; i < 12; ++i) {
    noise_state_ = noise_state_ * 6364136223846793005u + 1442695040888963407u;
    sum += static_cast<double>(noise_state_ >> 11) / 9007199254740992.0;
  }
  return sum - 6;
}

double ScriptedSource::Sample(int channel, double time_s) {
  double uv = (channel == 2 ? 2.0 : 0.6) * Noise();
  const double period_s = 1 / script_.stimulus_hz;
  const double since_s = std::fmod(time_s + 1e-9, period_s);
  const double ms = since_s * 1000;
  if (channel == 0) {
    const double late = script_.latency(time_s);
    uv += script_.amplitude(time_s) * (-3 * Wave(ms, 20 * late, 2.5) + 3 * Wave(ms, 26 * late, 4));
  }
  if (ms < 1 && channel == 2) uv += script_.muscle_artefact_uv;
  if (ms < 1 && channel != 2) uv += (channel == 0 ? 300 : 200) * std::exp(-ms / 0.4);
  return std::round(script_.fault(channel, time_s, uv) * 10) / 10;
}

void ScriptedSource::TellStimulus(double time_s, std::vector<SourceEvent>* late) {
  const auto time_ns = static_cast<int64_t>(time_s * 1e9);
  if (script_.telling == Telling::kChannel) return;
  if (script_.telling == Telling::kTriggers) {
    StimulusTrigger trigger;
    trigger.time_ns = time_ns;
    trigger.label = "MED R";
    trigger.rate_hz = script_.stimulus_hz;
    if (script_.delivered_ma(time_s) > 0) trigger.delivered_ma = script_.delivered_ma(time_s);
    ready_.push_back(trigger);
    return;
  }
  SourceEvent event;
  event.time_ns = time_ns;
  event.text = script_.telling == Telling::kNamelessNotes ? "N1 wrist" : "STIM MED R";
  if (script_.telling == Telling::kLateNotes) {
    late->push_back(event);
  } else {
    ready_.push_back(event);
  }
}

SampleBlock ScriptedSource::TriggerBlock(const SampleBlock& of) const {
  SampleBlock block = of;
  block.rate_group = 1;
  block.samples.assign(static_cast<size_t>(of.samples_per_channel), 0.0);
  const int64_t period = std::llround(kRateHz / script_.stimulus_hz);
  for (size_t i = 0; i < block.samples.size(); ++i) {
    const int64_t sample = of.start_time_ns / 500'000 + static_cast<int64_t>(i);
    const double time_s = static_cast<double>(sample / period * period) / kRateHz;
    if (sample % period < 4 && script_.told(time_s)) block.samples[i] = 1;
  }
  return block;
}

void ScriptedSource::MakeBlock() {
  const int64_t end = static_cast<int64_t>(script_.seconds * kRateHz);
  const int64_t gap_from = static_cast<int64_t>(script_.gap_from_s * kRateHz);
  const int64_t gap_to = static_cast<int64_t>(script_.gap_to_s * kRateHz);
  if (!gap_told_ && script_.gap_from_s >= 0 && next_sample_ >= gap_from) {
    gap_told_ = true;
    Gap gap;
    gap.kind = gap_to > gap_from ? Gap::Kind::kMissing : Gap::Kind::kTimeJumpedBack;
    gap.from_ns = static_cast<int64_t>(script_.gap_from_s * 1e9);
    gap.to_ns = static_cast<int64_t>(script_.gap_to_s * 1e9);
    gap.cause = "as the test wants it";
    ready_.push_back(gap);
    next_sample_ = gap_to;
  }
  if (next_sample_ >= end) {
    ended_ = true;
    ready_.push_back(EndOfSource());
    return;
  }
  SampleBlock block;
  block.sample_rate_hz = kRateHz;
  block.first_sample_index = delivered_;
  int64_t count = std::min<int64_t>(end - next_sample_, script_.block_ms * 2);
  if (!gap_told_ && script_.gap_from_s >= 0)
    count = std::min(count, std::max<int64_t>(gap_from - next_sample_, 1));
  block.samples_per_channel = static_cast<int32_t>(count);
  block.start_time_ns = next_sample_ * 500'000;
  block.end_time_ns = (next_sample_ + count) * 500'000;
  block.samples.resize(static_cast<size_t>(3 * count));
  // Sample after sample, so that the noise does not depend on how blocks are cut.
  for (int64_t i = 0; i < count; ++i) {
    for (int channel = 0; channel < 3; ++channel) {
      block.samples[static_cast<size_t>(channel * count + i)] =
          Sample(channel, static_cast<double>(next_sample_ + i) / kRateHz);
    }
  }
  std::vector<SourceEvent> late;
  const double period_s = 1 / script_.stimulus_hz;
  const int64_t first = static_cast<int64_t>(
      std::ceil(static_cast<double>(next_sample_) / kRateHz / period_s - 1e-9));
  for (int64_t k = first;
       static_cast<double>(k) * period_s * kRateHz < static_cast<double>(next_sample_ + count);
       ++k) {
    const double time_s = static_cast<double>(k) * period_s;
    if (script_.told(time_s)) TellStimulus(time_s, &late);
  }
  next_sample_ += count;
  delivered_ += count;
  std::optional<SampleBlock> triggers;
  if (script_.telling == Telling::kChannel) triggers = TriggerBlock(block);
  ready_.push_back(std::move(block));
  if (triggers) ready_.push_back(*std::move(triggers));
  for (SourceEvent& event : late) ready_.push_back(std::move(event));
}

absl::StatusOr<Item> ScriptedSource::Next() {
  if (ready_.empty() && ended_) return Item(EndOfSource());
  while (ready_.empty()) MakeBlock();
  Item item = std::move(ready_.front());
  ready_.pop_front();
  return item;
}

CasePlan PatientPlan(const std::string& more) {
  CasePlan plan;
  plan.plan_path = "patient.plan";
  plan.montage_path = "patient.montage";
  plan.criteria_path = "patient.criteria";
  const bool parsed = google::protobuf::TextFormat::ParseFromString(
                          absl::StrCat(R"(montage_file: "m" criteria_file: "c" procedure: "test"
            evoked {
              modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "CPc-Front"
              trigger { label_prefix: "MED R" } stimulus { site: "median nerve" rate_hz: 5 }
              epoch_from_ms: -10 epoch_to_ms: 60 sweep_count: 20
              component { label: "N20" polarity: POLARITY_NEGATIVE
                          window_from_ms: 16 window_to_ms: 26 expected_ms: 20 }
              component { label: "P25" polarity: POLARITY_POSITIVE
                          window_from_ms: 20 window_to_ms: 36 expected_ms: 26 }
              criterion: "SEP.amp_abs" criterion: "SEP.lat_abs" )",
                                       more, R"( }
            emg { derivation: "TA" side: SIDE_RIGHT criterion: "EMG.train" })"),
                          &plan.plan) &&
                      google::protobuf::TextFormat::ParseFromString(
                          R"(derivation { name: "CPc-Front" plus: "CPc" minus: "Front" }
             derivation { name: "TA" plus: "TA" })",
                          &plan.montage) &&
                      google::protobuf::TextFormat::ParseFromString(
                          R"(version: "7"
             criterion { key: "SEP.amp_abs" amber_amplitude_fall_percent: 40
                         red_amplitude_fall_percent: 50 source: "test" }
             criterion { key: "SEP.lat_abs" amber_latency_rise_percent: 7
                         red_latency_rise_percent: 10 source: "test" }
             criterion { key: "EMG.train" amber_train_ms: 2000 source: "test" })",
                          &plan.criteria);
  REMORA_CHECK(parsed, "the test's plan parses");
  FillDefaults(&plan.plan);
  REMORA_CHECK(CheckCasePlan(plan).ok(), "the test's plan is right");
  return plan;
}

}  // namespace remora::agent
