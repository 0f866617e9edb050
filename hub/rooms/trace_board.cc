#include "hub/rooms/trace_board.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/wire_reader.h"
#include "hub/rooms/limits.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {

BodyPeek PeekBody(uint32_t kind, absl::string_view body) {
  BodyPeek peek;
  const bool sweep = kind == v1::Record::kSweep;
  const bool measurement = kind == v1::Record::kMeasurement;
  WireReader reader(body);
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    if (!reader.ReadTag(&field, &type)) return peek;
    if (type == WireType::kBytes && (field == 1 || (field == 6 && measurement))) {
      if (!reader.ReadBytes(field == 1 ? &peek.trace_id : &peek.component)) return peek;
      // Only sweeps and measurements have more to tell.
      if (!sweep && !measurement) return peek;
    } else if (type == WireType::kVarint && field == 16 && sweep) {
      uint64_t value;
      if (!reader.ReadVarint(&value)) return peek;
      peek.provisional = value != 0;
    } else if (!reader.Skip(type)) {
      return peek;
    }
  }
  return peek;
}

const TraceKey* TraceBoard::Name(uint32_t kind, const BodyPeek& peek) {
  KindAndName name{kind, absl::StrCat(peek.trace_id, "\x1f", peek.component)};
  if (auto it = by_name_.find(name); it != by_name_.end()) return it->second;
  if (keys_.size() >= kMaxTraces || peek.trace_id.size() > kMaxNameBytes ||
      peek.component.size() > kMaxNameBytes) {
    return nullptr;
  }
  keys_.push_back({static_cast<uint32_t>(keys_.size()), std::string(peek.trace_id)});
  by_name_.emplace(std::move(name), &keys_.back());
  return &keys_.back();
}

void TraceBoard::Keep(const RecordFrame& frame) {
  if (frame.trace == nullptr || frame.lane < 3 || frame.lane > 4) return;
  auto [it, inserted] = newest_.try_emplace({frame.trace->index, frame.provisional}, frame);
  if (!inserted && frame.IsNewerThan(it->second)) it->second = frame;
  if (frame.lane == 3 && !frame.provisional) {
    // A finished sweep ends the growing one that came before it.
    auto growing = newest_.find({frame.trace->index, true});
    if (growing != newest_.end() && frame.IsNewerThan(growing->second)) newest_.erase(growing);
  }
}

std::vector<uint64_t> TraceBoard::NewestSeqs() const {
  std::vector<uint64_t> seqs;
  for (const auto& [key, frame] : newest_) {
    if (!frame.provisional) seqs.push_back(frame.seq);
  }
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

int64_t TraceBoard::LastEnvelopeUnixNs() const {
  int64_t last = 0;
  for (const auto& [key, frame] : newest_) {
    // One that waited at its sender is no sign of now.
    if (frame.kind == v1::Record::kEnvelope && !frame.late)
      last = std::max(last, frame.recorded_unix_ns);
  }
  return last;
}

std::vector<RecordFrame> TraceBoard::Newest(size_t max_bytes) const {
  std::vector<RecordFrame> frames;
  frames.reserve(newest_.size());
  for (const auto& [key, frame] : newest_) frames.push_back(frame);
  const auto rank = [](const RecordFrame& f) { return f.provisional ? 2 : f.lane == 3 ? 0 : 1; };
  std::sort(frames.begin(), frames.end(), [&rank](const RecordFrame& a, const RecordFrame& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.seq > b.seq;
  });
  size_t bytes = 0;
  size_t count = 0;
  while (count < frames.size() && bytes + frames[count].bytes.size() <= max_bytes) {
    bytes += frames[count++].bytes.size();
  }
  frames.resize(count);
  std::sort(frames.begin(), frames.end(),
            [](const RecordFrame& a, const RecordFrame& b) { return a.seq < b.seq; });
  return frames;
}

}  // namespace remora::hub
