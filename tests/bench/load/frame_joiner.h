#pragma once

// The records of a batch that comes in pieces: what lies across two is put together, the rest is
// not copied.

#include <string>

#include "absl/strings/string_view.h"
#include "common/record_codec.h"
#include "common/wire_reader.h"

namespace remora::bench {

class FrameJoiner {
 public:
  static constexpr char kTag = '\x0a';

  // Calls `on_record` with the bytes of each record that is whole now.
  template <typename OnRecord>
  void Take(absl::string_view piece, OnRecord on_record) {
    while (!piece.empty()) {
      const size_t whole = FrameBytes(begun_.empty() ? piece : begun_);
      if (begun_.empty() && whole != 0 && whole <= piece.size()) {
        Tell(piece.substr(0, whole), on_record);
        piece.remove_prefix(whole);
        continue;
      }
      // Of its length, byte by byte.
      const size_t missing = whole == 0 ? 1 : whole - begun_.size();
      const absl::string_view more = piece.substr(0, missing);
      begun_.append(more.data(), more.size());
      piece.remove_prefix(more.size());
      if (begun_.size() != FrameBytes(begun_)) continue;
      Tell(begun_, on_record);
      begun_.clear();
    }
  }
  // Nothing is left over, and all could be read.
  bool done() const { return begun_.empty() && readable_; }

 private:
  // With tag and length; 0: not known yet.
  static size_t FrameBytes(absl::string_view bytes) {
    if (bytes.size() < 2) return 0;
    WireReader reader(bytes.substr(1));
    uint64_t size;
    return reader.ReadVarint(&size) ? 1 + reader.offset() + size : 0;
  }
  template <typename OnRecord>
  void Tell(absl::string_view frame, OnRecord& on_record) {
    const auto record = TakeFrame(&frame);
    readable_ &= record.ok();
    if (record.ok()) on_record(*record);
  }

  std::string begun_;
  bool readable_ = true;
};

}  // namespace remora::bench
