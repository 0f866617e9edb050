#include "dsp/assess/causes/cause_model.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::Status CheckFeature(const CauseFeature& feature) {
  if (feature.values.size() < 2) return Wrong(feature.key, "a feature has two values or more");
  std::set<std::string> keys;
  for (const CauseFeature::Value& value : feature.values) {
    if (value.key.empty() || value.words.empty()) {
      return Wrong(feature.key, "a value needs a key and words");
    }
    if (!keys.insert(value.key).second) {
      return Wrong(feature.key, absl::StrCat("the value ", value.key, " is there twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCause(const CauseModel& model, const Cause& cause) {
  if (cause.name.empty() || cause.source.empty()) {
    return Wrong(cause.key, "a cause needs a name and a source");
  }
  if (!std::isfinite(cause.prior) || std::abs(cause.prior) > kMostLogLikelihood) {
    return Wrong(cause.key, "prior: -6 to 6");
  }
  if (cause.weights.size() != model.features.size()) {
    return Wrong(cause.key, "weights of each feature");
  }
  bool any = false;
  for (size_t feature = 0; feature < model.features.size(); ++feature) {
    if (cause.weights[feature].size() != model.features[feature].values.size()) {
      return Wrong(cause.key, absl::StrCat("weights of ", model.features[feature].key));
    }
    for (const double weight : cause.weights[feature]) {
      if (!std::isfinite(weight) || std::abs(weight) > kMostLogLikelihood) {
        return Wrong(cause.key,
                     absl::StrCat(model.features[feature].key, ": a log-likelihood is -6 to 6"));
      }
      any = any || weight > 0;
    }
  }
  return any ? absl::OkStatus() : Wrong(cause.key, "nothing speaks for it");
}

absl::Status CheckKept(const CauseModel& model, const KeptInFirstTwo& kept) {
  if (kept.when.empty()) return Wrong("kept_in_first_two", "needs what is seen");
  for (const KeptInFirstTwo::Seen& seen : kept.when) {
    if (seen.feature >= model.features.size() || seen.values.empty()) {
      return Wrong("kept_in_first_two", "needs a feature with values");
    }
    for (const size_t value : seen.values) {
      if (value >= model.features[seen.feature].values.size()) {
        return Wrong("kept_in_first_two", "there is no such value");
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

size_t CauseFeature::ValueAt(absl::string_view value_key) const {
  size_t at = 0;
  while (at < values.size() && values[at].key != value_key) ++at;
  return at;
}

size_t CauseModel::FeatureAt(absl::string_view key) const {
  size_t at = 0;
  while (at < features.size() && features[at].key != key) ++at;
  return at;
}

size_t CauseModel::CauseAt(absl::string_view key) const {
  size_t at = 0;
  while (at < causes.size() && causes[at].key != key) ++at;
  return at;
}

absl::Status ValidateCauseModel(const CauseModel& model) {
  if (model.version.empty()) return Wrong("version", "is missing");
  if (model.causes.size() < 2) return Wrong("cause", "two causes or more");
  std::set<std::string> keys;
  for (const CauseFeature& feature : model.features) {
    if (absl::Status status = CheckFeature(feature); !status.ok()) return status;
    if (!keys.insert(feature.key).second) return Wrong(feature.key, "is there twice");
  }
  keys.clear();
  for (const Cause& cause : model.causes) {
    if (absl::Status status = CheckCause(model, cause); !status.ok()) return status;
    if (!keys.insert(cause.key).second) return Wrong(cause.key, "is there twice");
  }
  for (const KeptInFirstTwo& kept : model.kept) {
    if (absl::Status status = CheckKept(model, kept); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace remora::dsp
