#pragma once

// Optional features of the session protocol: what both ends know is agreed on at hello. Pure
// functions.

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"

namespace remora::hub {

// What this hub knows: none yet.
inline constexpr std::array<absl::string_view, 0> kHubFeatures{};

// Those of `known` that were asked for, each once, in the order of `known`.
template <typename Strings>
std::vector<absl::string_view> CommonFeatures(const Strings& asked,
                                              std::span<const absl::string_view> known) {
  std::vector<absl::string_view> common;
  for (const absl::string_view feature : known) {
    if (std::find(asked.begin(), asked.end(), feature) != asked.end()) common.push_back(feature);
  }
  return common;
}

}  // namespace remora::hub
