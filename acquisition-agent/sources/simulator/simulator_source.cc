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
    if (absl::Status status =
            CheckRange("a stimulus rate in Hz", stimulator.rate_hz, 0.1, kMaxStimulusRateHz);
        !status.ok()) {
      return status;
    }
  }
  return std::unique_ptr<SimulatorSource>(new SimulatorSource(std::move(options)));
}

SimulatorSource::SimulatorSource(SimulatorOptions options)
    : options_(std::move(options)),
      sample_rate_hz_(options_.scenario.sample_rate_hz),
      schedule_(options_.scenario.events, sample_rate_hz_),
      generator_(options_.scenario, schedule_, sample_rate_hz_, options_.seed) {
  const Scenario& scenario = options_.scenario;
  end_sample_ = std::isinf(scenario.duration_s)
                    ? kNever
                    : std::max<int64_t>(1, std::llround(scenario.duration_s * sample_rate_hz_));
  double highest_hz = 0;
  for (const Stimulator& stimulator : scenario.stimulators)
    highest_hz = std::max(highest_hz, stimulator.rate_hz);
  const double count = static_cast<double>(scenario.stimulators.size());
  for (size_t i = 0; i < scenario.stimulators.size(); ++i) {
    offset_s_.push_back(kFirstStimulusS + static_cast<double>(i) / (count * highest_hz));
  }
  next_stimulus_.assign(scenario.stimulators.size(), 0);
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
  AddNotes(first, end, &items);
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
  const std::vector<Stimulator>& stimulators = options_.scenario.stimulators;
  // In time order over all stimulators: the order in which responses are added must not depend on
  // the block.
  while (true) {
    int next = -1;
    for (int i = 0; i < static_cast<int>(stimulators.size()); ++i) {
      if (next < 0 ||
          StimulusTimeNs(i, next_stimulus_[i]) < StimulusTimeNs(next, next_stimulus_[next]))
        next = i;
    }
    if (next < 0) return;
    const int64_t time_ns = StimulusTimeNs(next, next_stimulus_[next]);
    if (time_ns >= end_ns) return;
    ++next_stimulus_[next];
    const Stimulator& stimulator = stimulators[next];
    const double time_s = static_cast<double>(time_ns) * 1e-9;
    const auto in_force = [&](ScenarioEvent::Kind kind) {
      return schedule_.IsInForce(kind, stimulator.nerve, stimulator.side, time_s);
    };
    if (in_force(ScenarioEvent::Kind::kStopStimulation)) continue;
    generator_.AddStimulus(next, time_s);
    if (in_gap || in_force(ScenarioEvent::Kind::kLoseTriggers)) continue;
    StimulusTrigger trigger;
    trigger.time_ns = time_ns;
    trigger.code = next + 1;
    trigger.label = StimulusLabel(stimulator.nerve, stimulator.side);
    trigger.delivered_ma = trigger.commanded_ma = stimulator.current_ma;
    trigger.rate_hz = stimulator.rate_hz;
    items->emplace_back(std::move(trigger));
  }
}

void SimulatorSource::AddNotes(int64_t first, int64_t end, std::vector<Item>* items) {
  schedule_.Visit(ScenarioEvent::Kind::kNote, first, end, [&](const Occurrence& occurrence) {
    items->emplace_back(
        SourceEvent{SampleTimeNs(occurrence.first_sample), 0, occurrence.event->text});
  });
}

int64_t SimulatorSource::SampleTimeNs(int64_t sample) const {
  return std::llround(static_cast<long double>(sample) * 1e9L / sample_rate_hz_);
}

int64_t SimulatorSource::StimulusTimeNs(int stimulator, int64_t number) const {
  const double rate_hz = options_.scenario.stimulators[stimulator].rate_hz;
  return std::llround((static_cast<long double>(offset_s_[stimulator]) +
                       number / static_cast<long double>(rate_hz)) *
                      1e9L);
}

}  // namespace remora::agent::sim
