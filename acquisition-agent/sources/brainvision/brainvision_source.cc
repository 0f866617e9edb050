#include "acquisition-agent/sources/brainvision/brainvision_source.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/brainvision/header.h"
#include "acquisition-agent/sources/brainvision/markers.h"
#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/recording_source.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::brainvision {
namespace {

// Dates of segments are a computer's, samples count on the amplifier's clock: what differs less is
// no break. 2 ms, and 100 ppm of the time between them.
constexpr int64_t kDateToleranceNs = 2'000'000;
constexpr int64_t kDatePartsOfDrift = 10'000;

absl::Status In(absl::string_view file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

// "/data/case.vhdr" is "case": what "$b" stands for.
std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  const size_t dot = base.rfind('.');
  return dot == std::string::npos ? base : base.substr(0, dot);
}

class Samples : public SampleReader {
 public:
  Samples(std::unique_ptr<ByteReader> file, const Header& header, int64_t points,
          const std::vector<ChannelInfo>& channels)
      : file_(std::move(file)),
        type_(header.type),
        width_(header.bytes_per_sample()),
        big_endian_(header.big_endian),
        vectorized_(header.vectorized),
        offset_(header.data_offset_bytes),
        points_(points) {
    for (size_t i = 0; i < channels.size(); ++i) {
      // Of a float, the resolution in uV; of an integer, the same as the channel's.
      const double uv = MicrovoltsPer(header.channels[i].unit).value_or(1.0);
      scale_.push_back(header.channels[i].resolution * uv);
    }
  }

  absl::Status Read(int, int64_t first, int64_t count, std::span<double> out) override {
    const int64_t channels = static_cast<int64_t>(scale_.size());
    if (!vectorized_) {
      absl::Status status = Load(first * channels, count * channels);
      if (!status.ok()) return status;
    }
    for (int64_t k = 0; k < channels; ++k) {
      if (vectorized_) {
        absl::Status status = Load(k * points_ + first, count);
        if (!status.ok()) return status;
      }
      const int64_t step = vectorized_ ? 1 : channels;
      const int64_t from = vectorized_ ? 0 : k;
      for (int64_t i = 0; i < count; ++i) {
        out[static_cast<size_t>(k * count + i)] = scale_[k] * ValueAt(from + i * step);
      }
    }
    return absl::OkStatus();
  }

 private:
  // `count` values from `first` of the file into bytes_.
  absl::Status Load(int64_t first, int64_t count) {
    bytes_.resize(static_cast<size_t>(count * width_));
    return file_->ReadAt(static_cast<uint64_t>(offset_ + first * width_), bytes_);
  }

  double ValueAt(int64_t index) const {
    const uint8_t* p = bytes_.data() + index * width_;
    uint32_t bits = 0;
    for (int b = 0; b < width_; ++b) {
      bits |= uint32_t{p[big_endian_ ? width_ - 1 - b : b]} << (8 * b);
    }
    switch (type_) {
      case SampleType::kInt16:
        return static_cast<int16_t>(static_cast<uint16_t>(bits));
      case SampleType::kInt32:
        return static_cast<int32_t>(bits);
      case SampleType::kFloat32:
        return std::bit_cast<float>(bits);
    }
    return 0;
  }

