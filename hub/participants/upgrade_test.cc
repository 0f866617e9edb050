// The first start after a journal that kept no notes of cases at rest.

#include <gtest/gtest.h>

#include <vector>

#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

constexpr int kCases = 40;

TEST(UpgradeTest, WhoIsLiveIsRecordedWhileCasesWithoutNotesAreRestored) {
  HubHarness hub;
  for (int i = 0; i < kCases; ++i) CloseCase(hub, "OR 1");
  hub.RunFor(kRestAfter + kPresenceGrace * 2 + Duration::Seconds(1));
  ASSERT_EQ(hub.metrics().gauge(metric::kRooms), 0);
  const std::vector<ListedCase> closed = *hub.journal().ListCases();
  for (const ListedCase& listed : closed) {
    const Checkpoint checkpoint = hub.journal().Restore(listed.case_id)->checkpoint;
    hub.journal().SaveCheckpoint(listed.case_id, {checkpoint.seq, checkpoint.state, ""});
  }
  hub.journal().HoldRestores();
  hub.RestartHub();
  const CaseId live = hub.DrawCase();
  const OriginId origin = hub.DrawOrigin();
  RecordWriter writer(live, origin);
  const auto agent = OpenCase(hub, live, &writer, origin, "OR 2");
  uint64_t last_seq = hub.journal().Restore(live)->head.last_seq;
  int restored = 0;
  do {
    agent->Publish({writer.Write(BlockBody("EMG/L", 64))});
    hub.Run();
    const uint64_t now = hub.journal().Restore(live)->head.last_seq;
    EXPECT_GT(now, last_seq) << "after " << restored << " were restored";
    last_seq = now;
    // And the one that was restored since the last tick, at which it rests.
    EXPECT_LE(hub.metrics().gauge(metric::kRooms), 2 + kMaxRestoresUnderWay);
    hub.RunFor(Duration::Milliseconds(100));
    ++restored;
  } while (hub.journal().ReleaseOneRestore());
  EXPECT_GT(restored, kCases);
  const std::vector<ListedCase> after = *hub.journal().ListCases();
  ASSERT_EQ(after.size(), kCases + 1u);
  for (const ListedCase& listed : after) {
    EXPECT_EQ(listed.note.empty(), listed.case_id == live) << "the next start finds them";
  }
}

}  // namespace
}  // namespace remora::hub
