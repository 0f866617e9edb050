#include "hub/rooms/refusal_memory.h"

#include <utility>

#include "hub/rooms/limits.h"

namespace remora::hub {

void RefusalMemory::Add(const RecordKey& key, Refusal refusal) {
  if (!refusals_.try_emplace(key, std::move(refusal)).second) return;
  oldest_first_.push_back(key);
  if (oldest_first_.size() <= kMaxRememberedRefusals) return;
  refusals_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

Refusal RefusalMemory::Find(const RecordKey& key) const {
  const auto it = refusals_.find(key);
  if (it != refusals_.end()) return it->second;
  return {v1::REFUSAL_REASON_MALFORMED,
          "a record of this number was refused before; take the next one"};
}

}  // namespace remora::hub
