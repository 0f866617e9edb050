#pragma once

// The two halves of ValidateBody (record_codec.h), one for each kind of lane. Thread-safe
// functions; private to remora_record.

#include <cstdint>
#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/record_codec.h"

namespace remora {

// Limits of values that only validation knows.
inline constexpr double kMaxSampleRateHz = 200'000;  // above any amplifier; EMG takes 2.5 kHz
inline constexpr int kMaxRepeatedEntries = 512;      // montage rows, baselines' sweeps, lane heads
inline constexpr int kMaxMarks = 64;                 // peaks of one trace: BAEP has seven
inline constexpr int kMaxQualityFlags = 32;          // more than there are
inline constexpr uint32_t kMaxReducedSamples = 512;  // an alert's own trace
inline constexpr uint32_t kMaxFilterOrder = 12;
inline constexpr int kMaxVitals = 12;  // of one moment: as many as there are kinds, and one
inline constexpr double kMaxBispectralIndex = 100;
inline constexpr double kMaxTwitchRatio = 2;   // beyond it the first twitch was not one
inline constexpr int kMaxThresholdSteps = 32;  // of a search: beyond, the oldest say nothing
inline constexpr double kSuppressionWindowS = 60;
inline constexpr int kMaxRankedCauses = 3;      // more is a list that nobody reads beside an alarm
inline constexpr size_t kDigestBytes = 32;      // SHA-256
inline constexpr int kMaxIntervalsOfTrace = 4;  // of one trace: BAEP has three
inline constexpr int kMaxNesting = 8;           // messages in messages; today's deepest is 4

// One condition of a body, and what to say when it does not hold.
struct BodyRule {
  bool holds;
  const char* text;
};

inline absl::Status CheckAll(std::initializer_list<BodyRule> rules) {
  for (const BodyRule& rule : rules) {
    if (!rule.holds) return absl::InvalidArgumentError(rule.text);
  }
  return absl::OkStatus();
}

// Lanes 0-2, parsed: values that every kind shares (finite numbers, known enums, text lengths,
// counts, references, packed samples), then what the kind requires.
absl::Status ValidateControl(uint32_t kind, const v1::Record& record);
// What a kind requires beyond that. OK for a kind that this version does not know.
absl::Status CheckRequired(uint32_t kind, const v1::Record& record);
// The part of it for lane 2.
absl::Status CheckMeasured(uint32_t kind, const v1::Record& record);

// Lanes 3-5: walks the body without parsing it. OK for a kind that this version does not know.
absl::Status ValidateBulk(uint32_t kind, absl::string_view body);

}  // namespace remora
