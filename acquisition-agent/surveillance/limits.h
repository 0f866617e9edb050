// Limits of the surveillance, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace remora::agent {

// A site that is stimulated on and on, and answers alike, is told at most this often.
inline constexpr int64_t kSiteAgainNs = 1'000'000'000;

// Finished averages a trace that a person may still name for a baseline: 40 minutes at 200 sweeps
// of 4.7 Hz.
inline constexpr size_t kMaxRememberedAverages = 64;
// Two averages are of one trial when their stimuli share this part of the shorter one's time.
inline constexpr double kSameTrialShare = 0.5;
// From a further wave to the opposite extreme that its amplitude goes to, at most: of the latency
// of the last component. Wave V to its trough, N20 to P25, P100 to N145 lie within.
inline constexpr double kLongestFallShare = 0.45;
// Samples of the trace that an alert carries with it.
inline constexpr size_t kMaxEvidenceSamples = 512;
// Muscles of one limb in its alert, and the samples of all but the worst: together under a third of
// a record.
inline constexpr size_t kMaxAlertTraces = 8;
inline constexpr size_t kMaxOtherTraceSamples = 160;
// Around a pair of components, in ms: where odd and even halves are compared.
inline constexpr double kGateMarginMs = 2.0;
// An average of fewer of its sweeps than this share judges nothing.
inline constexpr double kMinAcceptedShare = 0.25;
// Chunks (of 100 ms) that an electrode is looked back on; how many bad ones raise, how many good
// ones in a row recover.
inline constexpr int kElectrodeChunks = 10;
inline constexpr int kElectrodeBadChunks = 8;
inline constexpr int kElectrodeGoodChunks = 20;
// Share of a chunk's samples at the limit that makes it a bad one.
inline constexpr double kClippedShare = 0.2;
// A muscle of which so much time in a row could not be judged is told: diathermy is rarely longer.
inline constexpr double kMaxUnassessedMs = 10'000;
// A baseline is made of averages whose latencies lie within this share of their mean's: a third of
// what a latency criterion alarms at.
inline constexpr double kSameLatencyShare = 0.03;
// In a risk stage a response is awaited again after these (docs/freshness.md).
inline constexpr int64_t kSepDueNs = int64_t{3} * 60'000'000'000;
inline constexpr int64_t kMepDueNs = int64_t{10} * 60'000'000'000;
// Steps of a search told in its record, newest first to go in: what a record takes.
inline constexpr size_t kMaxStepsTold = 32;
// Places whose thresholds make the patient's own mean: forty screws, each tried again.
inline constexpr size_t kMaxOwnThresholds = 200;
// The larynx. Good stimuli of a continuous baseline (NIM Nervassure: at least 20 at 1 Hz, repeated
// until it is robust), and responses of an intermittent one that are kept.
inline constexpr size_t kLaryngealBaselineStimuli = 20;
// A first response over this is satisfactory, and one of this and more optimal; one under the last
// is none to the definition of a loss (INMSG, Randolph et al. 2011; Schneider et al. 2018).
inline constexpr double kSatisfactoryLaryngealUv = 200;
inline constexpr double kOptimalLaryngealUv = 500;
inline constexpr double kLostLaryngealUv = 100;
// How far the middle half of a baseline's amplitudes and latencies may span, of their median.
inline constexpr double kMaxBaselineAmplitudeSpread = 0.3;
inline constexpr double kMaxBaselineLatencySpread = 0.1;
// State of a single response against its baseline; in code until the criteria file can say it. No
// alert hangs on them (docs/modalities.md). Red is the combined event, both at once: 50 % and 10 %
// (INMSG, Schneider et al. 2018; Phelan et al. 2014; clinical.md 1.6).
inline constexpr double kLaryngealRedFallPercent = 50;
inline constexpr double kLaryngealRedRisePercent = 10;
// Amber, either of these: the combined event as it develops. Custom, from no paper (clinical.md
// appendix B, RLN.combined).
inline constexpr double kLaryngealAmberFallPercent = 30;
inline constexpr double kLaryngealAmberRisePercent = 5;
// A stimulus that muscles answer is there a sample before its time: its artefact.
inline constexpr int64_t kEvokedBeforeNs = 1'000'000;
// Muscles answer a pulse on the skull or the cortex within this, where no entry says it: the window
// of a transcranial response.
inline constexpr double kBrainPulseAnswerMs = 120;
// Values and electrodes in one record: as many as it takes.
inline constexpr size_t kMaxVitalsTold = 12;
inline constexpr size_t kMaxImpedancesTold = 400;
// Averaged stimuli are left out around single ones at most so long: a train-of-four takes 1.5 s and
// what a stimulator needs before and behind it, a threshold some trains more.
inline constexpr int64_t kMaxBusyNs = 10'000'000'000;
// Names of traces listed in one technical alert.
inline constexpr size_t kMaxNamedTraces = 6;

static_assert(kLostLaryngealUv < kSatisfactoryLaryngealUv &&
                  kSatisfactoryLaryngealUv < kOptimalLaryngealUv,
              "lost, satisfactory, optimal");
static_assert(kElectrodeBadChunks <= kElectrodeChunks, "so many chunks must be looked at");

}  // namespace remora::agent
