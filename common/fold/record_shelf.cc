#include "common/fold/record_shelf.h"

#include <utility>

#include "common/wire_writer.h"

namespace remora {

void RecordShelf::Put(uint64_t seq, const std::string& key, StampedBytes bytes) {
  if (records_.contains(seq)) return;
  if (!key.empty()) {
    auto [it, inserted] = by_key_.try_emplace(key, seq);
    if (!inserted) {
      const uint64_t replaced = it->second;
      if (auto old = records_.find(replaced); old != records_.end()) {
        bytes_ -= old->second.bytes.cost();
        records_.erase(old);
      }
      it->second = seq;
    }
  }
  bytes_ += bytes.cost();
  records_.emplace(seq, Entry{key, std::move(bytes)});
  while (records_.size() > max_count_ || (bytes_ > max_bytes_ && records_.size() > 1)) {
    Remove(records_.begin());
  }
}

void RecordShelf::Remove(std::map<uint64_t, Entry>::iterator entry) {
  bytes_ -= entry->second.bytes.cost();
  if (!entry->second.key.empty()) by_key_.erase(entry->second.key);
  records_.erase(entry);
}

void RecordShelf::Drop(const std::string& key) {
  const auto it = by_key_.find(key);
  if (it != by_key_.end()) Remove(records_.find(it->second));
}

void RecordShelf::AppendTo(uint32_t field, std::string* out) const {
  for (const auto& [seq, entry] : records_) AppendBytesField(field, entry.bytes.view(), out);
}

}  // namespace remora
