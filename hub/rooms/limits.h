#pragma once

// The rooms' limits, each with its reason.

#include <cstddef>
#include <cstdint>

#include "common/fold/limits.h"
#include "common/limits.h"
#include "common/time.h"

namespace remora::hub {

// --- Traces.

// Each EMG channel, EP derivation and stimulus of the largest case is some 100.
inline constexpr size_t kMaxTraces = 1'024;
// Parts of them that are told apart in lane 2: each muscle's kinds of discharge, screws, contacts.
// Beyond it a part goes by its trace.
inline constexpr size_t kMaxTraceParts = 2'048;

// --- Origins.

// Agents and browsers that ever wrote in the case, and one of the hub each time it started.
inline constexpr size_t kMaxOrigins = 1'024;
// Ranges of an origin's bulk lane: one more for each backlog that is sent newest first.
inline constexpr size_t kMaxHeldRanges = 4'096;
// Ranges of late records of an origin's lane that are listed; what is beyond is counted. One for
// each batch of a backlog that is sent newest first, unless batches join.
inline constexpr size_t kMaxLateRanges = 512;
// Digests of an origin's lane that are remembered, to tell a duplicate from a reused id: longer
// than any spool repeats after a lost acknowledgement.
inline constexpr size_t kRememberedDigests = 1'024;
// Refusals of a case whose reason is remembered, 1 KiB each at most: longer than a sender waits to
// hear of one.
inline constexpr size_t kMaxRememberedRefusals = 1'024;

// --- Records on their way.

// Accepted, not yet on disk: 90 s of one theatre, or a backlog at full speed for one slow commit.
inline constexpr size_t kMaxUncommittedBytes = 8 * 1024 * 1024;
// Recent frames for followers that are a little behind: about 90 s of one theatre.
inline constexpr size_t kMaxRecentBulkBytes = 4 * 1024 * 1024;
inline constexpr size_t kMaxRecentControlBytes = 1024 * 1024;
inline constexpr Duration kMaxRecentAge = Duration::Seconds(60);
// Blocks of a run up to this size share its bytes; of a larger one each has its own: what a
// follower that stopped keeps alive stays small.
inline constexpr size_t kMaxSharedRunBytes = 1024 * 1024;
// How long a failed append waits for its next try.
inline constexpr Duration kJournalRetryDelay = Duration::Seconds(1);

// --- UNRECORDED: shown, and not on disk (unrecorded_show.h).

// A record of lanes 0-1 that waits for the disk for so long is shown all the same: an alert is not
// to wait for a disk. A disk in order commits within some 10 ms.
inline constexpr Duration kUnrecordedAfter = Duration::Milliseconds(250);
// Bulk alone: when it would look stale to its reader.
inline constexpr Duration kUnrecordedBulkAfter = Duration::Seconds(2);
// An interval lasts until nothing has been in trouble for so long, and so at least this: a disk
// that stalls each second makes one interval, and a person can read that there was one.
inline constexpr Duration kUnrecordedHold = Duration::Seconds(5);
// Of lanes 0-1, for followers that come or are behind: some 200 alerts with their evidence.
inline constexpr size_t kMaxUnrecordedControlBytes = 512 * 1024;
// Ranges of numbers of an origin's bulk lane that are remembered as shown.
inline constexpr size_t kMaxUnrecordedRanges = 256;
// Records of the hub's own that wait in memory for the journal: link states and presence of a room
// full of people for hours. What is beyond is said when the journal takes it.
inline constexpr size_t kMaxOwnWaiting = 512;
static_assert(kMaxUnrecordedControlBytes >= 4 * kMaxControlBytes);

// --- Signatures and certificates (docs/certificate.md).
// Who has seen a head is a witness of all before it: a minute is the most that could be changed
// unseen.
inline constexpr Duration kSignedHeadInterval = Duration::Seconds(60);
// Who leaves a closed case is on its record too: signed soon, so that its end is proved.
inline constexpr Duration kClosedHeadInterval = Duration::Seconds(10);
// A late annex is certified when nothing more has come for so long.
inline constexpr Duration kAnnexQuiet = Duration::Seconds(10);
// What makes an annex and is never quiet is certified all the same after this; and a source that
// starts and stops makes one certificate, of up to 60 KiB, in so long.
inline constexpr Duration kLongestAnnexWait = Duration::Seconds(600);
inline constexpr Duration kCertificateInterval = Duration::Seconds(60);
// What one certificate can name: a record of lane 1, with room for its header, texts and stamp.
inline constexpr size_t kMaxCertificateHeads = 512;
inline constexpr size_t kMaxCertificateBytes = kMaxControlBytes - 4 * 1024;
// What a total may say beyond what is here. An agent's whole backlog: 1,000 records a second for a
// day; what a person's browser keeps while there is no hub (reader-client/web/src/wire/outbox.ts).
inline constexpr uint64_t kMaxAheadOfAgent = 100'000'000;
inline constexpr uint64_t kMaxAheadOfPerson = 10'000;
// Heads of two rooms are signed at least so far apart: each encodes a case's state (some ms of an
// 8 h case), and the hub has one sequence. 600 rooms that tick each 100 ms have their turn a
// minute.
inline constexpr Duration kSigningSpacing = Duration::Milliseconds(50);
// So long a head waits for a moment in which all of lanes 0-2 is on disk: the state need not be
// copied then.
inline constexpr Duration kSigningPatience = Duration::Seconds(5);
// Gaps that agents told and that are remembered: an hour of a short disk is some 2,000.
inline constexpr size_t kMaxToldGaps = 65'536;
// Ranges that a refused closing lists of a lane.
inline constexpr int kMissingRangesTold = 3;

// --- Checkpoints: each minute, or after so many records.
inline constexpr Duration kCheckpointInterval = Duration::Seconds(60);
inline constexpr uint64_t kCheckpointRecords = 10'000;

// --- Restore: what is read of the bulk at the end of the journal to find the newest of each trace.
inline constexpr uint64_t kRestoreBulkRecords = 4'000;
inline constexpr size_t kRestorePageBytes = 256 * 1024;
// Traces whose newest record lies before those: each is a read of its own, and all rooms are to
// serve within 2 s.
inline constexpr size_t kMaxRestoredSlowTraces = 64;
// Rooms that read the journal at a time: the reader is one thread, and its queue is shared with
// those who read history.
inline constexpr size_t kMaxRestoresUnderWay = 16;
// Those that somebody asked for begin beside them: a theatre's agent does not wait for old cases.
inline constexpr size_t kMaxAskedRestoresUnderWay = 64;
// And so many wait for their turn, each a room: more than there are theatres.
inline constexpr size_t kMaxAskedRestores = 1'000;
// Cases that are over and were folded by another build are folded anew one by one, while nobody
// waits for any other: there may be thousands, of millions of records each.
inline constexpr size_t kMaxRefoldsUnderWay = 1;
// Cases whose opening failed, of which the epoch is remembered for the next try.
inline constexpr size_t kMaxVoidCases = 10'000;
// A read that the journal could not take is tried again: soon at first, then as often as a person
// would look.
inline constexpr Duration kRestoreRetryDelay = Duration::Milliseconds(100);
inline constexpr Duration kMaxRestoreRetryDelay = Duration::Seconds(5);
// A case that cannot be read for so long while the journal can (a bad sector) gives its turn to
// others, and is tried again so often: the list of cases and the hub's readiness do not wait for
// it.
inline constexpr Duration kUnreadableAfter = Duration::Seconds(10);
inline constexpr Duration kUnreadableRetry = Duration::Seconds(60);

// --- Rest: a case that is over and that nobody is in leaves memory after this: longer than a
// browser takes to be started again, or a reader to look at the next case and come back. To restore
// it costs some 10 ms. One that was restored because it was there, and not because somebody asked
// for it, leaves at once.
inline constexpr Duration kRestAfter = Duration::Seconds(120);

// --- Retention: the time that a case is kept is hours at least.
inline constexpr Duration kRetentionInterval = Duration::Seconds(10);
// A full disk or a damaged case is not mended sooner, and each try reads the whole record.
inline constexpr Duration kRetentionRetry = Duration::Seconds(600);
// A UTC that nothing keeps right is believed when the hub was up for so long: whoever sets the
// clock of a machine that came up in another year does it on the day.
inline constexpr Duration kUtcBelievedAfter = Duration::Seconds(86'400);
// No drift, zone or summer time makes so much.
inline constexpr Duration kFarAheadOfUtc = Duration::Seconds(86'400);

// --- Signs of life (clinical: stale 2 s, lost 10 s, unsupervised 60 s).
inline constexpr Duration kStaleAfter = Duration::Seconds(2);
inline constexpr Duration kLostAfter = Duration::Seconds(10);
inline constexpr Duration kUnsupervisedAfter = Duration::Seconds(60);
// Someone who re-joins within this has not left: a page reloaded, a link that blinked.
inline constexpr Duration kPresenceGrace = Duration::Seconds(5);
// One technical alert of a cause and participant in this time; the rest is counted only.
inline constexpr Duration kTechnicalAlertInterval = Duration::Seconds(60);

// --- Directory.
// Cases that one hub knows: a year of 100 theatres.
inline constexpr size_t kMaxCases = 100'000;
// Names that are bound to origins; the oldest binding leaves first.
inline constexpr size_t kMaxBoundOrigins = 100'000;

}  // namespace remora::hub
