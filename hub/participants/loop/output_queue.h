#pragma once

// What a connection has for its socket: small pieces of its own between shared bytes, none of which
// is copied. Sequence-bound.

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/shared_bytes.h"

namespace remora::hub {

// Bytes on their way to a socket.
class OutputQueue {
 public:
  bool empty() const { return first_ == pieces_.size(); }
  size_t bytes() const { return bytes_; }
  void Add(absl::string_view small);
  // The end of a message of `ends_stream`, where that is not 0.
  void Add(SharedBytes bytes, int32_t ends_stream);
  // At most `max` of what is next.
  size_t Fill(iovec* out, size_t max) const;
  // So many bytes have left; the streams whose messages ended in them.
  void Pop(size_t bytes, std::vector<int32_t>* ended);

 private:
  struct Piece {
    std::string own;
    SharedBytes shared;
    int32_t ends_stream = 0;
    absl::string_view view() const { return shared.empty() ? own : shared.view(); }
  };
  // Those that have left stay in front until all have, or until they are the larger part.
  std::vector<Piece> pieces_;
  size_t first_ = 0;
  size_t offset_ = 0;  // into the first
  size_t bytes_ = 0;
};

}  // namespace remora::hub
