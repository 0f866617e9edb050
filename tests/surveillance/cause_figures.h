// How well causes are told apart: the confusion matrix of docs/surveillance-performance.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dsp/assess/causes/cause_model.h"
#include "dsp/assess/causes/differential.h"
#include "tests/surveillance/simulated_change.h"

namespace remora::surveillance {

struct CauseFigures {
  std::vector<std::string> causes;  // simulated ones, in order
  int seeds = 0;
  // Of each simulated cause, how often each cause of the model came first.
  std::vector<std::vector<int>> first;
  std::vector<int> right_first;
  std::vector<int> right_in_two;
};

CauseFigures MeasureCauses(const dsp::CauseModel& model, int seeds, std::uint64_t seed);

// Injuries with something beside them that could explain them away.
struct BesideFigures {
  int runs = 0;
  int surgical_in_two = 0;
  std::vector<std::string> missed;  // "cord, hypotension, seed 17"
};
BesideFigures MeasureBeside(const dsp::CauseModel& model, int runs, std::uint64_t seed);

// Whether a cause of the group is among the first `places`.
bool IsAmongFirst(const dsp::CauseModel& model, const dsp::Differential& differential,
                  dsp::CauseGroup group, size_t places);

std::string TableOf(const dsp::CauseModel& model, const CauseFigures& figures);

}  // namespace remora::surveillance
