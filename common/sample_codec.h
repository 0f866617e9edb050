#pragma once

// Lossless packing of integer samples (docs/sample-codec.md): deltas, zigzag, bit-packed in groups
// of 128. Measured 3.7x smaller than float32 for EMG and EEG, 7x for averages. Thread-safe.

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "remora/v1/waveform.pb.h"

namespace remora {

// Packs samples (1 to kMaxPackedSamples counts) with `uv_per_count` > 0 and finite.
v1::PackedSamples PackCounts(std::span<const int32_t> counts, double uv_per_count);

// Quantises microvolts to counts of `uv_per_count` and packs them. What is not finite, or beyond
// int32, becomes the nearest that fits (NaN: 0); the caller marks the record's quality.
v1::PackedSamples PackMicrovolts(std::span<const double> microvolts, double uv_per_count);

// The counts. InvalidArgument when the layout is not that of `sample_count` samples (count out of
// range, widths over 32, bytes too few or too many), or encoding or scale are not valid: just what
// ValidateBody refuses, so that whatever a hub takes can be unpacked.
absl::StatusOr<std::vector<int32_t>> UnpackCounts(const v1::PackedSamples& packed_untrusted);
// The same in microvolts.
absl::StatusOr<std::vector<double>> UnpackMicrovolts(const v1::PackedSamples& packed_untrusted);

}  // namespace remora
