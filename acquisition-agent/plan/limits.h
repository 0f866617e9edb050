// Limits of what people write in plan, montage and criteria, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/limits.h"

namespace remora::agent {

// A file that a person writes: a criteria pack has some hundred rows.
inline constexpr uint64_t kMaxPlanFileBytes = 1024 * 1024;
// Traces of a case: more than an amplifier has channels to make them of.
inline constexpr int kMaxTraces = 128;
// So that a trace's id, modality and side before it, is a name of the contract.
inline constexpr size_t kMaxDerivationNameBytes = 64;
// So that a pair ("N20-P25") is a name.
inline constexpr size_t kMaxComponentLabelBytes = kMaxNameBytes / 2 - 1;
// So that "stimulus/" and the prefix, the subject of the alert about it, are a name.
inline constexpr size_t kMaxLabelPrefixBytes = kMaxNameBytes - 9;
// For people; shown in one line.
inline constexpr size_t kMaxProcedureBytes = 200;
// Electrodes of one derivation.
inline constexpr int kMaxInputs = 64;
// Beyond what any stimulator gives (transcranial: 1.5 A; 1 ms).
inline constexpr double kMaxStimulusMa = 5000;
inline constexpr double kMaxPulseUs = 100'000;
// At or above it a channel that counts pulses is on; as sources find their stimuli themselves.
inline constexpr double kDigitalTriggerThreshold = 0.5;
// Stimuli named in one message.
inline constexpr size_t kMaxNamedStimuli = 12;

}  // namespace remora::agent
