#include "acquisition-agent/sources/edf/edf_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/edf/limits.h"

namespace remora::agent::edf {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

absl::Status WithName(const std::string& name, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
}

ChannelInfo MakeChannel(const Signal& signal, const Header& header) {
  ChannelInfo channel;
  channel.label = signal.label;
  channel.original_label = signal.label;
  const std::optional<double> uv_per_unit = MicrovoltsPer(signal.dimension);
  channel.is_voltage = uv_per_unit.has_value();
  channel.unit = channel.is_voltage ? "uV" : signal.dimension;
  const double scale = uv_per_unit.value_or(1.0);
  channel.sample_rate_hz = header.SampleRateHz(signal);
  channel.uv_per_count = signal.gain() * scale;
  channel.uv_offset = signal.offset() * scale;
  channel.digital_min = signal.digital_min;
  channel.digital_max = signal.digital_max;
  channel.physical_min = signal.physical_min * scale;
  channel.physical_max = signal.physical_max * scale;
  channel.prefilter = signal.prefilter;
  channel.transducer = signal.transducer;
  channel.is_status_word =
      header.format == Format::kBdf && absl::EqualsIgnoreCase(signal.label, "Status");
  return channel;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EdfSource>> EdfSource::Open(std::unique_ptr<ByteReader> file,
                                                           const std::string& name,
                                                           const EdfOptions& options) {
  if (options.max_block_ms < 1 || options.max_block_ms > 10'000) {
    return absl::InvalidArgumentError(
        absl::StrCat("block_ms is ", options.max_block_ms, "; it must be from 1 to 10000"));
  }
  absl::StatusOr<Header> header = ReadHeader(*file);
  if (!header.ok()) return WithName(name, header.status());
  absl::StatusOr<Timeline> timeline = BuildTimeline(*file, *header);
  if (!timeline.ok()) return WithName(name, timeline.status());
  std::unique_ptr<EdfSource> source(
      new EdfSource(std::move(file), *std::move(header), *std::move(timeline), options));
  source->DescribeChannels(name);
  if (absl::Status status = source->ChooseTriggers(options.triggers); !status.ok())
    return WithName(name, status);
  return source;
}

EdfSource::EdfSource(std::unique_ptr<ByteReader> file, Header header, Timeline timeline,
                     const EdfOptions& options)
    : file_(std::move(file)),
      header_(std::move(header)),
      timeline_(std::move(timeline)),
      max_block_ms_(options.max_block_ms) {}

void EdfSource::DescribeChannels(const std::string& name) {
  info_.name = name;
  info_.notes = header_.notes;
  info_.notes.insert(info_.notes.end(), timeline_.notes.begin(), timeline_.notes.end());
  absl::flat_hash_map<int32_t, int> group_of;  // by samples a record
  for (int i = 0; i < static_cast<int>(header_.signals.size()); ++i) {
    const Signal& signal = header_.signals[i];
    if (signal.is_annotations || !signal.problem.empty()) continue;
    ChannelInfo channel = MakeChannel(signal, header_);
    const auto [entry, is_new] =
        group_of.try_emplace(signal.samples_per_record, static_cast<int>(info_.rate_groups.size()));
    if (is_new) info_.rate_groups.push_back({channel.sample_rate_hz, {}});
    channel.rate_group = entry->second;
    info_.rate_groups[channel.rate_group].channels.push_back(
        static_cast<int>(info_.channels.size()));
    info_.channels.push_back(std::move(channel));
    signal_of_channel_.push_back(i);
  }
  MakeLabelsUnique(&info_.channels, &info_.notes);
  delivered_.assign(info_.rate_groups.size(), 0);

  if (header_.start_local) {
    // The first record's time is the part of a second by which sampling began after the header's
    // start.
    const int64_t whole_s = timeline_.first_onset_ns >= 0
                                ? timeline_.first_onset_ns / kNsPerSecond
                                : -((-timeline_.first_onset_ns + kNsPerSecond - 1) / kNsPerSecond);
    info_.start_local = *header_.start_local + whole_s;
    info_.start_subsecond_ns =
        static_cast<int32_t>(timeline_.first_onset_ns - whole_s * kNsPerSecond);
  }
  int64_t end_ns = 0;
  if (!timeline_.segments.empty()) {
    end_ns = timeline_.RecordStartNs(timeline_.segments.back(), header_.records, header_);
  }
  info_.duration_ns = end_ns;
  // About one slice each max_block_ms, and never more slices than the fastest channel has samples.
  int64_t most_samples = 1;
  for (const Signal& signal : header_.signals) {
    if (!signal.is_annotations)
      most_samples = std::max<int64_t>(most_samples, signal.samples_per_record);
  }
  const int64_t block_ns = int64_t{max_block_ms_} * 1'000'000;
  slices_per_record_ =
      std::clamp<int64_t>((header_.record_duration_ns + block_ns - 1) / block_ns, 1, most_samples);
}

absl::Status EdfSource::ChooseTriggers(const TriggerOptions& options) {
  annotation_prefix_ = options.annotation_prefix;
  absl::StatusOr<TriggerChoice> choice =
      agent::ChooseTriggers(options, timeline_.texts, info_.channels);
  if (!choice.ok()) return choice.status();
  triggers_from_annotations_ = choice->annotations;
  trigger_channel_index_ = choice->channel;
  if (choice->channel) trigger_channel_.emplace(info_.channels[*choice->channel], options);
  if (!choice->note.empty()) info_.notes.push_back(choice->note);

  std::vector<std::string> labels = LabelsOf(*choice, options);
  std::vector<std::string> others;
  for (const std::string& text : timeline_.texts) {
    if (triggers_from_annotations_ && absl::StartsWith(text, annotation_prefix_)) {
      labels.push_back(TriggerFromAnnotation(text, annotation_prefix_, 0).label);
    } else {
      others.push_back(text);
    }
  }
  info_.texts = Distinct(std::move(labels), std::move(others));
  return absl::OkStatus();
}

absl::StatusOr<Item> EdfSource::Next() {
  while (ready_.empty()) {
    if (ended_) return Item(EndOfSource{});
    if (record_ >= 0 && slice_ < slices_per_record_ && !info_.rate_groups.empty()) {
      AddSlice();
    } else if (record_ + 1 < header_.records && !info_.rate_groups.empty()) {
      if (absl::Status status = LoadRecord(); !status.ok()) {
        ended_ = true;
        return WithName(info_.name, absl::DataLossError(status.message()));
      }
    } else {
      AddEnd();
      ended_ = true;
    }
  }
  Item item = std::move(ready_.front());
  ready_.pop_front();
  return item;
}

// By whole records. One record more than is wanted, so that a trigger channel knows the level that
// its first wanted sample is compared with.
void EdfSource::SkipBefore(int64_t time_ns) {
  const std::vector<Segment>& segments = timeline_.segments;
  if (record_ >= 0 || info_.rate_groups.empty() || segments.empty()) return;
  size_t segment = 0;
  while (segment + 1 < segments.size() && segments[segment + 1].start_ns <= time_ns) ++segment;
  const int64_t end =
      segment + 1 < segments.size() ? segments[segment + 1].first_record : header_.records;
  const int64_t into = (time_ns - segments[segment].start_ns) / header_.record_duration_ns;
  const int64_t skip =
      std::min(segments[segment].first_record + std::max<int64_t>(into, 0), end) - 1;
  if (skip <= 0) return;
  while (segments[segment].first_record > skip) --segment;
  segment_ = segment;
  record_ = skip - 1;
  slice_ = slices_per_record_;
  for (size_t group = 0; group < delivered_.size(); ++group) {
    const int signal = signal_of_channel_[info_.rate_groups[group].channels[0]];
    delivered_[group] = skip * header_.signals[signal].samples_per_record;
  }
  const int64_t from_ns = timeline_.RecordStartNs(segments[segment], skip, header_);
  while (next_annotation_ < timeline_.annotations.size() &&
         timeline_.annotations[next_annotation_].time_ns < from_ns) {
    ++next_annotation_;
  }
}

absl::Status EdfSource::LoadRecord() {
  ++record_;
  slice_ = 0;
  if (segment_ + 1 < timeline_.segments.size() &&
      timeline_.segments[segment_ + 1].first_record == record_) {
    AddBreakBefore(timeline_.segments[++segment_]);
  }
  record_start_ns_ = timeline_.RecordStartNs(timeline_.segments[segment_], record_, header_);
  record_bytes_.resize(static_cast<size_t>(header_.record_bytes));
  if (absl::Status status =
          file_->ReadAt(header_.header_bytes + record_ * header_.record_bytes, record_bytes_);
      !status.ok()) {
    return status;
  }
  FindTriggersInRecord();
  return absl::OkStatus();
}

void EdfSource::AddBreakBefore(const Segment& segment) {
  const int64_t previous_end_ns = record_start_ns_ + header_.record_duration_ns;
  std::vector<Item> items;
  AddAnnotationsBefore(previous_end_ns, &items);
  for (Item& item : items) ready_.push_back(std::move(item));
  Gap gap;
  gap.from_ns = previous_end_ns;
  gap.to_ns = segment.start_ns;
  gap.clock_step_ns = segment.clock_step_ns;
  if (segment.clock_step_ns < 0) {
    gap.kind = Gap::Kind::kTimeJumpedBack;
    gap.cause = absl::StrCat("the recorded time of record ", segment.first_record + 1,
                             " goes back by ", -segment.clock_step_ns / 1e9, " s");
  } else {
    gap.cause = absl::StrCat("the recording was interrupted for ", (gap.to_ns - gap.from_ns) / 1e9,
                             " s before record ", segment.first_record + 1);
  }
  ready_.push_back(std::move(gap));
}

// One slice of the loaded record: what happened before its end, then its blocks, all by time.
void EdfSource::AddSlice() {
  const int64_t from = slice_++;
  const int64_t end_ns =
      record_start_ns_ + static_cast<int64_t>(static_cast<__int128>(header_.record_duration_ns) *
                                              slice_ / slices_per_record_);
  std::vector<Item> items;
  AddAnnotationsBefore(end_ns, &items);
  while (!channel_triggers_.empty() && channel_triggers_.front().time_ns < end_ns) {
    items.emplace_back(std::move(channel_triggers_.front()));
    channel_triggers_.pop_front();
  }
  for (int group = 0; group < static_cast<int>(info_.rate_groups.size()); ++group) {
    const int64_t samples =
        header_.signals[signal_of_channel_[info_.rate_groups[group].channels[0]]]
            .samples_per_record;
    AddBlock(group, samples * from / slices_per_record_, samples * slice_ / slices_per_record_,
             &items);
  }
  // Stable: at equal times what happened comes before the block that ends there.
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return DueTimeNs(a) < DueTimeNs(b); });
  for (Item& item : items) ready_.push_back(std::move(item));
}

