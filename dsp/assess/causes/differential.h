// The cause differential: which causes explain a change, each with what speaks for it, against it,
// and what is missing; and the one observation that would tell the first two apart.
//
// Additive: each feature that is known adds its log-likelihood to each cause. Nothing is decided: a
// person picks. It is never told without its evidence, and no priority hangs on it.
//
//   features with values --> sum per cause --> order --> first three
//                                 '--> a surgical cause that must not be explained away comes to
//                                      the first two (KeptInFirstTwo)
//
// Support is weak, some or strong by how far the sum is beyond what the cause has by its prior, and
// is not a probability: causes coexist, and the weights are judgement.
//
// Pure functions. Source of the rows: S0:82-84 and the table in docs/differential.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dsp/assess/causes/cause_model.h"

namespace remora::dsp {

// The value of each feature of a model, in its order; nothing: missing. Of a known one, what it was
// seen on ("PF left -82 %"), in words.
struct SeenFeature {
  std::optional<size_t> value;
  std::string seen_on;
  // Missing: why ("TOF is overdue: 22 min"); empty: it was never recorded.
  std::string why_missing;
};

enum class Support : std::uint8_t { kWeak, kSome, kStrong };

struct CauseEvidence {
  size_t feature = 0;
  size_t value = 0;
  double log_likelihood = 0;
};

struct RankedCause {
  size_t cause = 0;
  double sum = 0;
  Support support = Support::kWeak;
  std::vector<CauseEvidence> evidence_for;      // strongest first
  std::vector<CauseEvidence> evidence_against;  // strongest first
  // Features whose value would say much of this cause, and is not known. Most telling first.
  std::vector<size_t> missing;
  // It is where it is by this rule of the model, not by its sum.
  std::optional<size_t> kept_by;
};

struct Differential {
  std::vector<RankedCause> ranked;  // every cause with evidence for it, first one first
  // Of the first two: the feature that would tell them apart best; nothing: none with a test.
  std::optional<size_t> separating_feature;
};

// `seen` has an entry for each feature. Empty where nothing speaks for anything.
Differential RankCauses(const CauseModel& model, const std::vector<SeenFeature>& seen);

}  // namespace remora::dsp
