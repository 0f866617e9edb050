// The table that the cause differential adds up: causes, features, and what each value of a feature
// says of each cause. Plain data; read from a file by who has one (acquisition-agent/reasoning),
// and checked here.
//
// Immutable once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace remora::dsp {

enum class CauseGroup : std::uint8_t { kTechnical, kSystemic, kPosition, kSurgical };

inline constexpr double kMostLogLikelihood = 6;

struct CauseFeature {
  std::string key;   // "peripheral"
  std::string name;  // "peripheral control"
  struct Value {
    std::string key;    // "lost"
    std::string words;  // "the peripheral control is lost as well"
  };
  std::vector<Value> values;
  std::string test;  // an observation that would make it known; "": none

  // Nothing for an unknown one: values.size().
  size_t ValueAt(absl::string_view value_key) const;
};

struct Cause {
  std::string key;
  std::string name;
  CauseGroup group = CauseGroup::kTechnical;
  std::string source;
  double prior = 0;
  // By feature, then by value: log-likelihoods.
  std::vector<std::vector<double>> weights;
};

struct KeptInFirstTwo {
  struct Seen {
    size_t feature = 0;
    std::vector<size_t> values;
    bool or_missing = false;  // a control that is dead is not one that is well
  };
  CauseGroup group = CauseGroup::kSurgical;
  std::vector<Seen> when;
  std::string reason;
};

struct CauseModel {
  std::string name;
  std::string version;
  std::vector<CauseFeature> features;
  std::vector<Cause> causes;
  std::vector<KeptInFirstTwo> kept;

  // Nothing for an unknown one: features.size(), causes.size().
  size_t FeatureAt(absl::string_view key) const;
  size_t CauseAt(absl::string_view key) const;
};

// kInvalidArgument: names what is wrong: no cause, weights of another shape, a number that is not
// finite or beyond kMostLogLikelihood, a key twice, a rule about nothing.
absl::Status ValidateCauseModel(const CauseModel& model);

}  // namespace remora::dsp
