// Limits and times of the pipelines, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/limits.h"

namespace remora::agent {

// All pipelines work in chunks of this length: five periods of 50 Hz mains, so that hum can be
// measured; a block of EMG that is seen and heard without a delay that disturbs.
inline constexpr double kChunkMs = 100.0;
// A source whose samples drift against its time is followed from this part of a sample on: rounding
// is far less, and what is measured to a microsecond far more.
inline constexpr double kLeastDriftSamples = 0.01;
// Marks of raw samples are kept so long: the longest epoch, the look-ahead of a zero-phase filter,
// and some room.
inline constexpr int64_t kMarkMemoryNs = 12'000'000'000;
// Triggers that wait for their samples, over all stimuli: 50 a second for a minute of a source that
// stands still.
inline constexpr size_t kMaxWaitingTriggers = 3000;
// Pulses of one train that are blanked: transcranial trains have up to 9.
inline constexpr int kMaxPulsesOfTrain = 20;
// A stimulation is taken to last at most so long, whatever an annotation says: on the cortex it is
// 1 to 5 s.
inline constexpr int64_t kLongestStimulationNs = 60'000'000'000;
// From pulse to pulse of a train: the longest of those in use (250 to 500 Hz). What follows by less
// than the other is one pulse told twice.
inline constexpr double kLongestPulseIntervalMs = 4;
inline constexpr int64_t kLeastPulseIntervalNs = 500'000;
// Of the window in which a response is looked for, what a train has to leave of it.
inline constexpr double kLeastSearchShare = 0.5;
// Places whose threshold is looked for in a case: forty screws, and what is typed wrongly.
inline constexpr size_t kMaxSites = 500;
// Stimuli at a place after so long a pause begin a new search: within one, steps follow within
// seconds.
inline constexpr int64_t kNewSearchAfterNs = 120'000'000'000;
// Fourth over first twitch from which a muscle counts as unblocked (Fuchs-Buder et al. 2007): only
// such a train can be the control of T1.
inline constexpr double kLeastControlRatio = 0.9;
// A train-of-four is over when no stimulus came for so long.
inline constexpr int64_t kTrainIsOverNs = 1'500'000'000;
// Chunks that wait for the samples of a trigger channel wait at most so long: the longest data
// record that a recorder writes, and some room. What is told later is too late.
inline constexpr int64_t kMaxHeldNs = 30'000'000'000;
// Stimuli that have not come so long after the start are told as missing: a technologist who begins
// needs a moment.
inline constexpr int64_t kNoStimuliYetNs = 10'000'000'000;
// An average whose setting changes, or whose stimuli pause, is finished with this share of its
// sweeps, and left out with fewer: the share that a judgement needs.
inline constexpr double kMinCutShare = 0.25;
// Like for like within one average, as between averages (dsp/assess): of the current, of the rate.
inline constexpr double kSameCurrentShare = 0.05;
inline constexpr double kSameRateShare = 0.02;
// An average is marked as full of mains when more than this share of its chunks was.
inline constexpr double kMarkedMainsShare = 0.5;
// An average that has been offered this many times its sweeps ends, with what it has: a trace that
// is rejected half of the time must still be told.
inline constexpr uint32_t kMaxOfferedFactor = 2;
// A provisional average of fewer sweeps than this shows noise.
inline constexpr uint32_t kMinProvisionalSweeps = 5;
// Accepted sweeps from one look at whether an average is decided to the next: 2 s at 4.7 Hz.
inline constexpr uint32_t kDecisionSweeps = 10;
// More sweeps than this are not told as needed: averaging does not lead there.
inline constexpr uint32_t kMostSweepsAsked = 10'000;
// Before there is a baseline a component is looked for this far around where it usually lies, of
// its latency: the tallest adult and the coldest limb lie within.
inline constexpr double kExpectedShare = 0.15;
// A cause of rejection is marked on the average when it took more than this share of the sweeps.
inline constexpr double kMarkedRejectionShare = 0.1;
// Spikes told a second and trace: lane 2 is for measurements. A detector parts at most seven, but a
// source with gaps in it cuts more.
inline constexpr int kMaxSpikesPerSecond = 10;
// An after-discharge that goes on is told anew so often.
inline constexpr int64_t kDischargeToldNs = 1'000'000'000;
// The smallest step that is worth sending, in microvolts: a tenth of what a good average leaves as
// noise.
inline constexpr double kSmallestStepUv = 0.01;
inline constexpr double kSmallestEmgStepUv = 0.1;
// Counts stay within 16 bits.
inline constexpr double kLargestCount = 32'000;
// Room for the fields around the samples in a record.
inline constexpr size_t kRecordHeaderRoomBytes = 400;
// Samples of an average in a record, at most: finer than a screen has pixels, and three of them fit
// in 8 KiB.
inline constexpr size_t kMaxSweepSamples = 1400;

static_assert(kRecordHeaderRoomBytes < kMaxBlockBytes, "a block has room for samples");

}  // namespace remora::agent
