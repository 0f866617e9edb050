#include "acquisition-agent/sources/wfdb/samples.h"

#include <array>

namespace remora::agent::wfdb {
namespace {

constexpr std::array<FormatInfo, 9> kFormats = {{
    {16, 1, 2, 16},
    {24, 1, 3, 24},
    {32, 1, 4, 32},
    {61, 1, 2, 16},
    {80, 1, 1, 8},
    {160, 1, 2, 16},
    {212, 2, 3, 12},
    {310, 3, 4, 10},
    {311, 3, 4, 10},
}};

// Two's complement of `bits` bits.
int32_t Signed(uint32_t value, int bits) {
  const uint32_t sign = uint32_t{1} << (bits - 1);
  value &= (sign << 1) - 1;  // 32 bits: all of them
  return static_cast<int32_t>((value ^ sign) - sign);
}

uint32_t LittleEndian(const uint8_t* p, int bytes) {
  uint32_t value = 0;
  for (int b = 0; b < bytes; ++b) value |= uint32_t{p[b]} << (8 * b);
  return value;
}

// Two in three bytes: the high halves of the middle byte are those of the second.
int32_t Of212(const uint8_t* pack, int place) {
  if (place == 0) return Signed(pack[0] | ((pack[1] & 0x0Fu) << 8), 12);
  return Signed(pack[2] | ((pack[1] & 0xF0u) << 4), 12);
}

// Three in two words of 16 bits: bits 1-10 of each word, and the third from the top 5 of both.
int32_t Of310(const uint8_t* pack, int place) {
  if (place < 2) return Signed(LittleEndian(pack + 2 * place, 2) >> 1, 10);
  const uint32_t low = LittleEndian(pack, 2) >> 11;
  const uint32_t high = LittleEndian(pack + 2, 2) >> 11;
  return Signed(low | (high << 5), 10);
}

// Three in one word of 32 bits, the first lowest.
int32_t Of311(const uint8_t* pack, int place) {
  const int from_bit = 10 * place;
  const int bytes = (from_bit + 10 + 7) / 8;
  return Signed(LittleEndian(pack, bytes) >> from_bit, 10);
}

}  // namespace

const FormatInfo* FindFormat(int format) {
  for (const FormatInfo& info : kFormats) {
    if (info.format == format) return &info;
  }
  return nullptr;
}

int64_t SamplesIn(const FormatInfo& format, int64_t bytes) {
  const int64_t rest = bytes % format.bytes_per_pack;
  int64_t partial = 0;
  if (format.format == 212) partial = rest == 2 ? 1 : 0;
  if (format.format == 310) partial = rest >= 2 ? 1 : 0;
  if (format.format == 311) partial = rest >= 3 ? 2 : rest >= 2 ? 1 : 0;
  return bytes / format.bytes_per_pack * format.samples_per_pack + partial;
}

int32_t SampleAt(const FormatInfo& format, std::span<const uint8_t> bytes, int64_t index) {
  const uint8_t* pack = bytes.data() + index / format.samples_per_pack * format.bytes_per_pack;
  const int place = static_cast<int>(index % format.samples_per_pack);
  switch (format.format) {
    case 61:
      return Signed((uint32_t{pack[0]} << 8) | pack[1], 16);
    case 80:
      return int32_t{pack[0]} - 128;
    case 160:
      return static_cast<int32_t>(LittleEndian(pack, 2)) - 32768;
    case 212:
      return Of212(pack, place);
    case 310:
      return Of310(pack, place);
    case 311:
      return Of311(pack, place);
    default:
      return Signed(LittleEndian(pack, format.bytes_per_pack), format.bits);
  }
}

}  // namespace remora::agent::wfdb
