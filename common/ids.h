#pragma once

// The 128-bit random ids of cases and origins, and the id of a record. Immutable values.

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/random.h"

namespace remora {

// Sixteen random bytes. Tag tells what it names.
template <typename Tag>
class Id128 {
 public:
  static constexpr int kBytes = 16;

  constexpr Id128() = default;
  static Id128 Draw(Random& random) {
    Id128 id;
    random.Fill(id.bytes_);
    return id;
  }
  // False (and unchanged) unless `bytes` are exactly 16.
  bool Assign(absl::string_view bytes) {
    if (bytes.size() != kBytes) return false;
    for (int i = 0; i < kBytes; ++i) bytes_[i] = static_cast<uint8_t>(bytes[i]);
    return true;
  }
  static Id128 FromBytes(absl::string_view bytes) {
    Id128 id;
    id.Assign(bytes);
    return id;
  }

  absl::string_view bytes() const {
    return absl::string_view(reinterpret_cast<const char*>(bytes_.data()), kBytes);
  }
  std::string ToString() const { return std::string(bytes()); }
  // 32 lower-case hexadecimal digits.
  std::string Hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * kBytes);
    for (uint8_t b : bytes_) {
      hex.push_back(kDigits[b >> 4]);
      hex.push_back(kDigits[b & 15]);
    }
    return hex;
  }
  bool is_zero() const { return bytes_ == std::array<uint8_t, kBytes>{}; }

  auto operator<=>(const Id128&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const Id128& id) {
    return H::combine(std::move(h), id.bytes_);
  }

 private:
  std::array<uint8_t, kBytes> bytes_{};
};

using CaseId = Id128<struct CaseIdTag>;
using OriginId = Id128<struct OriginIdTag>;

// Names a record for ever: its origin, its lane, and its number there.
struct RecordKey {
  OriginId origin;
  uint32_t lane = 0;
  uint64_t origin_seq = 0;

  auto operator<=>(const RecordKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const RecordKey& k) {
    return H::combine(std::move(h), k.origin, k.lane, k.origin_seq);
  }
};

}  // namespace remora