// Samples [first, last) of the loaded record. Boundaries are rounded down, so a block ends at or
// before its slice.
void EdfSource::AddBlock(int group, int64_t first, int64_t last, std::vector<Item>* items) {
  if (first == last) return;
  const RateGroup& rate_group = info_.rate_groups[group];
  const int64_t per_record =
      header_.signals[signal_of_channel_[rate_group.channels[0]]].samples_per_record;
  SampleBlock block;
  block.rate_group = group;
  block.sample_rate_hz = rate_group.sample_rate_hz;
  block.first_sample_index = delivered_[group];
  block.start_time_ns = SampleTimeNs(first, per_record);
  block.end_time_ns = SampleTimeNs(last, per_record);
  block.samples_per_channel = static_cast<int32_t>(last - first);
  block.samples.reserve(static_cast<size_t>(last - first) * rate_group.channels.size());
  for (const int channel : rate_group.channels) {
    for (int64_t i = first; i < last; ++i) block.samples.push_back(SampleAt(channel, i));
  }
  delivered_[group] += last - first;
  items->emplace_back(std::move(block));
}

void EdfSource::AddAnnotationsBefore(int64_t time_ns, std::vector<Item>* items) {
  while (next_annotation_ < timeline_.annotations.size() &&
         timeline_.annotations[next_annotation_].time_ns < time_ns) {
    const Annotation& annotation = timeline_.annotations[next_annotation_++];
    const std::string& text = timeline_.texts[annotation.text];
    if (triggers_from_annotations_ && absl::StartsWith(text, annotation_prefix_)) {
      items->emplace_back(TriggerFromAnnotation(text, annotation_prefix_, annotation.time_ns));
    } else {
      items->emplace_back(SourceEvent{annotation.time_ns, annotation.duration_ns, text});
    }
  }
}

