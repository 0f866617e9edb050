// What is wrong with a block of raw samples: non-finite, clipped, flat, full of mains.
//
// Looked at before any filter (a filter hides clipping and dresses up a disconnected electrode).
// Called a block at a time by every pipeline; stateless functions, thread-safe.
//
// The block's marks travel with the data: an average rejects its epochs by them, an EMG detector
// refuses to call them a train, a reader sees why a trace is grey.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace remora::dsp {

// Bits of a mark; several may be set.
enum QualityMark : std::uint32_t {
  kQualityGood = 0,
  kQualityNonFinite = 1u << 0,
  kQualityClipping = 1u << 1,
  kQualityFlat = 1u << 2,   // disconnected electrode, muted amplifier
  kQualityMains = 1u << 3,  // mains above limit
  kQualityGap = 1u << 4,    // samples missing in or before the block (set by the caller)
};

struct QualityLimits {
  // Digital limits of the source in uV. Infinite: clipping is not looked for.
  double clip_low_uv = -std::numeric_limits<double>::infinity();
  double clip_high_uv = std::numeric_limits<double>::infinity();
  // Peak-to-peak at or below which a block is flat, uV. Amplifier noise is above 0.2 uV.
  double flat_range_uv = 0.05;
  // Shortest block that may be called flat.
  double flat_min_ms = 20.0;
  double mains_hz = 50.0;   // 50 or 60; 0: not measured
  int mains_harmonics = 3;  // fundamental and multiples below Nyquist
  // Fraction of the block's power (mean removed) at mains above which it is marked. 0..1.
  double mains_max_fraction = 0.5;
};

struct BlockQuality {
  std::uint32_t marks = kQualityGood;
  std::size_t non_finite_samples = 0;
  std::size_t clipped_samples = 0;
  double low_uv = 0.0;  // of the finite samples
  double high_uv = 0.0;
  double range_uv = 0.0;        // peak to peak of the finite samples
  double rms_uv = 0.0;          // of the finite samples, mean removed
  double mains_fraction = 0.0;  // 0..1; 0 when the block holds less than two periods

  bool good() const { return marks == kQualityGood; }
  bool has(QualityMark mark) const { return (marks & mark) != 0; }
};

BlockQuality AssessBlock(std::span<const double> samples_uv, double sample_rate_hz,
                         const QualityLimits& limits);

// Power of a Hann-windowed sine fit at `frequency_hz` (uV^2, = amplitude^2 / 2 for a pure sine).
// Goertzel 1958. The mean is removed first.
double PowerAt(std::span<const double> samples_uv, double frequency_hz, double sample_rate_hz);

}  // namespace remora::dsp
