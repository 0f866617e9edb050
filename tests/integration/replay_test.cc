// The same file through agent, hub and two followers at 20x speed: every record arrives once, `seq`
// is dense, and the bytes are the journal's.

#include <algorithm>

#include "gtest/gtest.h"
#include "tests/integration/journal_reader.h"
#include "tests/integration/rig.h"

namespace remora::testing {
namespace {

constexpr Duration kCaseAppears = Duration::Seconds(20);
// 352 s of recording at 20x are 18 s.
constexpr Duration kReplay = Duration::Seconds(90);

TEST(Replay, EveryRecordArrivesOnceDenseAndEqualToTheJournal) {
  const std::string recording = DataPath("hybrid_sep_alarm/hybrid_sep.edf");
  if (recording.empty()) GTEST_SKIP() << "skipped: no data";
  Rig rig(1);
  ASSERT_TRUE(rig.StartHub().ok());

  Collector first, second;
  auto client_1 = reader::Client::Connect(rig.Identity("reader"), &first);
  auto client_2 = reader::Client::Connect(rig.Identity("theatre"), &second);
  ASSERT_TRUE(client_1.ok()) << client_1.status();
  ASSERT_TRUE(client_2.ok()) << client_2.status();

  rig.StartAgent(1, "edf:" + recording, SourcePath("acquisition-agent/plans/hybrid_sep.plan"),
                 {"--speed", "20"});
  std::string case_id;
  ASSERT_TRUE(Eventually(kCaseAppears, [&] {
    const auto found = (*client_1)->FindCase("OR 1", Duration::Seconds(5));
    if (found.ok()) case_id = found->case_id();
    return found.ok();
  })) << rig.agent(1).Log();
  ASSERT_TRUE(FollowCompletely(**client_1, case_id).ok());
  ASSERT_TRUE(FollowCompletely(**client_2, case_id).ok());

  const absl::StatusOr<int> ended = rig.agent(1).Wait(kReplay);
  ASSERT_TRUE(ended.ok()) << rig.agent(1).Log();
  ASSERT_EQ(*ended, 0) << rig.agent(1).Log();
  // The record is whole when the case has been quiet for a while: presence and link states follow
  // the agent's leaving.
  uint64_t head = 0;
  ASSERT_TRUE(Eventually(Duration::Seconds(30),
                         [&] {
                           const auto found = (*client_1)->FindCase(
                               CaseId::FromBytes(case_id).Hex(), Duration::Seconds(5));
                           if (!found.ok()) return false;
                           const bool quiet = found->head_seq() == head &&
                                              first.last_seq() == head && second.last_seq() == head;
                           head = found->head_seq();
                           SleepFor(Duration::Milliseconds(500));
                           return quiet && head > 0;
                         }))
      << "head " << head << ", followers " << first.last_seq() << " and " << second.last_seq();
  client_1->reset();
  client_2->reset();
  const absl::StatusOr<int> stopped = rig.StopHub();
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ(*stopped, 0) << rig.hub().Log();

  const auto journal = ReadJournal(rig.journal_path(), CaseId::FromBytes(case_id));
  ASSERT_TRUE(journal.ok()) << journal.status();
  ASSERT_GT(journal->size(), 100u);
  EXPECT_EQ(journal->begin()->first, 1u);
  EXPECT_EQ(journal->rbegin()->first, journal->size()) << "seq is dense";
  for (const Collector* follower : {&first, &second}) {
    EXPECT_EQ(follower->duplicates(), 0u);
    EXPECT_EQ(follower->disorder(), 0u);
    EXPECT_EQ(follower->gaps(), 0u);
    const std::map<uint64_t, std::string> got = follower->records();
    ASSERT_GE(got.size(), head);
    for (const auto& [seq, bytes] : got) ASSERT_EQ(bytes, journal->at(seq)) << "seq " << seq;
  }
  EXPECT_EQ(DoubledIds(*journal), 0u);
}

}  // namespace
}  // namespace remora::testing
