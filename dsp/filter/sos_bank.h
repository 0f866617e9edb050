// A cascade that runs on many channels at once, block after block: what StreamingFilter does for
// one channel, with vectors across channels.
//
// A single channel's filter waits for its own last output, sample by sample; channels do not wait
// for one another. On 32 channels it takes a small part of the time of 32 StreamingFilters
// (docs/dsp-performance.md).
//
// Owned by one pipeline and used on its sequence (thread-compatible). Double precision, transposed
// direct form II, the same operations in the same order, without fused ones: outputs and states are
// those of a StreamingFilter for each channel to the bit, on each processor. Delay: none by itself.
//
// Invariants: those of StreamingFilter, for each channel by itself. A sample that is not finite, or
// over kLargestSample, gives a NaN in its channel at its place, and touches no other channel.
//
// Layouts of a block of `frames` samples of each of `channels`, input and output alike:
//
//   interleaved   sample f of channel c at [f * channels + c]: as an amplifier sends it
//   planar        at [c * frames + f]: as SampleBlock and Chunk keep it
//
// Inside, 32 frames at a time, interleaved in rows padded to 8 doubles: 16 KB for 64 channels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dsp/filter/sos.h"
#include "dsp/filter/sos_kernel.h"
#include "dsp/filter/streaming_filter.h"

namespace remora::dsp {

inline constexpr std::size_t kMaxBankChannels = 1024;

class SosBank {
 public:
  // Starts as after Reset(). An empty cascade copies its input.
  // Errors: kInvalidArgument -> no channel, more than kMaxBankChannels, or a cascade that is not
  // stable (its state could overflow with no bad input to tell of it).
  static absl::StatusOr<SosBank> Create(Cascade cascade, std::size_t channels);

  // As StreamingFilter's, for all channels.
  void Reset();
  void ResetToNextSample();

  // Filters input into output: same size, a whole number of frames (what is over is left alone);
  // may be the same memory, not overlap otherwise. A report for each channel, valid until the next
  // call.
  std::span<const FilterReport> ProcessInterleaved(std::span<const double> input,
                                                   std::span<double> output);
  std::span<const FilterReport> ProcessPlanar(std::span<const double> input,
                                              std::span<double> output);

  std::size_t channels() const { return channels_; }
  const Cascade& cascade() const { return cascade_; }

 private:
  struct alignas(64) Lanes {
    double value[kSosLanes] = {};
  };
  // Of a sample in the caller's block.
  struct Layout {
    std::size_t frame_step;
    std::size_t channel_step;
  };

  SosBank(Cascade cascade, std::size_t channels);
  std::span<const FilterReport> Process(const double* input, double* output, std::size_t frames,
                                        const Layout& layout);
  void ProcessTile(const double* input, double* output, std::size_t begin, std::size_t frames,
                   const Layout& layout);
  void Load(const double* input, std::size_t frames, const Layout& layout);
  bool FindSuspects(std::size_t frames);
  void Store(double* output, std::size_t frames, const Layout& layout) const;
  void SetSteady(std::size_t channel, double sample);
  double StepOne(std::size_t channel, double sample);
  void RunAlone(std::size_t channel, std::size_t begin, std::size_t frames);
  // Rows of lanes_ samples, and of each section lanes_ first delays, then lanes_ second ones.
  double* tile() { return reinterpret_cast<double*>(tile_.data()); }
  const double* tile() const { return reinterpret_cast<const double*>(tile_.data()); }
  double* states() { return reinterpret_cast<double*>(states_.data()); }
  double* state(std::size_t section) { return states() + 2 * section * lanes_; }

  Cascade cascade_;
  std::vector<SectionState> steady_state_;
  std::size_t channels_;
  std::size_t lanes_;  // channels, padded
  std::vector<Lanes> tile_;
  std::vector<Lanes> states_;
  std::vector<char> starts_;    // at the next finite sample, a flag a channel
  std::vector<char> suspect_;   // a sample of the tile is not to be filtered; if there is any
  std::vector<double> alone_;   // output of channels that ran alone: channels x tile frames
  std::vector<double> kept_;    // and their states
  std::vector<FilterReport> reports_;
  bool any_start_ = false;
};

}  // namespace remora::dsp
