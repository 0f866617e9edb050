#pragma once

// Whether the hub is back as fast as is promised: of 100 timed restarts, 99 show a reader a live
// sweep within 2 s. Pure functions, thread-safe.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace remora::testing {

// A run of so many kills is asked to judge it.
inline constexpr uint64_t kJudgingKills = 1'000;
// Fewer say nothing of one in a hundred.
inline constexpr size_t kJudgedRestarts = 100;
inline constexpr double kLongestRestartMs = 2'000;

enum class RestartPromise { kNotJudged, kMet, kNotMet };

// "not judged", "met" or "not met".
const char* PromiseName(RestartPromise promise);

// Of a run of `asked` kills. A long one with too few restarts has not met it.
RestartPromise JudgeRestarts(uint64_t asked, const std::vector<double>& restarts_ms);

// Whether a run of `asked` kills goes on: a long one until enough restarts were timed, and for no
// more than twice as many kills.
bool GoesOn(uint64_t asked, uint64_t kills, size_t timed_restarts);

}  // namespace remora::testing