void EdfSource::AddEnd() {
  const int64_t end_ns = *info_.duration_ns;
  std::vector<Item> items;
  AddAnnotationsBefore(end_ns + 1, &items);
  for (Item& item : items) ready_.push_back(std::move(item));
  const int64_t missing = header_.declared_records - header_.records;
  if (header_.record_duration_ns > 0 && (missing > 0 || header_.partial_record_bytes > 0)) {
    Gap gap;
    gap.kind = Gap::Kind::kTruncated;
    gap.from_ns = end_ns;
    gap.to_ns = end_ns + std::max<int64_t>(missing, 1) * header_.record_duration_ns;
    gap.cause = absl::StrCat("the file ends after ", header_.records, " whole records");
    if (header_.partial_record_bytes > 0) {
      absl::StrAppend(&gap.cause, " and ", header_.partial_record_bytes, " of ",
                      header_.record_bytes, " bytes of another");
    }
    ready_.push_back(std::move(gap));
  }
  // Marks set after the last sample: at the end, or beyond.
  items.clear();
  AddAnnotationsBefore(INT64_MAX, &items);
  for (Item& item : items) ready_.push_back(std::move(item));
}

void EdfSource::FindTriggersInRecord() {
  if (!trigger_channel_) return;
  const int64_t samples =
      header_.signals[signal_of_channel_[*trigger_channel_index_]].samples_per_record;
  for (int64_t i = 0; i < samples; ++i) {
    const double sample = SampleAt(*trigger_channel_index_, i);
    const int64_t count = info_.channels[*trigger_channel_index_].CountOf(sample);
    if (const std::optional<int32_t> code = trigger_channel_->Push(sample, count)) {
      channel_triggers_.push_back(trigger_channel_->MakeTrigger(*code, SampleTimeNs(i, samples)));
    }
  }
}

