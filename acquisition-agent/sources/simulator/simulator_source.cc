#include "acquisition-agent/sources/simulator/simulator_source.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/simulator/limits.h"

namespace remora::agent::sim {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

SimulatorOptions WithOverrides(SimulatorOptions options) {
  if (options.sample_rate_hz) options.scenario.sample_rate_hz = *options.sample_rate_hz;
  if (options.mains_hz) options.scenario.mains_hz = *options.mains_hz;
  if (options.duration_s) options.scenario.duration_s = *options.duration_s;
  return options;
}

StimulusTrigger TriggerOf(const Stimulus& stimulus, const Stimulator& stimulator,
                          double delivered) {
  StimulusTrigger trigger;
  trigger.time_ns = stimulus.time_ns;
  trigger.code = stimulus.stimulator + 1;
  trigger.label = StimulusLabel(stimulator, stimulus.number);
  trigger.site = StimulusSite(stimulator, stimulus.number);
  // To a tenth of its step of 0.1 mA: what the stimulator shows.
  const double arrives = std::round(stimulus.intensity * delivered * 100) / 100;
  if (stimulator.volts > 0) {
    trigger.commanded_v = stimulus.intensity;
    trigger.delivered_v = arrives;
  } else if (stimulator.current_ma > 0) {
    trigger.commanded_ma = stimulus.intensity;
    trigger.delivered_ma = arrives;
  }
  if (stimulator.takes_turns() || stimulator.sweeps > 1) {
    trigger.rate_hz = stimulator.rate_hz;
  } else if (stimulator.every_s > 0) {
    trigger.rate_hz = 1 / stimulator.every_s;
  }
  if (stimulator.kind != StimulusKind::kVep) trigger.pulse_us = stimulator.pulse_us;
  trigger.pulses = stimulator.pulses;
  trigger.pulse_interval_ms = stimulator.pulses > 1 ? stimulator.pulse_interval_ms : 0;
  return trigger;
}

absl::Status CheckRange(absl::string_view what, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is ", value, "; it must be from ", low, " to ", high));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SimulatorSource>> SimulatorSource::Create(SimulatorOptions options) {
  options = WithOverrides(std::move(options));
  const Scenario& scenario = options.scenario;
  for (const absl::Status& status :
       {CheckRange("block_ms", options.block_ms, 1, 1000),
        CheckRange("the sample rate in Hz", scenario.sample_rate_hz, kMinSampleRateHz,
                   kMaxSampleRateHz),
        CheckRange("the mains frequency in Hz", scenario.mains_hz, 45, 65),
        CheckRange("the duration in s", std::min(scenario.duration_s, kMaxTimeS), 0.1, kMaxTimeS),
        CheckRange("the number of channels", static_cast<double>(scenario.channels.size()), 1,
                   kMaxChannels),
        CheckRange("the number of stimulators", static_cast<double>(scenario.stimulators.size()), 0,
                   kMaxStimulators)}) {
    if (!status.ok()) return status;
  }
  for (const Stimulator& stimulator : scenario.stimulators) {
    for (const absl::Status& status :
         {CheckRange("a stimulus rate in Hz", stimulator.rate_hz, 0.1, kMaxStimulusRateHz),
          CheckRange("the time between two rounds in s", stimulator.every_s, 0, kMaxTimeS),
          CheckRange("the pulses of a train", stimulator.pulses, 1, kMaxPulses),
          CheckRange("the stimuli of a round", stimulator.sweeps, 1, kMaxSweeps),
          CheckRange("the contacts of a strip", stimulator.contacts, 2, kMaxContacts)}) {
      if (!status.ok()) return status;
    }
  }
  return std::unique_ptr<SimulatorSource>(new SimulatorSource(std::move(options)));
}

SimulatorSource::SimulatorSource(SimulatorOptions options)
    : options_(std::move(options)),
      sample_rate_hz_(options_.scenario.sample_rate_hz),
      schedule_(options_.scenario.events, sample_rate_hz_),
      truth_(options_.scenario),
      clock_(options_.scenario, schedule_),
      generator_(options_.scenario, schedule_, truth_, sample_rate_hz_, options_.seed),
      monitor_(options_.scenario, schedule_, truth_, sample_rate_hz_, options_.seed) {
  const Scenario& scenario = options_.scenario;
  end_sample_ = std::isinf(scenario.duration_s)
                    ? kNever
                    : std::max<int64_t>(1, std::llround(scenario.duration_s * sample_rate_hz_));
  Describe();
}

void SimulatorSource::Describe() {
  const Scenario& scenario = options_.scenario;
  info_.name = options_.name;
  info_.rate_groups.push_back({sample_rate_hz_, {}});
  for (const Site& site : scenario.channels) {
    ChannelInfo channel;
    channel.label = channel.original_label = site.label;
    channel.unit = "uV";
    channel.sample_rate_hz = sample_rate_hz_;
    channel.uv_per_count = kUvPerCount;
    channel.digital_min = kDigitalMin;
    channel.digital_max = kDigitalMax;
    channel.physical_min = kDigitalMin * kUvPerCount;
    channel.physical_max = kDigitalMax * kUvPerCount;
    channel.prefilter = "none";
    channel.transducer = "simulated";
    info_.rate_groups[0].channels.push_back(static_cast<int>(info_.channels.size()));
    info_.channels.push_back(std::move(channel));
  }
  if (end_sample_ != kNever) info_.duration_ns = SampleTimeNs(end_sample_);
  info_.notes.push_back(
      absl::StrCat("simulated signals: ", scenario.title.empty() ? "no title" : scenario.title,
                   ", seed ", options_.seed));
}

absl::StatusOr<Item> SimulatorSource::Next() {
  while (ready_.empty()) {
    if (next_sample_ >= end_sample_) return Item(EndOfSource{});
    MakeStretch();
  }
  Item item = std::move(ready_.front());
  ready_.pop_front();
  return item;
}

// One block, or what happens during a block's length within a gap.
void SimulatorSource::MakeStretch() {
  const int64_t first = next_sample_;
  bool in_gap = false;
  const int64_t edge = schedule_.NextGapEdge(first, &in_gap);
  const int64_t block =
      std::max<int64_t>(1, std::llround(options_.block_ms * 1e-3 * sample_rate_hz_));
  const int64_t end = std::min({first + block, edge, end_sample_});
  const int count = static_cast<int>(end - first);

  std::vector<Item> items;
  if (in_gap && delivered_gap_end_ns_ <= SampleTimeNs(first)) {
    Gap gap;
    gap.from_ns = SampleTimeNs(first);
    gap.to_ns = SampleTimeNs(std::min(edge, end_sample_));
    gap.cause = "samples were lost on the way from the amplifier";
    delivered_gap_end_ns_ = gap.to_ns;
    ready_.push_back(std::move(gap));
  }
  AddStimuliBefore(SampleTimeNs(end), in_gap, &items);
  monitor_.AppendItems(first, end, &items);
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return DueTimeNs(a) < DueTimeNs(b); });
  for (Item& item : items) ready_.push_back(std::move(item));

  SampleBlock out;
  generator_.Generate(first, count, &out.samples);
  next_sample_ = end;
  if (in_gap) return;  // made, so that what comes later does not depend on the gap, and lost
  out.sample_rate_hz = sample_rate_hz_;
  out.first_sample_index = delivered_;
  out.start_time_ns = SampleTimeNs(first);
  out.end_time_ns = SampleTimeNs(end);
  out.samples_per_channel = count;
  delivered_ += count;
  ready_.push_back(std::move(out));
}

void SimulatorSource::AddStimuliBefore(int64_t end_ns, bool in_gap, std::vector<Item>* items) {
  while (const std::optional<Stimulus> stimulus = clock_.NextBefore(end_ns)) {
    const Stimulator& stimulator = options_.scenario.stimulators[stimulus->stimulator];
    const double time_s = static_cast<double>(stimulus->time_ns) * 1e-9;
    const auto in_force = [&](ScenarioEvent::Kind kind) {
      return schedule_.IsInForce(kind, stimulator, time_s);
    };
    if (in_force(ScenarioEvent::Kind::kStopStimulation)) continue;
    generator_.AddStimulus(*stimulus);
    if (in_gap || in_force(ScenarioEvent::Kind::kLoseTriggers)) continue;
    items->emplace_back(TriggerOf(*stimulus, stimulator, truth_.Delivered(stimulator, time_s)));
  }
}

int64_t SimulatorSource::SampleTimeNs(int64_t sample) const {
  return std::llround(static_cast<long double>(sample) * 1e9L / sample_rate_hz_);
}

}  // namespace remora::agent::sim
