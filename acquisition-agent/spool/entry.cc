#include "acquisition-agent/spool/entry.h"

#include <zlib.h>

#include "acquisition-agent/spool/limits.h"

namespace remora::agent {
namespace {

constexpr uint32_t kMagic = 0x50534d52;  // "RMSP"
constexpr char kMagicBytes[] = "RMSP";

template <typename T>
void PutLittle(T value, std::string* bytes) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes->push_back(static_cast<char>(value >> (8 * i)));
}

template <typename T>
T GetLittle(absl::string_view bytes, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  }
  return value;
}

uint32_t Checksum(absl::string_view header, absl::string_view payload) {
  uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(header.data()), static_cast<uInt>(header.size()));
  // zlib starts anew when it is given no buffer, so an empty payload must not reach it.
  if (!payload.empty()) {
    crc = crc32(crc, reinterpret_cast<const Bytef*>(payload.data()),
                static_cast<uInt>(payload.size()));
  }
  return static_cast<uint32_t>(crc);
}

}  // namespace

void AppendEntry(const Entry& entry, std::string* bytes) {
  const size_t start = bytes->size();
  PutLittle(kMagic, bytes);
  PutLittle(static_cast<uint32_t>(entry.payload.size()), bytes);
  bytes->push_back(static_cast<char>(entry.type));
  bytes->push_back(static_cast<char>(entry.lane));
  bytes->append(2, '\0');
  PutLittle(entry.number, bytes);
  PutLittle(entry.ordinal, bytes);
  PutLittle(Checksum(absl::string_view(*bytes).substr(start + 4, 20), entry.payload), bytes);
  bytes->append(entry.payload.data(), entry.payload.size());
}

std::optional<Entry> ParseEntry(absl::string_view bytes_untrusted) {
  if (bytes_untrusted.size() < kEntryHeaderBytes) return std::nullopt;
  if (GetLittle<uint32_t>(bytes_untrusted, 0) != kMagic) return std::nullopt;
  const uint32_t payload_bytes = GetLittle<uint32_t>(bytes_untrusted, 4);
  if (payload_bytes > kMaxEntryPayloadBytes ||
      payload_bytes > bytes_untrusted.size() - kEntryHeaderBytes) {
    return std::nullopt;
  }
  if (GetLittle<uint16_t>(bytes_untrusted, 10) != 0) return std::nullopt;
  Entry entry;
  entry.payload = bytes_untrusted.substr(kEntryHeaderBytes, payload_bytes);
  if (GetLittle<uint32_t>(bytes_untrusted, 24) !=
      Checksum(bytes_untrusted.substr(4, 20), entry.payload)) {
    return std::nullopt;
  }
  entry.type = static_cast<EntryType>(bytes_untrusted[8]);
  entry.lane = static_cast<uint8_t>(bytes_untrusted[9]);
  entry.number = GetLittle<uint64_t>(bytes_untrusted, 12);
  entry.ordinal = GetLittle<uint32_t>(bytes_untrusted, 20);
  return entry;
}

size_t FindEntry(absl::string_view bytes_untrusted, size_t from) {
  while (from < bytes_untrusted.size()) {
    const size_t at = bytes_untrusted.find(kMagicBytes, from, 4);
    if (at == absl::string_view::npos) break;
    if (ParseEntry(bytes_untrusted.substr(at))) return at;
    from = at + 1;
  }
  return bytes_untrusted.size();
}

}  // namespace remora::agent
