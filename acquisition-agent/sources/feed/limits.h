// The named limits of feeds. What a device sends beyond one of them is refused with a message: they
// keep memory and arithmetic bounded whatever comes (docs/feed-protocol.md tells them to vendors).
#pragma once

#include <cstddef>
#include <cstdint>

namespace remora::agent::feed {

// The first frame of every message: which protocol this is, and its major version.
inline constexpr char kMagic[] = "remora.feed.1";
inline constexpr uint32_t kProtocolVersion = 1;
// A message has two frames; more than these few are not even kept.
inline constexpr size_t kMaxFrames = 4;

// 51 ms of 64 channels at 20 kHz in 32 bits.
inline constexpr size_t kMaxMessageBytes = 256 * 1024;
// Messages of a device that wait in ZeroMQ while the agent is busy; beyond them ZeroMQ drops, which
// shows as a gap. 100 MiB at most, 8 s of blocks of 20 ms.
inline constexpr int kReceiveQueueMessages = 400;
// And of those that are taken from it with their time of arrival: 2 s of such blocks.
inline constexpr size_t kMaxTakenMessages = 100;
inline constexpr size_t kMaxTakenBytes = 4 * 1024 * 1024;
// Devices of a case: amplifier, stimulator, anaesthesia monitor, pump, and as many again.
inline constexpr size_t kMaxDevices = 8;

// The largest amplifiers have 256 channels.
inline constexpr int kMaxChannels = 512;
inline constexpr int kMaxRateGroups = 16;
inline constexpr double kMinSampleRateHz = 0.1;
inline constexpr double kMaxSampleRateHz = 200'000;
// Of a channel in one block.
inline constexpr uint32_t kMaxBlockSamples = 65'536;
// A longer block would come later than anything should be seen.
inline constexpr int64_t kMaxBlockNs = 1'000'000'000;
inline constexpr size_t kMaxNameBytes = 64;
inline constexpr size_t kMaxUnitBytes = 16;
inline constexpr size_t kMaxPrefilterBytes = 80;
inline constexpr size_t kMaxNoteBytes = 1024;
inline constexpr size_t kMaxReasonBytes = 256;
inline constexpr double kMaxCountScale = 1e12;

inline constexpr double kMaxMilliamps = 2'000;
inline constexpr double kMaxVolts = 2'000;
inline constexpr double kMaxStimulusHz = 1'000;
inline constexpr double kMaxPulseUs = 10'000;
inline constexpr double kMaxPulseIntervalMs = 1'000;
inline constexpr uint32_t kMaxPulses = 20;
inline constexpr double kMaxKohm = 1e6;
inline constexpr double kMaxDrugAmount = 1e6;

// 73 years: sums and differences of two times stay in int64.
inline constexpr int64_t kMaxTimeNs = int64_t{1} << 61;
// Exact in a double.
inline constexpr uint64_t kMaxSampleIndex = uint64_t{1} << 53;
inline constexpr uint64_t kMaxSeq = uint64_t{1} << 62;

// The way from a device is learnt for so long before its first sample is handed out: 50 messages of
// 20 ms hold a quick one.
inline constexpr int64_t kSettleNs = 1'000'000'000;
// What a device sends meanwhile is kept; a second of blocks of 1 ms, and everything else.
inline constexpr size_t kMaxSettlingMessages = 2'000;
inline constexpr size_t kMaxSettlingBytes = 6 * 1024 * 1024;
// A stimulus or value that is farther from the newest sample than this has a wrong time.
inline constexpr int64_t kMaxAwayNs = 10'000'000'000;
// Blocks whose times differ by more from what their sample counts say are not one stretch of
// signal: 1 ms is what alignment must hold.
inline constexpr int64_t kMaxSeamNs = 1'000'000;
// Other devices wait so long for one that is silent: far beyond a block, short for a person.
inline constexpr int64_t kMaxWaitNs = 500'000'000;
// A device is said to be silent after two heartbeats that did not come.
inline constexpr int64_t kSilentNs = 2'500'000'000;
// Items of a device that wait for the others: kMaxWaitNs of blocks of 1 ms in all its groups. And
// their bytes, of all devices together: 3 s of 64 channels at 20 kHz. Beyond one of them nobody is
// waited for; beyond twice as much nothing more is taken in.
inline constexpr size_t kMaxWaitingItems = 10'000;
inline constexpr size_t kMaxWaitingBytes = 32 * 1024 * 1024;
// What a device told while others were still waited for, when a source is opened.
inline constexpr size_t kMaxEarlyBytes = 4 * 1024 * 1024;
// Messages in a row that came before, by their numbers: one is a message sent twice, so many are a
// device that counts anew.
inline constexpr int kRestartMessages = 5;
// Remarks on what a device does wrong, each kind at most once in this time.
inline constexpr int64_t kRemarkIntervalNs = 10'000'000'000;
// How long opening may be told to wait for a device that is not switched on yet.
inline constexpr double kMaxOpenWaitS = 600;
inline constexpr double kDefaultOpenWaitS = 10;
// Messages taken in one go, so that who asks for the next item gets it soon.
inline constexpr int kMaxTakenAtOnce = 256;

static_assert(kMaxTimeNs < INT64_MAX / 3);
static_assert(kMaxBlockNs < kMaxTimeNs);
static_assert(kSettleNs + kMaxWaitNs < kSilentNs);
static_assert(2 * kMaxWaitingBytes +
                  kMaxDevices * (kMaxSettlingBytes + kMaxTakenBytes + kMaxEarlyBytes) <
              192 * 1024 * 1024);

}  // namespace remora::agent::feed
