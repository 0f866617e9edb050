#pragma once

// Stamped records that a case's state shows, in `seq` order, bounded in count and bytes: when full,
// the oldest leaves. A record with a key replaces the one before with the same key. What is on a
// shelf depends on what was put there alone, so that it can be rebuilt from a checkpoint.
// Thread-compatible value.

#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/shared_bytes.h"

namespace remora {

// One stamped record's bytes, shared with whoever else holds its frame.
struct StampedBytes {
  SharedBytes frame;
  size_t header_bytes = 0;
  absl::string_view view() const { return frame.view().substr(header_bytes); }
  // As a field of a message: its tag and length are at most 8 bytes.
  size_t cost() const { return view().size() + 8; }
};

class RecordShelf {
 public:
  RecordShelf(size_t max_count, size_t max_bytes) : max_count_(max_count), max_bytes_(max_bytes) {}

  // `key` empty: replaces nothing. A `seq` that is there already is ignored.
  void Put(uint64_t seq, const std::string& key, StampedBytes bytes);
  // Writes each record as field `field`, in `seq` order.
  void AppendTo(uint32_t field, std::string* out) const;
  // Takes off what is there under this key.
  void Drop(const std::string& key);
  bool HasKey(const std::string& key) const { return by_key_.contains(key); }
  size_t size() const { return records_.size(); }
  size_t bytes() const { return bytes_; }

  struct Entry {
    std::string key;
    StampedBytes bytes;
  };
  const std::map<uint64_t, Entry>& records() const { return records_; }

 private:
  void Remove(std::map<uint64_t, Entry>::iterator entry);

  size_t max_count_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  std::map<uint64_t, Entry> records_;
  absl::flat_hash_map<std::string, uint64_t> by_key_;
};

}  // namespace remora
