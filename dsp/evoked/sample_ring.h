// The newest samples of several channels, by their position in the stream: what epochs are cut
// from.
//
// Held by what cuts (epoch.h); thread-compatible, on its sequence. Positions count from the start
// of the stream, 0 or more, and are 64 bit. Those that nothing came for are missing, and read as
// NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::dsp {

inline constexpr std::size_t kMaxRingChannels = 1024;
// 256 MiB of doubles: 128 channels at 40 kHz for 6.5 s.
inline constexpr std::size_t kMaxRingValues = std::size_t{1} << 25;

class SampleRing {
 public:
  // Positions in order.
  struct Stretch {
    std::vector<double> values;  // channel after channel; NaN where missing
    // How many are missing in front of each, and one entry more: those of a part by a difference.
    std::vector<std::uint32_t> missing_before;
  };

  // Errors: kInvalidArgument -> no channel, more than kMaxRingChannels, no sample, or more than
  // kMaxRingValues of all.
  static absl::StatusOr<SampleRing> Create(std::size_t channels, std::size_t samples);

  // Forgets all; the first sample that is appended has this position, 0 or more.
  void Start(std::int64_t position);
  // The next samples of all channels, equal lengths. Of more than it holds, the last.
  void Append(std::span<const std::span<const double>> channels);
  // Nothing came for so many positions, 0 or more.
  void Skip(std::int64_t samples);

  // Any positions; those behind the newest sample out of `next`, samples of all channels (or none)
  // as they would be appended. Allocates.
  Stretch Copy(std::int64_t first, std::size_t count,
               std::span<const std::span<const double>> next) const;

  // Position behind the newest sample.
  std::int64_t end() const { return end_; }
  std::size_t channels() const { return channels_; }
  std::size_t samples() const { return samples_; }

 private:
  SampleRing(std::size_t channels, std::size_t samples);
  std::size_t IndexOf(std::int64_t position) const;
  void Advance(std::size_t samples);

  std::size_t channels_;
  std::size_t samples_;
  std::vector<double> values_;  // channel after channel
  std::vector<bool> missing_;   // by index
  std::int64_t first_held_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace remora::dsp
