#pragma once

// What a long run has shown so far, as a JSON file: so that it can be stopped at any time and gone
// on with. Thread-compatible.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace remora::testing {

class RunState {
 public:
  // Begins anew where there is no file.
  static absl::StatusOr<RunState> Load(const std::string& path);
  // Replaces the file, whole or not at all.
  absl::Status Save() const;

  nlohmann::json& json() { return json_; }
  const nlohmann::json& json() const { return json_; }
  void Add(const std::string& counter, uint64_t count);
  uint64_t Count(const std::string& counter) const;
  // What was found wrong; makes the run fail.
  void AddFinding(const std::string& what);
  size_t findings() const;

 private:
  explicit RunState(std::string path) : path_(std::move(path)) {}
  std::string path_;
  nlohmann::json json_ = nlohmann::json::object();
};

// Of any order; 0 where there is none.
double Quantile(std::vector<double> values, double quantile);

}  // namespace remora::testing