  const std::unique_ptr<ByteReader> file_;
  const SampleType type_;
  const int width_;
  const bool big_endian_;
  const bool vectorized_;
  const int64_t offset_;
  const int64_t points_;
  std::vector<double> scale_;  // uV a count
  std::vector<uint8_t> bytes_;
};

void DescribeChannels(const Header& header, SourceInfo* info) {
  const double rate_hz = 1e12 / static_cast<double>(header.interval_ps);
  info->rate_groups.push_back({rate_hz, {}});
  for (const Channel& from : header.channels) {
    ChannelInfo channel;
    channel.original_label = from.name;
    const std::optional<double> uv_per_unit = MicrovoltsPer(from.unit);
    channel.is_voltage = uv_per_unit.has_value();
    channel.unit = channel.is_voltage ? "uV" : from.unit;
    channel.sample_rate_hz = rate_hz;
    if (header.type == SampleType::kFloat32) {
      SetFloatRange(&channel);
    } else {
      const bool wide = header.type == SampleType::kInt32;
      channel.uv_per_count = from.resolution * uv_per_unit.value_or(1.0);
      channel.digital_min = wide ? std::numeric_limits<int32_t>::min() : -32768;
      channel.digital_max = wide ? std::numeric_limits<int32_t>::max() : 32767;
      channel.physical_min = channel.uv_per_count * channel.digital_min;
      channel.physical_max = channel.uv_per_count * channel.digital_max;
    }
    info->rate_groups[0].channels.push_back(static_cast<int>(info->channels.size()));
    info->channels.push_back(std::move(channel));
  }
  if (header.type == SampleType::kFloat32) {
    info->notes.push_back(
        "samples are floating-point numbers: where the amplifier clipped is not known");
  }
  MakeLabelsUnique(&info->channels, &info->notes);
}

// How many points the data file holds, and what of it is missing.
absl::Status CountPoints(const Header& header, uint64_t file_bytes, Recording* recording) {
  const int64_t width = header.bytes_per_sample() * static_cast<int64_t>(header.channels.size());
  const int64_t body =
      static_cast<int64_t>(std::min<uint64_t>(file_bytes, INT64_MAX)) - header.data_offset_bytes;
  if (body < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the data file has ", file_bytes, " bytes; DataOffset is ", header.data_offset_bytes));
  }
  const int64_t declared = header.declared_points;
  int64_t points = body / width;
  int64_t rest = body % width;
  if (header.vectorized && (rest > 0 || (declared > 0 && declared != points))) {
    return absl::InvalidArgumentError(
        absl::StrCat("the data file has ", body, " bytes of samples; ", header.channels.size(),
                     " channels one after the other, of ", declared > 0 ? declared : points,
                     " points each (DataPoints), need ", (declared > 0 ? declared : points) * width,
                     declared > 0 ? "" : " or a multiple of that of one point",
                     ": where each channel begins is unknown"));
  }
  std::vector<std::string>& notes = recording->info.notes;
  if (declared > 0 && (points > declared || (points == declared && rest > 0))) {
    notes.push_back(absl::StrCat("after the ", declared, " points of the header there are ",
                                 body - declared * width, " more bytes; not read"));
    points = declared;
    rest = 0;
  }
  if (rest > 0) {
    notes.push_back(absl::StrCat("the last point is cut off: ", rest, " of ", width, " bytes"));
  }
  if (points > recording->clock.FrameAt(kMaxRecordedNs) ||
      declared > recording->clock.FrameAt(kMaxRecordedNs)) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::max(points, declared), " points are more than 3660 days"));
  }
  recording->frames = points;
  const int64_t missing = std::max<int64_t>(declared - points, rest > 0 ? 1 : 0);
  if (missing > 0) {
    Gap gap;
    gap.kind = Gap::Kind::kTruncated;
    gap.to_ns = missing;  // in points, until the end is known
    gap.cause = declared > points ? absl::StrCat("the header promises ", declared,
                                                 " points, the file holds ", points)
                                  : "the file ends inside a point";
    recording->truncated = std::move(gap);
  }
  return absl::OkStatus();
}

// Stretches from the New Segment markers, and what the first one says of the start.
absl::Status PlaceSegments(const std::vector<NewSegment>& segments, Recording* recording) {
  const FrameClock& clock = recording->clock;
  std::vector<Stretch>& stretches = recording->stretches;
  stretches = {Stretch{}};
  std::optional<int64_t> reference_date_ns;  // of a segment, and its device time
  int64_t reference_ns = 0;
  for (const NewSegment& segment : segments) {
    if (segment.position >= recording->frames) continue;
    if (segment.position <= 0) {
      if (segment.date_ns && !reference_date_ns) reference_date_ns = segment.date_ns;
      continue;
    }
    const Stretch& last = stretches.back();
    if (segment.position == last.first_frame) continue;
    const int64_t follows_ns = last.start_ns + clock.Ns(segment.position - last.first_frame);
    Stretch next{segment.position, follows_ns, 0};
    if (segment.date_ns && reference_date_ns) {
      const int64_t elapsed_ns = follows_ns - reference_ns;
      const int64_t step_ns = *segment.date_ns - *reference_date_ns - elapsed_ns;
      const int64_t tolerance_ns =
          std::max(kDateToleranceNs, clock.Ns(1) / 2) + elapsed_ns / kDatePartsOfDrift;
      if (step_ns < -tolerance_ns) next.clock_step_ns = step_ns;
      if (step_ns > tolerance_ns) next.start_ns += step_ns;
      if (next.start_ns > kMaxRecordedNs) {
        return absl::ResourceExhaustedError(
            absl::StrCat("the segment at point ", segment.position + 1,
                         " lies more than 3660 days after the start"));
      }
      if (step_ns >= -tolerance_ns && step_ns <= tolerance_ns) continue;  // it follows
    }
    if (segment.date_ns) {
      reference_date_ns = segment.date_ns;
      reference_ns = next.start_ns;
    }
    stretches.push_back(next);
  }
  return absl::OkStatus();
}

