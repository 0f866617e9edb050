#pragma once

// Limits of a case's folded state, each with its reason. Together they stay under one message
// (kMaxMessageBytes), with room for the newest record of each trace.

#include <cstddef>
#include <cstdint>

#include "common/limits.h"

namespace remora {

// An alert with two reduced traces is 2-3 KiB; a bad day has some dozens.
inline constexpr size_t kMaxAlerts = 512;
inline constexpr size_t kMaxAlertBytes = 768 * 1024;
inline constexpr size_t kMaxActionsOfAlert = 32;
// 32 actions with a short reason each; one of the longest always stays.
inline constexpr size_t kMaxActionBytesOfAlert = 16 * 1024;
// Eight hours of talk at one message a minute.
inline constexpr size_t kMaxMessages = 500;
inline constexpr size_t kMaxChatBytes = 248 * 1024;
inline constexpr size_t kMaxReceipts = 2'000;
inline constexpr size_t kMaxReceiptBytes = 192 * 1024;
// Some baselines a trace, 8 KiB each at most.
inline constexpr size_t kMaxBaselines = 200;
inline constexpr size_t kMaxBaselineBytes = 384 * 1024;
inline constexpr size_t kMaxAnnotations = 500;
inline constexpr size_t kMaxAnnotationBytes = 192 * 1024;
// Phases, life-cycle steps, gaps, EMG activities, link states: what a screen lists.
inline constexpr size_t kMaxListed = 200;
inline constexpr size_t kMaxListedBytes = 64 * 1024;
// Of each publisher its last total, some 130 bytes: as many publishers as are listed.
inline constexpr size_t kMaxTotalsBytes = 32 * 1024;
inline constexpr size_t kMaxTimers = 256;
// Outages, and times without a journal: what a link that comes and goes each minute makes in 3 h.
inline constexpr size_t kMaxIntervals = 200;
inline constexpr size_t kMaxIntervalBytes = 24 * 1024;
// Outages that ask for no review: the newest, so that a person can see that there were some.
inline constexpr size_t kMaxBlinks = 50;
inline constexpr size_t kMaxBlinkBytes = 8 * 1024;
// An outage that is shorter was stale only, and nothing is to be looked through
// (docs/freshness.md).
inline constexpr double kReviewedOutageMs = 10'000;
// What the newest of each screen showed: a dozen screens of 64 traces.
inline constexpr size_t kMaxViewBytes = 64 * 1024;
inline constexpr size_t kMaxParticipants = 128;
// A trend a trace and component: 8 h at one average in 43 s are 670 points of 40 bytes.
inline constexpr size_t kMaxTrends = 200;
inline constexpr size_t kMaxTrendPoints = 2'000;
inline constexpr size_t kMaxTrendPointsOfCase = 16'000;
inline constexpr size_t kMinTrendPoints = kMaxTrendPointsOfCase / kMaxTrends;
// The wall's sparkline: one point a minute.
inline constexpr size_t kSparklinePoints = 60;
inline constexpr size_t kTrendPointBytes = 46;
// Participants with their names, modalities, the sparkline, what was said last.
inline constexpr size_t kMaxSummaryBytes = 64 * 1024;
// Newest records of traces in one snapshot: 48 sweeps of 8 KiB, or 200 of what sweeps usually take.
inline constexpr size_t kMaxSnapshotTraceBytes = 384 * 1024;
// Requests with their answers: sixty of an eventful case, each with three.
inline constexpr size_t kMaxRequests = 256;
inline constexpr size_t kMaxRequestBytes = 64 * 1024;
// Four protocols with their steps and the facts beside each.
inline constexpr size_t kMaxResponses = 256;
inline constexpr size_t kMaxResponseBytes = 80 * 1024;
// The newest ranking, of some 3 KiB, and the newest pick of an alert.
inline constexpr size_t kMaxDifferentials = 64;
inline constexpr size_t kMaxDifferentialBytes = 64 * 1024;
// Events with their remedial steps.
inline constexpr size_t kMaxEvents = 128;
inline constexpr size_t kMaxEventBytes = 48 * 1024;
// Of each alert and place on the list, how it stands.
inline constexpr size_t kMaxEscalations = 64;
inline constexpr size_t kMaxEscalationBytes = 16 * 1024;

static_assert(kMaxAlertBytes + kMaxChatBytes + kMaxReceiptBytes + kMaxBaselineBytes +
                      kMaxAnnotationBytes + 2 * kMaxControlBytes + 6 * kMaxListedBytes +
                      4 * kMaxIntervalBytes + kMaxBlinkBytes + kMaxViewBytes + kMaxTotalsBytes +
                      2 * kMaxReasonBodyBytes + kMaxTrendPointsOfCase * kTrendPointBytes +
                      kMaxTrends * 2 * (kMaxNameBytes + 4) + kMaxSummaryBytes +
                      kMaxSnapshotTraceBytes + kMaxRequestBytes + kMaxResponseBytes +
                      kMaxDifferentialBytes + kMaxEventBytes + kMaxEscalationBytes <
                  kMaxMessageBytes - 64 * 1024,
              "a snapshot fits into a message");

}  // namespace remora
