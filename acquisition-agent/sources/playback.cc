#include "acquisition-agent/sources/playback.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::agent {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
// A shorter round would be nothing but gaps.
constexpr int64_t kShortestNs = 1'000'000;

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

// The first of the block's samples at or after `ns`; samples are evenly spaced.
int64_t FirstAtOrAfter(const SampleBlock& block, int64_t ns) {
  const __int128 length_ns = block.end_time_ns - block.start_time_ns;
  const __int128 into = static_cast<__int128>(ns - block.start_time_ns);
  if (into <= 0) return 0;
  if (into >= length_ns) return block.samples_per_channel;
  // Times are rounded to a nanosecond: one that is off by half of one counts as being there.
  return static_cast<int64_t>(((into - 1) * block.samples_per_channel + length_ns - 1) / length_ns);
}

int64_t TimeIn(const SampleBlock& block, int64_t sample) {
  const __int128 length_ns = block.end_time_ns - block.start_time_ns;
  return block.start_time_ns + static_cast<int64_t>(length_ns * sample / block.samples_per_channel);
}

void Cut(int64_t first, int64_t last, SampleBlock* block) {
  const int64_t start_ns = TimeIn(*block, first);
  const int64_t end_ns = TimeIn(*block, last);
  std::vector<double> kept;
  const size_t channels = block->samples.size() / block->samples_per_channel;
  kept.reserve(channels * static_cast<size_t>(last - first));
  for (size_t k = 0; k < channels; ++k) {
    const std::span<const double> all = block->channel(static_cast<int>(k));
    kept.insert(kept.end(), all.begin() + first, all.begin() + last);
  }
  block->start_time_ns = start_ns;
  block->end_time_ns = end_ns;
  block->samples_per_channel = static_cast<int32_t>(last - first);
  block->samples = std::move(kept);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> PlaybackSource::Open(OpenRecording open,
                                                                   const PlaybackOptions& options) {
  absl::StatusOr<std::unique_ptr<SignalSource>> recording = open();
  if (!recording.ok() || options.whole()) return recording;
  const int64_t duration_ns = (*recording)->info().duration_ns.value_or(0);
  if (options.to_ns && *options.to_ns <= options.from_ns) {
    return absl::InvalidArgumentError(absl::StrCat("from=", Seconds(options.from_ns),
                                                   "s to=", Seconds(*options.to_ns),
                                                   "s: to must be later than from"));
  }
  if (std::min(options.to_ns.value_or(INT64_MAX), duration_ns) - options.from_ns < kShortestNs) {
    return absl::InvalidArgumentError(absl::StrCat("from=", Seconds(options.from_ns),
                                                   "s: the recording lasts ", Seconds(duration_ns),
                                                   " s; at least 0.001 s must be left to play"));
  }
  return std::unique_ptr<SignalSource>(
      new PlaybackSource(std::move(open), *std::move(recording), options));
}

PlaybackSource::PlaybackSource(OpenRecording open, std::unique_ptr<SignalSource> recording,
                               const PlaybackOptions& options)
    : open_(std::move(open)),
      recording_(std::move(recording)),
      from_ns_(options.from_ns),
      to_ns_(std::min(options.to_ns.value_or(INT64_MAX), *recording_->info().duration_ns)),
      to_the_end_(to_ns_ == *recording_->info().duration_ns),
      rounds_(options.rounds),
      info_(recording_->info()) {
  const int64_t length_ns = to_ns_ - from_ns_;
  info_.duration_ns.reset();
  if (rounds_ > 0 && length_ns <= INT64_MAX / 8 / rounds_) info_.duration_ns = rounds_ * length_ns;
  if (info_.start_local) {
    const int64_t into_ns = info_.start_subsecond_ns + from_ns_;
    *info_.start_local += into_ns / kNsPerSecond;
    info_.start_subsecond_ns = static_cast<int32_t>(into_ns % kNsPerSecond);
  }
  info_.notes.push_back(absl::StrCat("played from ", Seconds(from_ns_), " s to ", Seconds(to_ns_),
                                     " s of the recording",
                                     rounds_ == 0  ? ", again and again"
                                     : rounds_ > 1 ? absl::StrCat(", ", rounds_, " times")
                                                   : ""));
  delivered_.assign(info_.rate_groups.size(), 0);
  reached_to_.assign(info_.rate_groups.size(), false);
  recording_->SkipBefore(from_ns_);
}

absl::StatusOr<Item> PlaybackSource::Next() {
  while (!ended_) {
    if (round_ended_) {
      if (absl::Status status = BeginRound(); !status.ok()) {
        ended_ = true;
        return status;
      }
      Gap gap;
      gap.kind = Gap::Kind::kTimeJumpedBack;
      gap.from_ns = gap.to_ns = round_start_ns_;
      gap.clock_step_ns = from_ns_ - to_ns_;
      gap.cause = absl::StrCat("the recording begins again at ", Seconds(from_ns_), " s: round ",
                               round_, rounds_ > 0 ? absl::StrCat(" of ", rounds_) : "");
      return Item(std::move(gap));
    }
    absl::StatusOr<Item> item = recording_->Next();
    if (!item.ok()) {
      ended_ = true;
      return item;
    }
    if (std::holds_alternative<EndOfSource>(*item)) {
      round_ended_ = true;
    }
    std::optional<Item> told = round_ended_ ? std::nullopt : Fit(*std::move(item));
    if (round_ended_ && round_ == rounds_) ended_ = true;
    if (told) return *std::move(told);
  }
  recording_.reset();
  return Item(EndOfSource{});
}

absl::Status PlaybackSource::BeginRound() {
  recording_.reset();
  absl::StatusOr<std::unique_ptr<SignalSource>> again = open_();
  if (!again.ok()) {
    return absl::DataLossError(absl::StrCat(info_.name, ": cannot be opened for round ", round_ + 1,
                                            ": ", again.status().message()));
  }
  if ((*again)->info().channels.size() != info_.channels.size() ||
      (*again)->info().rate_groups.size() != info_.rate_groups.size() ||
      (*again)->info().duration_ns.value_or(0) < to_ns_) {
    return absl::DataLossError(
        absl::StrCat(info_.name, ": became another recording before round ", round_ + 1));
  }
  recording_ = *std::move(again);
  recording_->SkipBefore(from_ns_);
  ++round_;
  round_start_ns_ += to_ns_ - from_ns_;
  round_ended_ = false;
  reached_to_.assign(info_.rate_groups.size(), false);
  return absl::OkStatus();
}

std::optional<Item> PlaybackSource::Fit(Item item) {
  if (auto* block = std::get_if<SampleBlock>(&item)) return FitBlock(std::move(*block));
  if (auto* gap = std::get_if<Gap>(&item)) return FitGap(std::move(*gap));
  int64_t time_ns = DueTimeNs(item);
  if (time_ns < from_ns_ && from_ns_ > 0) return std::nullopt;
  if (time_ns < 0 && round_ > 1) return std::nullopt;  // before the first sample: once is enough
  if (time_ns >= to_ns_) {
    if (!to_the_end_) return std::nullopt;
    if (rounds_ != 1) time_ns = to_ns_;
  }
  ShiftTimes(OutNs(time_ns) - DueTimeNs(item), &item);
  return item;
}

std::optional<Item> PlaybackSource::FitBlock(SampleBlock block) {
  const int64_t first = FirstAtOrAfter(block, from_ns_);
  int64_t last = block.samples_per_channel;
  if (!to_the_end_ && block.end_time_ns >= to_ns_) {
    last = FirstAtOrAfter(block, to_ns_);
    reached_to_[block.rate_group] = true;
    round_ended_ =
        std::all_of(reached_to_.begin(), reached_to_.end(), [](bool reached) { return reached; });
  }
  if (first >= last) return std::nullopt;
  if (first > 0 || last < block.samples_per_channel) Cut(first, last, &block);
  // A sample that is a nanosecond off the edge by rounding counts as on it.
  block.start_time_ns = std::max(block.start_time_ns, from_ns_);
  block.end_time_ns = std::min(block.end_time_ns, to_ns_);
  block.start_time_ns = OutNs(block.start_time_ns);
  block.end_time_ns = OutNs(block.end_time_ns);
  block.first_sample_index = delivered_[block.rate_group];
  delivered_[block.rate_group] += block.samples_per_channel;
  return Item(std::move(block));
}

std::optional<Item> PlaybackSource::FitGap(Gap gap) const {
  if (gap.from_ns < from_ns_ && gap.to_ns <= from_ns_) return std::nullopt;
  if (gap.kind == Gap::Kind::kTruncated) {
    if (!to_the_end_ || rounds_ != 1) return std::nullopt;  // told by the header's note
  } else {
    if (gap.from_ns >= to_ns_) return std::nullopt;
    gap.to_ns = std::min(gap.to_ns, to_ns_);
  }
  gap.from_ns = OutNs(std::max(gap.from_ns, from_ns_));
  gap.to_ns = OutNs(gap.to_ns);
  return Item(std::move(gap));
}

}  // namespace remora::agent