void PlaceStart(const std::vector<NewSegment>& segments, SourceInfo* info) {
  const auto first = std::find_if(segments.begin(), segments.end(), [](const NewSegment& segment) {
    return segment.position <= 0 && segment.date_ns.has_value();
  });
  if (first == segments.end()) return;
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  info->start_local = absl::CivilSecond(1970, 1, 1) + *first->date_ns / kNsPerSecond;
  info->start_subsecond_ns = static_cast<int32_t>(*first->date_ns % kNsPerSecond);
}

void PlaceMarkers(const Markers& markers, Recording* recording) {
  const FrameClock& clock = recording->clock;
  for (const Marker& marker : markers.markers) {
    const auto after = std::upper_bound(
        recording->stretches.begin(), recording->stretches.end(), marker.position,
        [](int64_t position, const Stretch& stretch) { return position < stretch.first_frame; });
    const Stretch& stretch = after == recording->stretches.begin() ? *after : *std::prev(after);
    Mark mark;
    mark.time_ns = stretch.start_ns + clock.Ns(marker.position - stretch.first_frame);
    mark.duration_ns = marker.size > 1 ? clock.Ns(marker.size) : 0;
    mark.text = marker.text;
    recording->marks.push_back(mark);
  }
}

absl::Status ReadMarkers(const Header& header, const OpenNamed& open, const ReadOptions& options,
                         Recording* recording) {
  Markers markers;
  if (header.marker_file.empty()) {
    recording->info.notes.push_back("the header names no marker file");
  } else {
    absl::StatusOr<std::unique_ptr<ByteReader>> file = open(header.marker_file);
    if (!file.ok()) return In("the marker file (MarkerFile)", file.status());
    absl::StatusOr<std::string> text = ReadWhole(**file, kMaxMarkerFileBytes, "the marker file");
    if (!text.ok()) return text.status();
    absl::StatusOr<Markers> parsed = ParseMarkers(*text, recording->clock.FrameAt(kMaxRecordedNs));
    if (!parsed.ok()) return In(CleanText(header.marker_file), parsed.status());
    markers = *std::move(parsed);
  }
  if (absl::Status status = PlaceSegments(markers.segments, recording); !status.ok())
    return In(CleanText(header.marker_file), status);
  PlaceStart(markers.segments, &recording->info);
  PlaceMarkers(markers, recording);
  recording->info.notes.insert(recording->info.notes.end(), markers.notes.begin(),
                               markers.notes.end());
  return markers.texts.GiveTo(options.triggers, recording);
}

absl::StatusOr<std::unique_ptr<SignalSource>> Open(const ByteReader& header_file,
                                                   const OpenNamed& open, const std::string& name,
                                                   const ReadOptions& options) {
  absl::StatusOr<std::string> text = ReadWhole(header_file, kMaxHeaderFileBytes, "the header");
  if (!text.ok()) return text.status();
  absl::StatusOr<Header> header = ParseHeader(*text, BaseName(name));
  if (!header.ok()) return header.status();
  absl::StatusOr<std::unique_ptr<ByteReader>> data = open(header->data_file);
  if (!data.ok()) return In("the data file (DataFile)", data.status());

  Recording recording;
  recording.options = options;
  recording.info.name = name;
  recording.info.notes = header->notes;
  recording.clock = FrameClock::OfIntervalPs(header->interval_ps);
  recording.samples_per_frame = {1};
  DescribeChannels(*header, &recording.info);
  absl::Status status = CountPoints(*header, (*data)->size_bytes(), &recording);
  if (status.ok()) status = ReadMarkers(*header, open, options, &recording);
  if (!status.ok()) return status;
  const Stretch& last = recording.stretches.back();
  if (recording.truncated) {
    const int64_t points = recording.frames - last.first_frame;
    recording.truncated->from_ns = last.start_ns + recording.clock.Ns(points);
    recording.truncated->to_ns =
        last.start_ns + recording.clock.Ns(points + recording.truncated->to_ns);
  }
  recording.samples = std::make_unique<Samples>(*std::move(data), *header, recording.frames,
                                                recording.info.channels);
  return std::make_unique<RecordingSource>(std::move(recording));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> OpenBrainVision(const ByteReader& header_file,
                                                              const OpenNamed& open,
                                                              const std::string& name,
                                                              const ReadOptions& options) {
  absl::StatusOr<std::unique_ptr<SignalSource>> source = Open(header_file, open, name, options);
  if (!source.ok()) return In(name, source.status());
  return source;
}

}  // namespace remora::agent::brainvision
