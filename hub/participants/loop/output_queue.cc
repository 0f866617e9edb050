#include "hub/participants/loop/output_queue.h"

#include <utility>

namespace remora::hub {

void OutputQueue::Add(absl::string_view small) {
  bytes_ += small.size();
  // What is small goes together.
  if (!pieces_.empty() && pieces_.back().shared.empty() && pieces_.back().ends_stream == 0) {
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
  for (auto piece = pieces_.begin(); piece != pieces_.end() && count < max; ++piece) {
    const absl::string_view rest = piece->view().substr(offset);
    out[count++] = {const_cast<char*>(rest.data()), rest.size()};
    offset = 0;
  }
  return count;
}

void OutputQueue::Pop(size_t bytes, std::vector<int32_t>* ended) {
  bytes_ -= bytes;
  while (!pieces_.empty()) {
    const size_t rest = pieces_.front().view().size() - offset_;
    if (bytes < rest) break;
    bytes -= rest;
    offset_ = 0;
    if (pieces_.front().ends_stream != 0) ended->push_back(pieces_.front().ends_stream);
    pieces_.pop_front();
  }
  offset_ += bytes;
}

}  // namespace remora::hub
