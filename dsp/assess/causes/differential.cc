#include "dsp/assess/causes/differential.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace remora::dsp {
namespace {

// A missing feature is worth telling when it would move its cause by so much.
constexpr double kTelling = 1.0;
constexpr double kStrongSum = 6.0;
constexpr double kSomeSum = 3.0;

double Largest(const std::vector<double>& weights) {
  double largest = 0;
  for (const double weight : weights) largest = std::max(largest, std::abs(weight));
  return largest;
}

RankedCause Weigh(const CauseModel& model, size_t cause, const std::vector<SeenFeature>& seen) {
  const Cause& row = model.causes[cause];
  RankedCause ranked;
  ranked.cause = cause;
  ranked.sum = row.prior;
  for (size_t feature = 0; feature < model.features.size(); ++feature) {
    if (!seen[feature].value) {
      if (Largest(row.weights[feature]) >= kTelling) ranked.missing.push_back(feature);
      continue;
    }
    const double weight = row.weights[feature][*seen[feature].value];
    if (weight == 0) continue;
    ranked.sum += weight;
    auto& list = weight > 0 ? ranked.evidence_for : ranked.evidence_against;
    list.push_back({feature, *seen[feature].value, weight});
  }
  const auto stronger = [](const CauseEvidence& a, const CauseEvidence& b) {
    return std::abs(a.log_likelihood) > std::abs(b.log_likelihood);
  };
  std::stable_sort(ranked.evidence_for.begin(), ranked.evidence_for.end(), stronger);
  std::stable_sort(ranked.evidence_against.begin(), ranked.evidence_against.end(), stronger);
  std::stable_sort(ranked.missing.begin(), ranked.missing.end(), [&](size_t a, size_t b) {
    return Largest(row.weights[a]) > Largest(row.weights[b]);
  });
  const double beyond = ranked.sum - row.prior;
  ranked.support = beyond >= kStrongSum ? Support::kStrong
                   : beyond >= kSomeSum ? Support::kSome
                                        : Support::kWeak;
  return ranked;
}

bool Holds(const KeptInFirstTwo& kept, const std::vector<SeenFeature>& seen) {
  return std::all_of(kept.when.begin(), kept.when.end(), [&](const KeptInFirstTwo::Seen& when) {
    const std::optional<size_t>& value = seen[when.feature].value;
    if (!value) return when.or_missing;
    return std::find(when.values.begin(), when.values.end(), *value) != when.values.end();
  });
}

// The first cause of the rule's group comes to the second place, if it stands behind it, and no
// other rule's stands there.
void Keep(const CauseModel& model, size_t rule, std::vector<RankedCause>* ranked) {
  const auto of_group = [&](const RankedCause& one) {
    return model.causes[one.cause].group == model.kept[rule].group;
  };
  const auto first = std::find_if(ranked->begin(), ranked->end(), of_group);
  if (first == ranked->end() || first - ranked->begin() < 2 || (*ranked)[1].kept_by) return;
  first->kept_by = rule;
  std::rotate(ranked->begin() + 1, first, first + 1);
}

std::optional<size_t> Separating(const CauseModel& model, const std::vector<SeenFeature>& seen,
                                 const std::vector<RankedCause>& ranked) {
  if (ranked.size() < 2) return std::nullopt;
  const Cause& first = model.causes[ranked[0].cause];
  const Cause& second = model.causes[ranked[1].cause];
  std::optional<size_t> best;
  double most = kTelling;
  for (size_t feature = 0; feature < model.features.size(); ++feature) {
    if (seen[feature].value || model.features[feature].test.empty()) continue;
    double apart = 0;
    for (size_t value = 0; value < model.features[feature].values.size(); ++value) {
      apart =
          std::max(apart, std::abs(first.weights[feature][value] - second.weights[feature][value]));
    }
    if (apart <= most) continue;
    most = apart;
    best = feature;
  }
  return best;
}

}  // namespace

Differential RankCauses(const CauseModel& model, const std::vector<SeenFeature>& seen) {
  Differential differential;
  for (size_t cause = 0; cause < model.causes.size(); ++cause) {
    RankedCause ranked = Weigh(model, cause, seen);
    if (!ranked.evidence_for.empty()) differential.ranked.push_back(std::move(ranked));
  }
  std::stable_sort(differential.ranked.begin(), differential.ranked.end(),
                   [](const RankedCause& a, const RankedCause& b) { return a.sum > b.sum; });
  for (size_t rule = 0; rule < model.kept.size(); ++rule) {
    if (Holds(model.kept[rule], seen)) Keep(model, rule, &differential.ranked);
  }
  differential.separating_feature = Separating(model, seen, differential.ranked);
  return differential;
}

}  // namespace remora::dsp
