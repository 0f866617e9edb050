// Two agents for one theatre; a web port flooded with connections until descriptors run out.

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/faults/sockets.h"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

constexpr int kSpeed = 5;

TEST(Claim, ASecondAgentForATheatreIsRefusedAndTheFirstGoesOnUnharmed) {
  Rig rig(1);
  rig.AddIdentity("other-agent", "ROLE_AGENT", "OR 1");
  ASSERT_TRUE(rig.StartHub().ok());
  const std::string source = "sim:cord?seed=1&seconds=75";
  const std::string plan = SourcePath("acquisition-agent/plans/scoliosis.plan");
  CaseRun run(rig, {1, source, plan, kSpeed, {}, ""});
  const absl::Status begun = run.Begin();
  ASSERT_TRUE(begun.ok()) << begun;
  Process second("remora-agent",
                 {"--source", source, "--plan", plan, "--hub", rig.hub_address(), "--token-file",
                  rig.TokenFile("other-agent"), "--theatre", "OR 1", "--spool", rig.Path("second"),
                  "--speed", "5"},
                 rig.Path("second.log"));
  EXPECT_TRUE(Eventually(Duration::Seconds(10), [&] {
    return absl::StrContains(second.Log(), "the hub refuses this agent");
  })) << second.Log();
  SleepFor(Duration::Seconds(2));
  second.Kill();
  const absl::Status whole = run.FinishWhole(Duration::Seconds(60));
  ASSERT_TRUE(whole.ok()) << whole;
  bool told = false;
  for (const v1::Record& record : RecordsOfKind(run.journal(), v1::Record::kAlert)) {
    told |= record.alert().criterion().key() == "hub.theatre_claimed_twice";
  }
  EXPECT_TRUE(told) << "the first one's readers hear of it";
}

TEST(Descriptors, AWebPortFloodedToTheLastOneComesBackAndTheCaseIsWhole) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP()
      << "UndefinedBehaviorSanitizer looks at an object through a pipe of its own: with no "
         "descriptor left it finds fault with every one";
#endif
  constexpr int kDescriptors = 128;
  Rig rig(1);
  rig.hub_settings().descriptors = kDescriptors;
  ASSERT_TRUE(rig.StartHub().ok());
  CaseRun run(rig, {1,
                    "sim:cord?seed=1&seconds=75",
                    SourcePath("acquisition-agent/plans/scoliosis.plan"),
                    kSpeed,
                    {},
                    ""});
  const absl::Status begun = run.Begin();
  ASSERT_TRUE(begun.ok()) << begun;
  const std::string page = absl::StrCat("http://", rig.http_address(), "/healthz");
  const auto healthy = [&] {
    return RunToEnd("/usr/bin/curl", {"-sf", "-m", "1", page}).exit_code == 0;
  };
  {
    std::vector<Descriptor> dead;
    for (int i = 0; i < 3 * kDescriptors; ++i) {
      absl::StatusOr<Descriptor> socket = ConnectingSocket(rig.http_port());
      if (socket.ok()) dead.push_back(*std::move(socket));
    }
    const uint64_t before = run.follower().last_seq();
    SleepFor(Duration::Seconds(2));
    EXPECT_GT(run.follower().last_seq(), before + 300) << "sessions that are there go on";
    EXPECT_TRUE(rig.hub().running());
  }
  EXPECT_TRUE(Eventually(Duration::Seconds(15), healthy)) << rig.hub().Log();
  // The other listener takes new sessions too.
  EXPECT_TRUE(Eventually(Duration::Seconds(15),
                         [&] { return rig.Remora("reader", {"cases"}).exit_code == 0; }));
  const absl::Status whole = run.FinishWhole(Duration::Seconds(60));
  ASSERT_TRUE(whole.ok()) << whole;
}

}  // namespace
}  // namespace remora::testing
