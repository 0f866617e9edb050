#pragma once

// The journal's calls as a test wants them: blocking, on a WaitingExecutor.

#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "hub/journal/journal.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/waiting_executor.h"

namespace remora::hub {

inline absl::Status AppendAndWait(Journal& journal, WaitingExecutor& executor, CaseAppend append) {
  std::optional<absl::Status> result;
  journal.Append(std::move(append), [&](absl::Status status) { result = std::move(status); });
  executor.RunUntil([&] { return result.has_value(); });
  return *result;
}

inline absl::Status PurgeAndWait(Journal& journal, WaitingExecutor& executor, Tombstone tombstone) {
  std::optional<absl::Status> result;
  journal.Purge(std::move(tombstone), [&](absl::Status status) { result = std::move(status); });
  executor.RunUntil([&] { return result.has_value(); });
  return *result;
}

inline absl::StatusOr<Tombstone> FindTombstoneAndWait(Journal& journal, WaitingExecutor& executor,
                                                      const CaseId& case_id) {
  std::optional<absl::StatusOr<Tombstone>> result;
  journal.FindTombstone(case_id, [&](absl::StatusOr<Tombstone> found) { result = found; });
  executor.RunUntil([&] { return result.has_value(); });
  return *result;
}

// As if it had been archived as it stands.
inline Tombstone TombstoneOf(const CaseScript& script) {
  const CaseHead head = script.Head();
  Tombstone tombstone;
  tombstone.case_id = script.case_id();
  tombstone.epoch = head.epoch;
  tombstone.last_seq = head.last_seq;
  tombstone.chain = head.chain;
  tombstone.theatre = "OR 1";
  tombstone.opened_unix_ns = 1'000;
  tombstone.closed_unix_ns = 2'000;
  tombstone.purged_unix_ns = 3'000;
  tombstone.archive = script.case_id().Hex() + ".record";
  tombstone.archive_sha256.fill(7);
  return tombstone;
}

inline absl::StatusOr<CaseRestore> RestoreAndWait(Journal& journal, WaitingExecutor& executor,
                                                  const CaseId& case_id) {
  std::optional<absl::StatusOr<CaseRestore>> result;
  journal.BeginRestore(case_id,
                       [&](absl::StatusOr<CaseRestore> restore) { result = std::move(restore); });
  executor.RunUntil([&] { return result.has_value(); });
  return *result;
}

inline absl::StatusOr<ReadResult> ReadAndWait(Journal& journal, WaitingExecutor& executor,
                                              ReadRequest request) {
  std::optional<absl::StatusOr<ReadResult>> result;
  journal.Read(std::move(request),
               [&](absl::StatusOr<ReadResult> page) { result = std::move(page); });
  executor.RunUntil([&] { return result.has_value(); });
  return *result;
}

// Page after page, to the end of the range.
inline absl::StatusOr<std::string> ReadWholeRange(Journal& journal, WaitingExecutor& executor,
                                                  ReadRequest request) {
  std::string frames;
  while (true) {
    absl::StatusOr<ReadResult> page = ReadAndWait(journal, executor, request);
    if (!page.ok()) return page.status();
    frames.append(page->frames.view().data(), page->frames.size());
    if (page->next_seq == 0) return frames;
    if (page->next_seq <= page->last_seq) return absl::InternalError("a page that goes back");
    request.from_seq = page->next_seq;
  }
}

// That the journal holds exactly what the script wrote: head, origins, every byte.
inline void ExpectHolds(Journal& journal, WaitingExecutor& executor, const CaseScript& script) {
  const absl::StatusOr<CaseRestore> restore = journal.Restore(script.case_id());
  ASSERT_TRUE(restore.ok()) << restore.status();
  const CaseHead want = script.Head();
  EXPECT_EQ(restore->head.epoch, want.epoch);
  EXPECT_EQ(restore->head.last_seq, want.last_seq);
  EXPECT_EQ(restore->head.last_recorded_unix_ns, want.last_recorded_unix_ns);
  EXPECT_EQ(restore->head.chain, want.chain);
  EXPECT_EQ(restore->head.lane_seq, want.lane_seq);
  const std::vector<OriginLaneHeld> origins = script.Origins();
  ASSERT_EQ(restore->origins.size(), origins.size());
  for (size_t i = 0; i < origins.size(); ++i) {
    EXPECT_EQ(restore->origins[i].origin, origins[i].origin);
    EXPECT_EQ(restore->origins[i].lane, origins[i].lane);
    EXPECT_EQ(restore->origins[i].held, origins[i].held);
    EXPECT_EQ(restore->origins[i].refused, origins[i].refused);
    EXPECT_EQ(restore->origins[i].participant, origins[i].participant);
  }
  ReadRequest all;
  all.case_id = script.case_id();
  const absl::StatusOr<std::string> frames = ReadWholeRange(journal, executor, all);
  ASSERT_TRUE(frames.ok()) << frames.status();
  EXPECT_TRUE(*frames == script.Frames(1, script.last_seq()))
      << "read " << frames->size() << " bytes, which differ from what was appended";
}

}  // namespace remora::hub