double EdfSource::SampleAt(int channel, int64_t index) const {
  const Signal& signal = header_.signals[signal_of_channel_[channel]];
  const ChannelInfo& info = info_.channels[channel];
  int32_t count = 0;
  if (header_.format == Format::kEdf) {
    const uint8_t* p = record_bytes_.data() + signal.record_offset_bytes + index * 2;
    count = static_cast<int16_t>(static_cast<uint16_t>(p[0] | (p[1] << 8)));
  } else {
    const uint8_t* p = record_bytes_.data() + signal.record_offset_bytes + index * 3;
    const uint32_t bits = (uint32_t{p[0]} << 8) | (uint32_t{p[1]} << 16) | (uint32_t{p[2]} << 24);
    count = static_cast<int32_t>(bits) >> 8;  // arithmetic shift: sign of the 24 bits
  }
  return info.uv_offset + info.uv_per_count * count;
}

// Exact to a nanosecond for every sample: nothing accumulates.
int64_t EdfSource::SampleTimeNs(int64_t index, int64_t samples_per_record) const {
  const __int128 scaled = static_cast<__int128>(header_.record_duration_ns) * index;
  return record_start_ns_ +
         static_cast<int64_t>((scaled + samples_per_record / 2) / samples_per_record);
}

}  // namespace remora::agent::edf
