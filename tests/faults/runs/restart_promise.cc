#include "tests/faults/runs/restart_promise.h"

#include "tests/faults/runs/run_state.h"

namespace remora::testing {

const char* PromiseName(RestartPromise promise) {
  switch (promise) {
    case RestartPromise::kNotJudged:
      return "not judged";
    case RestartPromise::kMet:
      return "met";
    case RestartPromise::kNotMet:
      return "not met";
  }
  return "";
}

RestartPromise JudgeRestarts(uint64_t asked, const std::vector<double>& restarts_ms) {
  if (restarts_ms.size() >= kJudgedRestarts) {
    return Quantile(restarts_ms, 0.99) <= kLongestRestartMs ? RestartPromise::kMet
                                                            : RestartPromise::kNotMet;
  }
  return asked >= kJudgingKills ? RestartPromise::kNotMet : RestartPromise::kNotJudged;
}

bool GoesOn(uint64_t asked, uint64_t kills, size_t timed_restarts) {
  if (kills < asked) return true;
  return asked >= kJudgingKills && timed_restarts < kJudgedRestarts && kills < 2 * asked;
}

}  // namespace remora::testing
