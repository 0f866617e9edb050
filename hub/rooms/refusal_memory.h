#pragma once

// Why records were refused, for those who offer them again: the newest kMaxRememberedRefusals of a
// room. The journal keeps only that they were. Thread-compatible; sequence-bound to its room.

#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/record_codec.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

struct Refusal {
  v1::RefusalReason reason = v1::REFUSAL_REASON_UNSPECIFIED;
  // In words, for the sender.
  std::string text;
};

class RefusalMemory {
 public:
  void Add(const RecordKey& key, Refusal refusal);
  // A general one where the reason is forgotten.
  Refusal Find(const RecordKey& key) const;

 private:
  absl::flat_hash_map<RecordKey, Refusal> refusals_;
  std::deque<RecordKey> oldest_first_;
};

}  // namespace remora::hub
