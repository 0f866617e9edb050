#include "acquisition-agent/surveillance/differential_sink.h"

#include <utility>

#include "common/limits.h"
#include "common/record_codec.h"

namespace remora::agent {

RecordKey DifferentialSink::Put(v1::Record* record, int64_t at_ns) {
  if (follower_ == nullptr) return behind_.Put(record, at_ns);
  // Bulk is of no interest; and who is behind may move from it.
  const bool is_followed =
      LaneOfKind(static_cast<uint32_t>(record->body_case())) < kControlLaneCount;
  const v1::Record followed = is_followed ? *record : v1::Record();
  const RecordKey key = behind_.Put(record, at_ns);
  if (is_followed) Follow(followed, key, at_ns);
  return key;
}

void DifferentialSink::OnInput(const v1::Record& record, const RecordKey& key, int64_t at_ns) {
  if (follower_ != nullptr) Follow(record, key, at_ns);
}

void DifferentialSink::Follow(const v1::Record& record, const RecordKey& key, int64_t at_ns) {
  for (v1::CauseRanking& ranking : follower_->OnRecord(record, key, at_ns)) {
    // Nothing speaks for anything: there is nothing to tell.
    if (ranking.causes().empty()) continue;
    v1::Record told;
    *told.mutable_differential()->mutable_ranking() = std::move(ranking);
    behind_.Put(&told, at_ns);
  }
}

}  // namespace remora::agent
