#pragma once

// A first-in first-out queue that is bounded by count and by bytes, and says what it lost. Whoever
// makes one names its limits in the module's limits.h and shows `drops()` as a metric.
// Thread-compatible; owns its elements.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "common/check.h"

namespace remora {

enum class WhenFull {
  kDropOldest,  // the newest matters: live waveforms
  kRefuse,      // nothing that is in may be lost: the caller keeps the new one and tries later
};

template <typename T>
class BoundedQueue {
 public:
  struct Limits {
    size_t count = 0;
    size_t bytes = 0;
  };
  // What never came out of the queue: dropped from it or refused at its door.
  struct Drops {
    uint64_t count = 0;
    uint64_t bytes = 0;
  };

  BoundedQueue(Limits limits, WhenFull when_full) : limits_(limits), when_full_(when_full) {
    REMORA_CHECK(limits.count > 0 && limits.bytes > 0, "a queue holds at least one element");
  }

  // False: refused (full, or larger than the whole queue); `element` is gone and counted.
  bool Push(T element, size_t bytes) {
    return Push(std::move(element), bytes, [](T&&) {});
  }
  // Calls `on_drop` with each element that makes room, oldest first.
  template <typename OnDrop>
  bool Push(T element, size_t bytes, OnDrop on_drop) {
    const bool never_fits = bytes > limits_.bytes;
    if (never_fits || (when_full_ == WhenFull::kRefuse && !Fits(bytes))) {
      CountDrop(bytes);
      return false;
    }
    while (!Fits(bytes)) {
      Entry oldest = TakeFront();
      CountDrop(oldest.bytes);
      on_drop(std::move(oldest.element));
    }
    bytes_ += bytes;
    entries_.push_back(Entry{std::move(element), bytes});
    return true;
  }

  std::optional<T> Pop() {
    if (entries_.empty()) return std::nullopt;
    return std::move(TakeFront().element);
  }

  // Null when empty.
  const T* Front() const { return entries_.empty() ? nullptr : &entries_.front().element; }
  bool empty() const { return entries_.empty(); }
  size_t count() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }
  const Drops& drops() const { return drops_; }
  void Clear() {
    entries_.clear();
    bytes_ = 0;
  }

 private:
  struct Entry {
    T element;
    size_t bytes;
  };

  bool Fits(size_t bytes) const {
    return entries_.size() < limits_.count && bytes <= limits_.bytes - bytes_;
  }
  Entry TakeFront() {
    Entry front = std::move(entries_.front());
    entries_.pop_front();
    bytes_ -= front.bytes;
    return front;
  }
  void CountDrop(size_t bytes) {
    ++drops_.count;
    drops_.bytes += bytes;
  }

  const Limits limits_;
  const WhenFull when_full_;
  std::deque<Entry> entries_;
  size_t bytes_ = 0;
  Drops drops_;
};

}  // namespace remora
