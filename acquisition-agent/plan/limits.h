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
// Components of one trace that are marked: ABR has seven waves.
inline constexpr int kMaxComponents = 12;
// As many intervals as the record of a measurement holds.
inline constexpr int kMaxIntervalsOfTrace = 4;
// Muscles that one stimulus is looked for in: an amplifier's channels.
inline constexpr int kMaxMuscles = 64;
// Trials of a muscle's baseline: three are the least that have a middle, and more than a score is
// no beginning.
inline constexpr uint32_t kLeastBaselineTrials = 3;
inline constexpr uint32_t kMostBaselineTrials = 20;
// Contacts of a strip, as dsp/mapping takes them; a grid has as many.
inline constexpr int kMaxStripContacts = 64;
// Before a stimulus, to tell noise from a response.
inline constexpr double kLeastNoiseMs = 5;
// Fewer sweeps do not tell what their noise is.
inline constexpr uint32_t kMinSequentialSweeps = 20;
// A train-of-four's epochs: from one of its stimuli to well before the next, 500 ms later; what
// its stimulus leaves in the muscle's channel is over by then.
inline constexpr double kTwitchEpochMs = 100;
inline constexpr double kTwitchBlankMs = 2;
// Electrodes of one derivation.
inline constexpr int kMaxInputs = 64;
// Beyond what any stimulator gives (transcranial: 1.5 A; 1 ms).
inline constexpr double kMaxStimulusMa = 5000;
inline constexpr double kMaxPulseUs = 100'000;
// And of a transcranial stimulator that holds the voltage, and of its trains.
inline constexpr double kMaxStimulusV = 2000;
inline constexpr double kMaxPulses = 20;
inline constexpr double kMaxPulseIntervalMs = 1000;
// At or above it a channel that counts pulses is on; as sources find their stimuli themselves.
inline constexpr double kDigitalTriggerThreshold = 0.5;
// Stimuli named in one message.
inline constexpr size_t kMaxNamedStimuli = 12;

}  // namespace remora::agent
