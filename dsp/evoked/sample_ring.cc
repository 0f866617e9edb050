#include "dsp/evoked/sample_ring.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

absl::StatusOr<SampleRing> SampleRing::Create(std::size_t channels, std::size_t samples) {
  if (channels < 1 || channels > kMaxRingChannels) {
    return absl::InvalidArgumentError(
        absl::StrCat(channels, " channels: must be 1 to ", kMaxRingChannels));
  }
  if (samples < 1 || samples > kMaxRingValues / channels) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a ring of ", samples, " samples of ", channels, " channels: must be 1 to ", kMaxRingValues,
        " of all channels together: shorten the window or split the channels"));
  }
  return SampleRing(channels, samples);
}

SampleRing::SampleRing(std::size_t channels, std::size_t samples)
    : channels_(channels),
      samples_(samples),
      values_(channels * samples, kNaN),
      missing_(samples, true) {}

void SampleRing::Start(std::int64_t position) {
  position = std::max<std::int64_t>(position, 0);
  missing_.assign(samples_, true);
  first_held_ = end_ = position;
}

std::size_t SampleRing::IndexOf(std::int64_t position) const {
  return static_cast<std::size_t>(position % static_cast<std::int64_t>(samples_));
}

void SampleRing::Advance(std::size_t samples) {
  end_ += static_cast<std::int64_t>(samples);
  first_held_ = std::max(first_held_, end_ - static_cast<std::int64_t>(samples_));
}

void SampleRing::Append(std::span<const std::span<const double>> channels) {
  const std::size_t length = channels.front().size();
  const std::size_t passed_over = length > samples_ ? length - samples_ : 0;
  Advance(passed_over);
  for (std::size_t i = passed_over; i < length;) {
    const std::size_t index = IndexOf(end_);
    const std::size_t run = std::min(length - i, samples_ - index);
    const auto at = static_cast<std::ptrdiff_t>(index);
    std::fill_n(missing_.begin() + at, run, false);
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      std::copy_n(channels[channel].begin() + static_cast<std::ptrdiff_t>(i), run,
                  values_.begin() + static_cast<std::ptrdiff_t>(channel * samples_) + at);
    }
    i += run;
    Advance(run);
  }
}

void SampleRing::Skip(std::int64_t samples) {
  if (samples <= 0) return;
  // A whole ring of missing positions is the same wherever it stands: years are one jump.
  const std::int64_t marked = std::min(samples, static_cast<std::int64_t>(samples_));
  for (std::int64_t i = 0; i < marked; ++i) missing_[IndexOf(end_ + i)] = true;
  Advance(static_cast<std::size_t>(samples));
}

SampleRing::Stretch SampleRing::Copy(std::int64_t first, std::size_t count,
                                     std::span<const std::span<const double>> next) const {
  const std::int64_t last = first + static_cast<std::int64_t>(count);
  const std::size_t next_samples = next.empty() ? 0 : next.front().size();
  // In front of the ring | in it | in what follows | not there yet. Places in the stretch.
  const auto place = [&](std::int64_t position) {
    return static_cast<std::size_t>(std::clamp(position, first, last) - first);
  };
  const std::size_t ring_from = place(std::max<std::int64_t>(first_held_, 0));
  const std::size_t next_from = std::max(ring_from, place(end_));
  const std::size_t next_to =
      std::max(next_from, place(end_ + static_cast<std::int64_t>(next_samples)));
  Stretch stretch;
  stretch.missing_before.resize(count + 1);
  for (std::size_t i = 0; i < count; ++i) {
    bool is_missing = i < ring_from || i >= next_to;
    if (i >= ring_from && i < next_from) {
      is_missing = missing_[IndexOf(first + static_cast<std::int64_t>(i))];
    }
    stretch.missing_before[i + 1] = stretch.missing_before[i] + (is_missing ? 1 : 0);
  }
  stretch.values.resize(channels_ * count);
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    const auto values = std::span(stretch.values).subspan(channel * count, count);
    const double* ring = values_.data() + channel * samples_;
    for (std::size_t i = ring_from; i < next_from;) {
      const std::size_t index = IndexOf(first + static_cast<std::int64_t>(i));
      const std::size_t run = std::min(next_from - i, samples_ - index);
      std::copy_n(ring + index, run, values.begin() + static_cast<std::ptrdiff_t>(i));
      i += run;
    }
    if (next_to > next_from) {
      const std::int64_t skipped = first + static_cast<std::int64_t>(next_from) - end_;
      std::copy_n(next[channel].begin() + skipped, next_to - next_from,
                  values.begin() + static_cast<std::ptrdiff_t>(next_from));
    }
    if (stretch.missing_before[count] == 0) continue;
    for (std::size_t i = 0; i < count; ++i) {
      if (stretch.missing_before[i + 1] != stretch.missing_before[i]) values[i] = kNaN;
    }
  }
  return stretch;
}

}  // namespace remora::dsp
