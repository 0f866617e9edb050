#include "dsp/filter/sos_bank.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr std::size_t kTileFrames = 32;

bool CanBeFiltered(double sample) { return std::abs(sample) <= kLargestSample; }

}  // namespace

absl::StatusOr<SosBank> SosBank::Create(Cascade cascade, std::size_t channels) {
  if (channels == 0 || channels > kMaxBankChannels) {
    return absl::InvalidArgumentError(
        absl::StrCat(channels, " channels: must be 1 to ", kMaxBankChannels));
  }
  if (!IsStable(cascade)) {
    return absl::InvalidArgumentError("the cascade is not stable: a pole on or outside the circle");
  }
  return SosBank(std::move(cascade), channels);
}

SosBank::SosBank(Cascade cascade, std::size_t channels)
    : cascade_(std::move(cascade)),
      steady_state_(SteadyState(cascade_)),
      channels_(channels),
      lanes_((channels + kSosLanes - 1) / kSosLanes * kSosLanes),
      tile_(kTileFrames * lanes_ / kSosLanes),
      states_(std::max<std::size_t>(1, 2 * cascade_.size() * lanes_ / kSosLanes)),
      starts_(channels, 0),
      suspect_(channels, 0),
      alone_(channels * kTileFrames, 0.0),
      kept_(channels * 2 * cascade_.size(), 0.0),
      reports_(channels) {}

void SosBank::Reset() {
  std::fill(states_.begin(), states_.end(), Lanes{});
  std::fill(starts_.begin(), starts_.end(), 0);
  any_start_ = false;
}

void SosBank::ResetToNextSample() {
  std::fill(starts_.begin(), starts_.end(), 1);
  any_start_ = true;
}

std::span<const FilterReport> SosBank::ProcessInterleaved(std::span<const double> input,
                                                          std::span<double> output) {
  const std::size_t frames = std::min(input.size(), output.size()) / channels_;
  return Process(input.data(), output.data(), frames, {channels_, 1});
}

std::span<const FilterReport> SosBank::ProcessPlanar(std::span<const double> input,
                                                     std::span<double> output) {
  const std::size_t frames = std::min(input.size(), output.size()) / channels_;
  return Process(input.data(), output.data(), frames, {1, frames});
}

std::span<const FilterReport> SosBank::Process(const double* input, double* output,
                                               std::size_t frames, const Layout& layout) {
  std::fill(reports_.begin(), reports_.end(), FilterReport{});
  for (std::size_t begin = 0; begin < frames; begin += kTileFrames) {
    const std::size_t offset = begin * layout.frame_step;
    ProcessTile(input + offset, output + offset, begin, std::min(kTileFrames, frames - begin),
                layout);
  }
  return reports_;
}

void SosBank::Load(const double* input, std::size_t frames, const Layout& layout) {
  double* rows = tile();
  if (layout.channel_step == 1) {
    for (std::size_t frame = 0; frame < frames; ++frame) {
      std::copy_n(input + frame * layout.frame_step, channels_, rows + frame * lanes_);
    }
    return;
  }
  // Four channels a pass: the rows are walked a quarter as often.
  const std::size_t step = layout.channel_step;
  std::size_t channel = 0;
  for (; channel + 4 <= channels_; channel += 4) {
    const double* from = input + channel * step;
    double* row = rows + channel;
    for (std::size_t frame = 0; frame < frames; ++frame, ++from, row += lanes_) {
      row[0] = from[0];
      row[1] = from[step];
      row[2] = from[2 * step];
      row[3] = from[3 * step];
    }
  }
  for (; channel < channels_; ++channel) {
    const double* from = input + channel * step;
    for (std::size_t frame = 0; frame < frames; ++frame) {
      rows[frame * lanes_ + channel] = from[frame];
    }
  }
}

bool SosBank::FindSuspects(std::size_t frames) {
  if (AllWithin(tile(), frames * lanes_, kLargestSample)) return false;
  std::fill(suspect_.begin(), suspect_.end(), 0);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      if (!CanBeFiltered(tile()[frame * lanes_ + channel])) suspect_[channel] = 1;
    }
  }
  return true;
}

