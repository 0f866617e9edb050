#include "hub/participants/loop/output_queue.h"

#include <utility>

namespace remora::hub {
namespace {

constexpr size_t kMostThatHaveLeft = 64;

}  // namespace

void OutputQueue::Add(absl::string_view small) {
  bytes_ += small.size();
  // What is small goes together.
  if (!empty() && pieces_.back().shared.empty() && pieces_.back().ends_stream == 0) {
    pieces_.back().own.append(small.data(), small.size());
    return;
  }
  pieces_.emplace_back().own.assign(small.data(), small.size());
}

void OutputQueue::Add(SharedBytes bytes, int32_t ends_stream) {
  bytes_ += bytes.size();
  Piece& piece = pieces_.emplace_back();
  piece.shared = std::move(bytes);
  piece.ends_stream = ends_stream;
}

size_t OutputQueue::Fill(iovec* out, size_t max) const {
  size_t count = 0;
  size_t offset = offset_;
  for (size_t i = first_; i < pieces_.size() && count < max; ++i) {
    const absl::string_view rest = pieces_[i].view().substr(offset);
    out[count++] = {const_cast<char*>(rest.data()), rest.size()};
    offset = 0;
  }
  return count;
}

void OutputQueue::Pop(size_t bytes, std::vector<int32_t>* ended) {
  bytes_ -= bytes;
  while (!empty()) {
    Piece& piece = pieces_[first_];
    const size_t rest = piece.view().size() - offset_;
    if (bytes < rest) break;
    bytes -= rest;
    offset_ = 0;
    if (piece.ends_stream != 0) ended->push_back(piece.ends_stream);
    piece.shared = SharedBytes();
    ++first_;
  }
  offset_ += bytes;
  if (empty()) {
    pieces_.clear();
    first_ = 0;
  } else if (first_ > kMostThatHaveLeft && first_ > pieces_.size() / 2) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

}  // namespace remora::hub
