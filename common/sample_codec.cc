#include "common/sample_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/limits.h"
#include "common/packed_layout.h"

namespace remora {
namespace {

// Differences wrap around modulo 2^32, so that every pair of int32 has one.
uint32_t ZigzagDelta(int32_t from, int32_t to) {
  const uint32_t delta = static_cast<uint32_t>(to) - static_cast<uint32_t>(from);
  return (delta << 1) ^ (static_cast<int32_t>(delta) < 0 ? UINT32_MAX : 0);
}

int32_t ApplyZigzag(int32_t from, uint32_t zigzag) {
  const uint32_t delta = (zigzag >> 1) ^ (0u - (zigzag & 1));
  return static_cast<int32_t>(static_cast<uint32_t>(from) + delta);
}

void AppendGroup(std::span<const uint32_t> zigzags, std::string* packed) {
  uint32_t all = 0;
  for (uint32_t z : zigzags) all |= z;
  const int width = std::bit_width(all);
  packed->push_back(static_cast<char>(width));
  uint64_t bits = 0;
  int bit_count = 0;
  for (uint32_t z : zigzags) {
    bits |= static_cast<uint64_t>(z) << bit_count;
    bit_count += width;
    for (; bit_count >= 8; bit_count -= 8, bits >>= 8) packed->push_back(static_cast<char>(bits));
  }
  if (bit_count > 0) packed->push_back(static_cast<char>(bits));
}

// Unpacks `count` values of `width` bits; the layout was checked.
void UnpackGroup(const char* bytes, int width, size_t count, int32_t* previous, int32_t* out) {
  const uint64_t mask = (uint64_t{1} << width) - 1;
  uint64_t bits = 0;
  int bit_count = 0;
  for (size_t i = 0; i < count; ++i) {
    for (; bit_count < width; bit_count += 8) {
      bits |= static_cast<uint64_t>(static_cast<uint8_t>(*bytes++)) << bit_count;
    }
    *previous = ApplyZigzag(*previous, static_cast<uint32_t>(bits & mask));
    out[i] = *previous;
    bits >>= width;
    bit_count -= width;
  }
}

}  // namespace

v1::PackedSamples PackCounts(std::span<const int32_t> counts, double uv_per_count) {
  REMORA_CHECK(!counts.empty() && counts.size() <= kMaxPackedSamples, "1 to 65,536 samples");
  REMORA_CHECK(std::isfinite(uv_per_count) && uv_per_count > 0, "a positive, finite scale");
  v1::PackedSamples samples;
  samples.set_encoding(v1::SAMPLE_ENCODING_DELTA_PACKED);
  samples.set_sample_count(static_cast<uint32_t>(counts.size()));
  samples.set_uv_per_count(uv_per_count);
  std::string* packed = samples.mutable_packed();
  packed->reserve(counts.size() + counts.size() / kPackedGroupSamples + 8);
  int32_t previous = 0;
  uint32_t group[kPackedGroupSamples];
  while (!counts.empty()) {
    const size_t size = std::min(counts.size(), kPackedGroupSamples);
    for (size_t i = 0; i < size; ++i) {
      group[i] = ZigzagDelta(previous, counts[i]);
      previous = counts[i];
    }
    AppendGroup(std::span(group, size), packed);
    counts = counts.subspan(size);
  }
  return samples;
}

v1::PackedSamples PackMicrovolts(std::span<const double> microvolts, double uv_per_count) {
  std::vector<int32_t> counts;
  counts.reserve(microvolts.size());
  for (double uv : microvolts) {
    const double count = std::nearbyint(uv / uv_per_count);
    if (std::isnan(count)) {
      counts.push_back(0);
    } else {
      counts.push_back(static_cast<int32_t>(
          std::clamp(count, static_cast<double>(INT32_MIN), static_cast<double>(INT32_MAX))));
    }
  }
  return PackCounts(counts, uv_per_count);
}

absl::StatusOr<std::vector<int32_t>> UnpackCounts(const v1::PackedSamples& packed_untrusted) {
  if (packed_untrusted.encoding() != v1::SAMPLE_ENCODING_DELTA_PACKED) {
    return absl::InvalidArgumentError("packed samples: encoding must be DELTA_PACKED");
  }
  const double scale = packed_untrusted.uv_per_count();
  if (!std::isfinite(scale) || scale <= 0) {
    return absl::InvalidArgumentError("packed samples: uv_per_count must be positive and finite");
  }
  const std::string& packed = packed_untrusted.packed();
  if (const char* wrong = CheckPackedLayout(packed_untrusted.sample_count(), packed)) {
    return absl::InvalidArgumentError(absl::StrCat("packed samples: ", wrong));
  }
  std::vector<int32_t> counts(packed_untrusted.sample_count());
  const char* at = packed.data();
  int32_t previous = 0;
  for (size_t done = 0; done < counts.size(); done += kPackedGroupSamples) {
    const size_t size = std::min(counts.size() - done, kPackedGroupSamples);
    const int width = *at++;
    UnpackGroup(at, width, size, &previous, counts.data() + done);
    at += PackedGroupBytes(width, size);
  }
  return counts;
}

absl::StatusOr<std::vector<double>> UnpackMicrovolts(const v1::PackedSamples& packed_untrusted) {
  absl::StatusOr<std::vector<int32_t>> counts = UnpackCounts(packed_untrusted);
  if (!counts.ok()) return counts.status();
  std::vector<double> microvolts(counts->size());
  const double scale = packed_untrusted.uv_per_count();
  for (size_t i = 0; i < counts->size(); ++i) microvolts[i] = (*counts)[i] * scale;
  return microvolts;
}

}  // namespace remora
