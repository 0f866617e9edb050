#include "tests/faults/runs/run_state.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace remora::testing {
namespace {

constexpr size_t kMaxFindings = 100;
constexpr size_t kMaxFindingBytes = 4'000;

}  // namespace

absl::StatusOr<RunState> RunState::Load(const std::string& path) {
  RunState state(path);
  if (!std::filesystem::exists(path)) return state;
  std::ifstream file(path);
  state.json_ = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!state.json_.is_object()) {
    return absl::DataLossError(absl::StrCat(path, " is no run's state: move it away"));
  }
  return state;
}

absl::Status RunState::Save() const {
  const std::string next = path_ + ".next";
  std::ofstream file(next);
  file << json_.dump(1) << "\n";
  file.close();
  std::error_code error;
  if (file.good()) std::filesystem::rename(next, path_, error);
  if (file.good() && !error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", path_));
}

void RunState::Add(const std::string& counter, uint64_t count) {
  json_[counter] = Count(counter) + count;
}

uint64_t RunState::Count(const std::string& counter) const {
  return json_.value(counter, uint64_t{0});
}

void RunState::AddFinding(const std::string& what) {
  std::cerr << "finding: " << what << "\n";
  nlohmann::json& findings = json_["findings"];
  if (findings.size() < kMaxFindings) findings.push_back(what.substr(0, kMaxFindingBytes));
  Add("finding_count", 1);
}

size_t RunState::findings() const { return Count("finding_count"); }

double Quantile(std::vector<double> values, double quantile) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(values.size())));
  return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

}  // namespace remora::testing
