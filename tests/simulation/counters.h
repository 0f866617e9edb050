#pragma once

// What happened in a run, by name: faults that hit, checks that were made. Thread-compatible value.

#include <cstdint>
#include <map>
#include <string>

namespace remora::simulation {

class Counters {
 public:
  void Count(const char* name, uint64_t by = 1) { counts_[name] += by; }
  void Add(const std::string& name, uint64_t by) { counts_[name] += by; }
  void Add(const Counters& other) {
    for (const auto& [name, count] : other.counts_) counts_[name] += count;
  }
  uint64_t operator[](const std::string& name) const {
    const auto it = counts_.find(name);
    return it == counts_.end() ? 0 : it->second;
  }
  const std::map<std::string, uint64_t>& counts() const { return counts_; }

 private:
  std::map<std::string, uint64_t> counts_;
};

}  // namespace remora::simulation
