#pragma once

// Rooms that append to a journal on a failing disk, and what it must hold of theirs afterwards.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {

constexpr int kCases = 2;
constexpr int kRounds = 5;
// Each round is committed by at least one call of a kind; group commit decides how many more.
constexpr uint64_t kFewestCalls = kRounds;
// Few, so that the log is moved within a round or two.
constexpr int kCheckpointPagesForTest = 12;
// So many that it is not moved at all.
constexpr int kManyPages = 1'000'000;

// A case as its room knows it.
struct Room {
  CaseScript acknowledged;
  // All that was offered after that and whose fate the room did not get to know as "in".
  std::vector<CaseScript> offered;
};

inline std::vector<Room> OpenRooms(JournalBench& bench) {
  std::vector<Room> rooms;
  for (int c = 0; c < kCases; ++c) {
    const absl::StatusOr<uint32_t> epoch = bench.journal().CreateCase(CaseIdOf(c));
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    rooms.push_back({CaseScript(CaseIdOf(c), epoch.value_or(0), c), {}});
  }
  return rooms;
}

// Each room appends twice without waiting, then hears; what failed it offers again next time.
inline void AppendRound(JournalBench& bench, std::vector<Room>& rooms,
                        bool save_checkpoints = true) {
  int called = 0;
  std::vector<std::vector<bool>> ok(rooms.size());
  for (size_t c = 0; c < rooms.size(); ++c) {
    rooms[c].offered.clear();
    CaseScript script = rooms[c].acknowledged;
    for (int i = 0; i < 2; ++i) {
      CaseAppend append = script.NextDrawn();
      rooms[c].offered.push_back(script);
      bench.journal().Append(std::move(append), [&ok, &called, c](absl::Status status) {
        ok[c].push_back(status.ok());
        ++called;
      });
    }
  }
  bench.executor().RunUntil([&] { return called == 2 * static_cast<int>(rooms.size()); });
  for (size_t c = 0; c < rooms.size(); ++c) {
    EXPECT_FALSE(!ok[c][0] && ok[c][1]) << "a later append went in before the one that failed";
    const size_t in = ok[c][0] + ok[c][1];
    if (in > 0) rooms[c].acknowledged = rooms[c].offered[in - 1];
    rooms[c].offered.erase(rooms[c].offered.begin(), rooms[c].offered.begin() + in);
  }
  for (const Room& room : rooms) {
    if (!save_checkpoints) break;
    bench.journal().SaveCheckpoint(room.acknowledged.case_id(),
                                   {room.acknowledged.last_seq(), "state"});
  }
}

// For when the process ended, or the power, before the journal could look at its file again: an
// append that failed may be there, but only whole.
inline void ExpectHoldsAcknowledgedOrOffered(JournalBench& bench, const Room& room) {
  const absl::StatusOr<CaseRestore> restore = bench.journal().Restore(room.acknowledged.case_id());
  if (room.acknowledged.last_seq() == 0 && absl::IsNotFound(restore.status())) return;
  ASSERT_TRUE(restore.ok()) << restore.status();
  const CaseScript* held = &room.acknowledged;
  for (const CaseScript& offered : room.offered) {
    if (offered.last_seq() == restore->head.last_seq) held = &offered;
  }
  ExpectHolds(bench.journal(), bench.executor(), *held);
}

inline void ExpectHoldsAcknowledged(JournalBench& bench, const std::vector<Room>& rooms) {
  for (const Room& room : rooms) {
    const bool absent =
        absl::IsNotFound(bench.journal().Restore(room.acknowledged.case_id()).status());
    if (absent && room.acknowledged.last_seq() == 0) continue;
    ExpectHolds(bench.journal(), bench.executor(), room.acknowledged);
  }
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kStride = 7;  // all would take ten minutes
#else
constexpr uint64_t kStride = 1;
#endif

// Calls `once` with k = 1, 2, ... until the k-th call no longer comes. Returns how many came.
inline uint64_t Sweep(const std::function<bool(uint64_t k)>& once) {
  uint64_t tried = 0;
  for (uint64_t k = 1; !testing::Test::HasFailure() && once(k); k += kStride) ++tried;
  return tried;
}

}  // namespace remora::hub::sqlite
