#pragma once

// Who is there, by pointer, in the order of arrival. A set that is ordered by address would serve
// people in another order at each run: no replay of a seed would be the same run.
// Thread-compatible value.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace remora::hub {

template <typename T>
class ArrivalSet {
 public:
  // False: it is there already, and keeps its place.
  bool Insert(T* member) {
    if (!members_.insert(member).second) return false;
    order_.push_back(member);
    return true;
  }
  bool Erase(T* member) {
    if (members_.erase(member) == 0) return false;
    order_.erase(std::find(order_.begin(), order_.end(), member));
    return true;
  }
  bool Contains(const T* member) const { return members_.contains(member); }
  bool empty() const { return order_.empty(); }
  size_t size() const { return order_.size(); }
  // Copy it before calling those who may come and go meanwhile.
  const std::vector<T*>& in_order() const { return order_; }
  // Empties it.
  std::vector<T*> Take() {
    members_.clear();
    return std::exchange(order_, {});
  }

 private:
  absl::flat_hash_set<const T*> members_;
  std::vector<T*> order_;
};

}  // namespace remora::hub
