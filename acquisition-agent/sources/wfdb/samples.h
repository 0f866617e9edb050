// The sample formats of WFDB signal files: where samples lie, and what they are.
//
// All samples of a file form one row, frame after frame, signal after signal; packed formats pack
// along that row. Pure.
//
// Source: Moody, WFDB Applications Guide, signal(5).
#pragma once

#include <cstdint>
#include <span>

namespace remora::agent::wfdb {

// What a format is. `samples` of them take `bytes` bytes; only whole packs can be found.
struct FormatInfo {
  int format = 16;
  int samples_per_pack = 1;
  int bytes_per_pack = 2;
  int bits = 16;  // of a sample
  int64_t lowest() const { return -(int64_t{1} << (bits - 1)); }
  int64_t highest() const { return (int64_t{1} << (bits - 1)) - 1; }
};

// Nothing where the format is not read: 8 (differences) and 508, 516, 524 (FLAC) among them.
const FormatInfo* FindFormat(int format);

// How many samples `bytes` bytes hold; the last pack may be short of bytes.
int64_t SamplesIn(const FormatInfo& format, int64_t bytes);

// Sample `index` of `bytes`, which begin with a whole pack. The bytes that it needs must be there:
// index < SamplesIn(format, bytes.size()). The lowest value of a format stands for "no value".
int32_t SampleAt(const FormatInfo& format, std::span<const uint8_t> bytes, int64_t index);

}  // namespace remora::agent::wfdb
