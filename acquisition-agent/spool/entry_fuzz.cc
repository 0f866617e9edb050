// Spool files that lie: whatever a disk gives back, entries are found without harm, what is found
// is an entry that could have been written, and a written one with any bit turned is none.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "acquisition-agent/spool/entry.h"

namespace remora::agent {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Entries written one after another look the same when they are written again.
void ReadAsAFile(absl::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const std::optional<Entry> entry = ParseEntry(bytes.substr(at));
    if (!entry.has_value()) {
      const size_t next = FindEntry(bytes, at + 1);
      Require(next > at && next <= bytes.size());
      Require(next == bytes.size() || ParseEntry(bytes.substr(next)).has_value());
      at = next;
      continue;
    }
    std::string again;
    AppendEntry(*entry, &again);
    Require(EntryBytes(*entry) == again.size());
    Require(bytes.substr(at, again.size()) == again);
    at += again.size();
  }
}

// An entry of these bytes, and the same with one bit turned.
void WriteAndTurnABit(absl::string_view bytes) {
  if (bytes.size() < 20) return;
  Entry entry;
  entry.type = static_cast<EntryType>(1 + static_cast<uint8_t>(bytes[0]) % 7);
  entry.lane = static_cast<uint8_t>(bytes[1]) % 6;
  for (size_t i = 0; i < 8; ++i)
    entry.number = entry.number << 8 | static_cast<uint8_t>(bytes[2 + i]);
  for (size_t i = 0; i < 4; ++i) {
    entry.ordinal = entry.ordinal << 8 | static_cast<uint8_t>(bytes[10 + i]);
  }
  size_t turned = 0;
  for (size_t i = 0; i < 4; ++i) turned = turned << 8 | static_cast<uint8_t>(bytes[14 + i]);
  entry.payload = bytes.substr(18);
  std::string written;
  AppendEntry(entry, &written);
  const std::optional<Entry> read = ParseEntry(written);
  Require(read.has_value() && read->type == entry.type && read->lane == entry.lane &&
          read->number == entry.number && read->ordinal == entry.ordinal &&
          read->payload == entry.payload);
  turned %= written.size() * 8;
  written[turned / 8] = static_cast<char>(written[turned / 8] ^ (1 << turned % 8));
  Require(!ParseEntry(written).has_value());
}

}  // namespace
}  // namespace remora::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  remora::agent::ReadAsAFile(bytes);
  remora::agent::WriteAndTurnABit(bytes);
  return 0;
}
