// Times and limits of a run, each with its reason.
#pragma once

#include <cstddef>

#include "common/time.h"

namespace remora::agent {

// What waits is written and synced so often; an alert at once. At 2 Mbit/s a round trip is as long.
inline constexpr Duration kCommitInterval = Duration::Milliseconds(50);
// The agent's sequence is shared with the link: after this long it lets the link work.
inline constexpr Duration kSliceLength = Duration::Milliseconds(5);
// A live source that had nothing is asked again after this: a tenth of a block.
inline constexpr Duration kLiveAskInterval = Duration::Milliseconds(2);
// Samples of a live source that do not come are an alert after this: beyond a feed's own word of a
// silent device (2.5 s), so that the cause is on record before it. Then as the link's ages go.
inline constexpr Duration kAcquisitionStill = Duration::Seconds(3);
inline constexpr Duration kAcquisitionLong = Duration::Seconds(10);
inline constexpr Duration kAcquisitionUnwatched = Duration::Seconds(60);
// They come again when all have come for so long without a pause: a cable that is loose is one
// alert.
inline constexpr Duration kAcquisitionPause = Duration::Seconds(1);
inline constexpr Duration kAcquisitionFlows = Duration::Seconds(2);
// The clock estimate is recorded when it became better by half, and this often (architecture: once
// a minute).
inline constexpr Duration kClockRecordInterval = Duration::Seconds(60);
inline constexpr Duration kClockCheckInterval = Duration::Seconds(1);
// Who reads is said when the hub has given no record from before the session for so long.
inline constexpr Duration kReadersSettle = Duration::Seconds(3);
// A record that is older when it comes is from before: more than clocks and links differ by.
inline constexpr Duration kOldRecord = Duration::Seconds(5);
// As many as a hub lists in a case.
inline constexpr size_t kMaxReadersKnown = 128;
// A disk that failed is tried again after this.
inline constexpr Duration kDiskRetryInterval = Duration::Milliseconds(500);
// After a restart the agent's own absence is an outage of the hub's view from the link's staleness
// on; one that seems longer than a week is no outage of a case.
inline constexpr Duration kShortestOutage = Duration::Seconds(2);
inline constexpr Duration kLongestOutage = Duration::Seconds(7 * 86'400);
// Clock estimates of lane 1 are looked for so far back: some minutes of a busy case; one is written
// each minute.
inline constexpr uint64_t kMaxEventsLookedThrough = 2'000;
// Outages that wait to be recorded, while there is nothing to record them in.
inline constexpr size_t kMaxOutagesKept = 32;
// Records shown UNRECORDED that are remembered, so that they are not said again when they are on
// record: hours of talk.
inline constexpr size_t kMaxShownUnrecorded = 500;
// A witness: a head of some 200 bytes in hexadecimal.
inline constexpr size_t kMaxWitnessBytes = 4096;
// A follow that was refused is asked for again after this.
inline constexpr Duration kFollowRetryInterval = Duration::Seconds(2);
// A CLOSED that was refused is said again after this: something of others is missing, and may come
// within seconds, or when a person looks.
inline constexpr Duration kFirstCloseRetry = Duration::Seconds(2);
inline constexpr Duration kLongestCloseRetry = Duration::Seconds(600);
// Commands of people that wait while the analysis catches up after a restart.
inline constexpr size_t kMaxWaitingInputs = 1000;
inline constexpr size_t kMaxWaitingInputBytes = 4 * 1024 * 1024;
// Records on lanes 0-1 remembered to tell a repetition: people's commands of a day.
inline constexpr size_t kMaxKnownInputs = 100'000;
// While the disk is short its space is asked for this often, and what was given up is recorded:
// one gap a lane, some 2,000 an hour.
inline constexpr Duration kSpaceInterval = Duration::Seconds(5);
// How long the disk lasts is looked at this often, and said to the theatre when nothing changed.
inline constexpr Duration kSpaceLookInterval = Duration::Seconds(10);
inline constexpr Duration kSpaceStatusInterval = Duration::Seconds(1800);
// Left when the alert of space calls again: time to free some, and time to do it at once.
inline constexpr Duration kSpaceForHour = Duration::Seconds(60 * 60);
inline constexpr Duration kSpaceForQuarter = Duration::Seconds(15 * 60);
// Records in place of lost ones are committed in groups of this many: a damaged file may hold
// more of them than may wait.
inline constexpr uint64_t kTombstonesACommit = 4096;
// Cases of earlier runs that are still delivered beside the present one.
inline constexpr size_t kMaxOldCases = 16;

}  // namespace remora::agent
