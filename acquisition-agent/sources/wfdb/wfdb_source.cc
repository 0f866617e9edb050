#include "acquisition-agent/sources/wfdb/wfdb_source.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/recording_source.h"
#include "acquisition-agent/sources/text.h"
#include "acquisition-agent/sources/wfdb/annotations.h"
#include "acquisition-agent/sources/wfdb/header.h"
#include "acquisition-agent/sources/wfdb/signal_files.h"

namespace remora::agent::wfdb {
namespace {

using Files = std::vector<std::unique_ptr<SignalFile>>;

absl::Status In(absl::string_view file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

class Samples : public SampleReader {
 public:
  Samples(Header header, Files files, const SourceInfo& info)
      : header_(std::move(header)), files_(std::move(files)), channels_(info.channels) {
    for (const RateGroup& group : info.rate_groups) groups_.push_back(group.channels);
  }

  absl::Status Read(int group, int64_t first, int64_t count, std::span<double> out) override {
    for (const std::unique_ptr<SignalFile>& file : files_) {
      absl::Status status = ReadFile(groups_[group], first, count, file.get(), out);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  // The channels of the group that are in the file. A channel's index is its signal's.
  absl::Status ReadFile(const std::vector<int>& group, int64_t first, int64_t count,
                        SignalFile* file, std::span<double> out) {
    const int64_t per_frame = header_.signals[group[0]].samples_per_frame;
    const int64_t first_frame = first / per_frame;
    const int64_t end_frame = (first + count + per_frame - 1) / per_frame;
    const std::vector<int>& signals = file->signals();
    int64_t low = INT64_MAX;  // skew
    int64_t high = 0;
    for (const int signal : signals) {
      if (!std::binary_search(group.begin(), group.end(), signal)) continue;
      low = std::min(low, header_.signals[signal].skew_frames);
      high = std::max(high, header_.signals[signal].skew_frames);
    }
    if (low > high) return absl::OkStatus();
    absl::Status status = file->Load(first_frame + low, end_frame - first_frame + high - low);
    if (!status.ok()) return status;
    for (size_t place = 0; place < signals.size(); ++place) {
      const auto k = std::lower_bound(group.begin(), group.end(), signals[place]);
      if (k == group.end() || *k != signals[place]) continue;
      const std::span<double> channel =
          out.subspan(static_cast<size_t>((k - group.begin()) * count), static_cast<size_t>(count));
      Decode(*file, static_cast<int>(place), first, channel);
    }
    return absl::OkStatus();
  }

  void Decode(const SignalFile& file, int place, int64_t first, std::span<double> out) const {
    const int index = file.signals()[place];
    const Signal& signal = header_.signals[index];
    const ChannelInfo& channel = channels_[index];
    const int64_t no_value = FindFormat(signal.format)->lowest();
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t sample = first + static_cast<int64_t>(i);
      const int32_t count = file.At(sample / signal.samples_per_frame + signal.skew_frames, place,
                                    sample % signal.samples_per_frame);
      out[i] = count == no_value ? std::numeric_limits<double>::quiet_NaN()
                                 : channel.uv_offset + channel.uv_per_count * count;
    }
  }

  const Header header_;
  const Files files_;
  const std::vector<ChannelInfo> channels_;
  std::vector<std::vector<int>> groups_;
};

// The range of the converter, or of the format where the header tells none that can be.
void SetRange(const Signal& signal, bool of_format, ChannelInfo* channel) {
  const FormatInfo& format = *FindFormat(signal.format);
  int64_t low = format.lowest();
  int64_t high = format.highest();
  if (!of_format && signal.resolution_bits > 0) {
    const int64_t half = int64_t{1} << (signal.resolution_bits - 1);
    const int64_t converter_low = std::max(low, signal.adc_zero - half);
    const int64_t converter_high = std::min(high, signal.adc_zero + half - 1);
    if (converter_low < converter_high) {
      low = converter_low;
      high = converter_high;
    }
  }
  channel->digital_min = static_cast<int32_t>(low);
  channel->digital_max = static_cast<int32_t>(high);
  channel->physical_min = channel->uv_offset + channel->uv_per_count * channel->digital_min;
  channel->physical_max = channel->uv_offset + channel->uv_per_count * channel->digital_max;
}

void DescribeChannels(const Header& header, Recording* recording) {
  SourceInfo& info = recording->info;
  std::map<int32_t, int> group_of;  // by samples a frame
  for (const Signal& signal : header.signals) {
    ChannelInfo channel;
    channel.original_label = signal.description;
    const std::optional<double> uv_per_unit = MicrovoltsPer(signal.unit);
    channel.is_voltage = uv_per_unit.has_value();
    channel.unit = channel.is_voltage ? "uV" : signal.unit;
    channel.uv_per_count = uv_per_unit.value_or(1.0) / signal.gain;
    channel.uv_offset = -signal.baseline * channel.uv_per_count;
    SetRange(signal, /*of_format=*/false, &channel);
    channel.sample_rate_hz = header.frame_rate_hz * signal.samples_per_frame;
    const auto [entry, is_new] =
        group_of.try_emplace(signal.samples_per_frame, static_cast<int>(info.rate_groups.size()));
    if (is_new) {
      info.rate_groups.push_back({channel.sample_rate_hz, {}});
      recording->samples_per_frame.push_back(signal.samples_per_frame);
    }
    channel.rate_group = entry->second;
    info.rate_groups[channel.rate_group].channels.push_back(static_cast<int>(info.channels.size()));
    info.channels.push_back(std::move(channel));
  }
  MakeLabelsUnique(&info.channels, &info.notes);
}

// How many frames can be read: of every signal, after its skew.
absl::Status CountFrames(const Header& header, const Files& files, Recording* recording) {
  int64_t in_files = INT64_MAX;
  int64_t readable = INT64_MAX;
  std::vector<std::string>& notes = recording->info.notes;
  for (const std::unique_ptr<SignalFile>& file : files) {
    if (header.declared_frames == 0 && file->left_over_samples() > 0) {
      notes.push_back(absl::StrCat("a signal file ends inside a frame: ", file->left_over_samples(),
                                   " samples are not read"));
    }
    in_files = std::min(in_files, file->frames());
    for (const int signal : file->signals()) {
      readable = std::min(readable, file->frames() - header.signals[signal].skew_frames);
    }
  }
  readable = std::max<int64_t>(readable, 0);
  const int64_t declared = header.declared_frames;
  const int64_t most = recording->clock.FrameAt(kMaxRecordedNs);
  if (readable > most || declared > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::max(readable, declared), " frames are more than 3660 days"));
  }
  recording->frames = declared > 0 ? std::min(declared, readable) : readable;
  if (declared > 0 && in_files > declared && readable > declared) {
    notes.push_back(absl::StrCat("after the ", declared, " samples of the header there are ",
                                 readable - declared, " more; not read"));
  }
  if (declared > 0 && in_files < declared) {
    Gap gap;
    gap.kind = Gap::Kind::kTruncated;
    gap.from_ns = recording->clock.Ns(recording->frames);
    gap.to_ns = recording->clock.Ns(declared);
    gap.cause =
        absl::StrCat("the header promises ", declared, " samples, the files hold ", in_files);
    notes.push_back(gap.cause);
    recording->truncated = std::move(gap);
  } else if (declared > recording->frames) {
    notes.push_back(absl::StrCat("the signals are skewed: the last ", declared - recording->frames,
                                 " samples are not there for all of them; not read"));
  }
  return absl::OkStatus();
}

void Compare(const Signal& signal, const Measured& measured, bool whole, ChannelInfo* channel,
             std::vector<std::string>* notes) {
  const std::string named = absl::StrCat("\"", channel->label, "\": ");
  if (whole && signal.checksum &&
      measured.checksum != static_cast<uint16_t>(static_cast<uint64_t>(*signal.checksum))) {
    notes->push_back(absl::StrCat(named, "the checksum of its samples is ",
                                  static_cast<int16_t>(measured.checksum), ", the header says ",
                                  *signal.checksum, ": the file is damaged, or is another one"));
  }
  if (signal.initial_value && signal.skew_frames == 0 && measured.first != *signal.initial_value) {
    notes->push_back(absl::StrCat(named, "its first sample is ", measured.first,
                                  ", the header says ", *signal.initial_value));
  }
  if (measured.any &&
      (measured.lowest < channel->digital_min || measured.highest > channel->digital_max)) {
    notes->push_back(absl::StrCat(named, "samples from ", measured.lowest, " to ", measured.highest,
                                  " leave the range of ", channel->digital_min, " to ",
                                  channel->digital_max,
                                  " that the header gives; the format's range is taken"));
    SetRange(signal, /*of_format=*/true, channel);
  }
}

absl::Status Verify(const Header& header, const Files& files, Recording* recording) {
  uint64_t bytes = 0;
  for (const std::unique_ptr<SignalFile>& file : files) bytes += file->size_bytes();
  if (bytes > static_cast<uint64_t>(kMaxVerifiedBytes)) {
    recording->info.notes.push_back(absl::StrCat("checksums were not verified: the samples are ",
                                                 bytes, " bytes, more than ", kMaxVerifiedBytes));
    return absl::OkStatus();
  }
  for (const std::unique_ptr<SignalFile>& file : files) {
    const std::vector<int>& signals = file->signals();
    // Samples before the skew count in the checksum.
    const bool skewed = std::any_of(signals.begin(), signals.end(), [&](int signal) {
      return header.signals[signal].skew_frames > 0;
    });
    const int64_t declared = header.declared_frames;
    const bool whole = declared > 0 && file->frames() >= declared;
    const int64_t frames = whole && !skewed ? declared : file->frames();
    absl::StatusOr<std::vector<Measured>> measured = Measure(header, frames, file.get());
    if (!measured.ok()) return measured.status();
    if (frames == 0) continue;
    for (size_t place = 0; place < signals.size(); ++place) {
      Compare(header.signals[signals[place]], (*measured)[place], whole,
              &recording->info.channels[signals[place]], &recording->info.notes);
    }
  }
  return absl::OkStatus();
}

// "/data/case.hea" is "case".
std::string RecordName(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  const size_t dot = base.rfind('.');
  return dot == std::string::npos ? base : base.substr(0, dot);
}

absl::StatusOr<Annotations> ReadAnnotations(const OpenNamed& open, const std::string& name,
                                            const std::optional<std::string>& annotator) {
  if (annotator == "none") return Annotations();
  const std::string file_name = absl::StrCat(RecordName(name), ".", annotator.value_or("atr"));
  absl::StatusOr<std::unique_ptr<ByteReader>> file = open(file_name);
  if (!file.ok()) {
    if (!annotator && file.status().code() == absl::StatusCode::kNotFound) return Annotations();
    return In("the annotation file", file.status());
  }
  absl::StatusOr<std::string> bytes = ReadWhole(**file, kMaxMarkerFileBytes, "the annotation file");
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<Annotations> annotations = ParseAnnotations(
      std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()));
  if (!annotations.ok()) return In(CleanText(file_name), annotations.status());
  return annotations;
}

absl::Status PlaceAnnotations(const Annotations& annotations, const TriggerOptions& options,
                              Recording* recording) {
  const FrameClock clock = annotations.time_resolution_hz > 0
                               ? FrameClock::OfRate(annotations.time_resolution_hz)
                               : recording->clock;
  const int64_t most = clock.FrameAt(kMaxRecordedNs);
  int64_t far = 0;
  for (const Annotation& annotation : annotations.annotations) {
    if (annotation.time > most || annotation.time < -most) {
      ++far;
      continue;
    }
    recording->marks.push_back({clock.Ns(annotation.time), 0, annotation.text});
  }
  std::vector<std::string>& notes = recording->info.notes;
  notes.insert(notes.end(), annotations.notes.begin(), annotations.notes.end());
  if (far > 0) {
    notes.push_back(absl::StrCat(far, " annotations lie more than 3660 days away; skipped"));
  }
  return annotations.texts.GiveTo(options, recording);
}

absl::StatusOr<std::unique_ptr<SignalSource>> Open(const ByteReader& header_file,
                                                   const OpenNamed& open, const std::string& name,
                                                   const WfdbOptions& options) {
  absl::StatusOr<std::string> text = ReadWhole(header_file, kMaxHeaderFileBytes, "the header");
  if (!text.ok()) return text.status();
  absl::StatusOr<Header> header = ParseHeader(*text);
  if (!header.ok()) return header.status();
  absl::StatusOr<Files> files = OpenSignalFiles(*header, open);
  if (!files.ok()) return files.status();
  absl::StatusOr<Annotations> annotations = ReadAnnotations(open, name, options.annotator);
  if (!annotations.ok()) return annotations.status();

  Recording recording;
  recording.options = options.read;
  recording.info.name = name;
  recording.info.notes = header->notes;
  recording.info.start_local = header->start_local;
  recording.info.start_subsecond_ns = header->start_subsecond_ns;
  recording.clock = FrameClock::OfRate(header->frame_rate_hz);
  DescribeChannels(*header, &recording);
  absl::Status status = CountFrames(*header, *files, &recording);
  if (status.ok()) status = Verify(*header, *files, &recording);
  if (status.ok()) status = PlaceAnnotations(*annotations, options.read.triggers, &recording);
  if (!status.ok()) return status;
  recording.samples =
      std::make_unique<Samples>(*std::move(header), *std::move(files), recording.info);
  return std::make_unique<RecordingSource>(std::move(recording));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> OpenWfdb(const ByteReader& header_file,
                                                       const OpenNamed& open,
                                                       const std::string& name,
                                                       const WfdbOptions& options) {
  absl::StatusOr<std::unique_ptr<SignalSource>> source = Open(header_file, open, name, options);
  if (!source.ok()) return In(name, source.status());
  return source;
}

}  // namespace remora::agent::wfdb
