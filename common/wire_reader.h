#pragma once

// Reads protobuf's wire format strictly, without allocation: for the walk of a record and of bulk
// bodies. Refuses what no protobuf encoder writes (overlong varints, groups, field 0, truncation),
// so that what passes means the same to every reader. Thread-compatible; points into its bytes.

#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace remora {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class WireReader {
 public:
  explicit WireReader(absl::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  bool AtEnd() const { return at_ == end_; }
  // Bytes read so far.
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }

  // False, here and below: malformed. The reader is then of no more use.
  bool ReadTag(uint32_t* field, WireType* type) {
    uint64_t tag;
    if (!ReadVarint(&tag) || tag > UINT32_MAX) return false;
    *field = static_cast<uint32_t>(tag >> 3);
    const uint32_t wire = tag & 7;
    if (*field == 0 || (wire > 2 && wire != 5)) return false;
    *type = static_cast<WireType>(wire);
    return true;
  }

  // Minimal encodings only.
  bool ReadVarint(uint64_t* value) {
    uint64_t result = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ == end_) return false;
      const uint8_t byte = static_cast<uint8_t>(*at_++);
      if (shift == 63 && byte > 1) return false;
      result |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        *value = result;
        return byte != 0 || shift == 0;
      }
    }
    return false;
  }

  bool ReadFixed32(uint32_t* value) { return ReadFixed(value); }
  bool ReadFixed64(uint64_t* value) { return ReadFixed(value); }

  bool ReadBytes(absl::string_view* bytes) {
    uint64_t size;
    if (!ReadVarint(&size) || size > static_cast<uint64_t>(end_ - at_)) return false;
    *bytes = absl::string_view(at_, static_cast<size_t>(size));
    at_ += size;
    return true;
  }

  bool Skip(WireType type) {
    uint64_t number;
    uint32_t small;
    absl::string_view bytes;
    switch (type) {
      case WireType::kVarint:
        return ReadVarint(&number);
      case WireType::kFixed64:
        return ReadFixed64(&number);
      case WireType::kBytes:
        return ReadBytes(&bytes);
      case WireType::kFixed32:
        return ReadFixed32(&small);
    }
    return false;
  }

 private:
  // Little endian, as the wire and every machine that Remora runs on.
  template <typename T>
  bool ReadFixed(T* value) {
    if (static_cast<size_t>(end_ - at_) < sizeof(T)) return false;
    std::memcpy(value, at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace remora