void SosBank::Store(double* output, std::size_t frames, const Layout& layout) const {
  const double* rows = tile();
  if (layout.channel_step == 1) {
    for (std::size_t frame = 0; frame < frames; ++frame) {
      std::copy_n(rows + frame * lanes_, channels_, output + frame * layout.frame_step);
    }
    return;
  }
  const std::size_t step = layout.channel_step;
  std::size_t channel = 0;
  for (; channel + 4 <= channels_; channel += 4) {
    double* to = output + channel * step;
    const double* row = rows + channel;
    for (std::size_t frame = 0; frame < frames; ++frame, ++to, row += lanes_) {
      to[0] = row[0];
      to[step] = row[1];
      to[2 * step] = row[2];
      to[3 * step] = row[3];
    }
  }
  for (; channel < channels_; ++channel) {
    double* to = output + channel * step;
    for (std::size_t frame = 0; frame < frames; ++frame) to[frame] = rows[frame * lanes_ + channel];
  }
}

void SosBank::SetSteady(std::size_t channel, double sample) {
  for (std::size_t i = 0; i < cascade_.size(); ++i) {
    state(i)[channel] = steady_state_[i][0] * sample;
    state(i)[lanes_ + channel] = steady_state_[i][1] * sample;
  }
}

double SosBank::StepOne(std::size_t channel, double sample) {
  for (std::size_t i = 0; i < cascade_.size(); ++i) {
    const Section& s = cascade_[i];
    double& z0 = state(i)[channel];
    double& z1 = state(i)[lanes_ + channel];
    const double output = s.b0 * sample + z0;
    z0 = s.b1 * sample - s.a1 * output + z1;
    z1 = s.b2 * sample - s.a2 * output;
    sample = output;
  }
  return sample;
}

// A channel with a bad sample in the tile, as StreamingFilter has it. Its column is zero after.
void SosBank::RunAlone(std::size_t channel, std::size_t begin, std::size_t frames) {
  FilterReport& report = reports_[channel];
  double* column = tile() + channel;
  double* out = alone_.data() + channel * kTileFrames;
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const double sample = std::exchange(column[frame * lanes_], 0.0);
    if (!CanBeFiltered(sample)) {
      if (report.non_finite_samples++ == 0) report.first_non_finite = begin + frame;
      out[frame] = std::numeric_limits<double>::quiet_NaN();
      starts_[channel] = 1;
      continue;
    }
    if (starts_[channel] != 0) {
      SetSteady(channel, sample);
      starts_[channel] = 0;
      ++report.restarts;
    }
    out[frame] = StepOne(channel, sample);
  }
  any_start_ |= starts_[channel] != 0;
  for (std::size_t i = 0; i < 2 * cascade_.size(); ++i) {
    kept_[channel * 2 * cascade_.size() + i] = states()[i * lanes_ + channel];
  }
}

void SosBank::ProcessTile(const double* input, double* output, std::size_t begin,
                          std::size_t frames, const Layout& layout) {
  Load(input, frames, layout);
  const bool any_suspect = FindSuspects(frames);
  if (any_start_) {
    any_start_ = false;
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      if (starts_[channel] == 0) continue;
      if (any_suspect && suspect_[channel] != 0) {
        any_start_ = true;  // unless it starts within this tile
        continue;
      }
      SetSteady(channel, tile()[channel]);
      starts_[channel] = 0;
      ++reports_[channel].restarts;
    }
  }
  if (any_suspect) {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      if (suspect_[channel] != 0) RunAlone(channel, begin, frames);
    }
  }
  RunSections(cascade_.data(), cascade_.size(), frames, lanes_, states(), tile());
  if (any_suspect) {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      if (suspect_[channel] == 0) continue;
      for (std::size_t i = 0; i < 2 * cascade_.size(); ++i) {
        states()[i * lanes_ + channel] = kept_[channel * 2 * cascade_.size() + i];
      }
      for (std::size_t frame = 0; frame < frames; ++frame) {
        tile()[frame * lanes_ + channel] = alone_[channel * kTileFrames + frame];
      }
    }
  }
  Store(output, frames, layout);
}

}  // namespace remora::dsp
