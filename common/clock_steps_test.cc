// What happens to times when machines' clocks are set, stepped and smeared: no latency is ever
// negative beyond its bound, hub time never goes back, and no order rests on a wall clock.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "common/clock_model.h"
#include "common/hub_time.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

constexpr Duration kSteps[] = {Duration::Seconds(600), Duration::Seconds(-600),
                               Duration::Seconds(86'400), Duration::Seconds(-86'400)};
// A leap second smeared over a day, as public time servers do it: 11.6 ppm.
constexpr int64_t kSmearPpb = 11'574;
constexpr Duration kDay = Duration::Seconds(86'400);

TEST(HubTimeSource, StepOfTheWallClockNeitherStepsNorTurnsHubTime) {
  for (const Duration step : kSteps) {
    SCOPED_TRACE(step.seconds());
    FakeClock clock;
    HubTimeSource hub(clock);
    const HubTime start = hub.Now();
    const DeviceTime began = clock.Now();
    clock.StepWall(step);
    HubTime last = start;
    for (int i = 0; i < 36'000; ++i) {
      clock.Advance(Duration::Milliseconds(100));
      const HubTime now = hub.Now();
      ASSERT_GT(now, last);
      // At most 500 ppm more or less than the monotonic clock, and a nanosecond of rounding.
      ASSERT_NEAR((now - last).milliseconds(), 100, 0.0501);
      last = now;
    }
    const Duration slewed = (hub.Now() - start) - (clock.Now() - began);
    EXPECT_EQ(slewed > Duration(), step > Duration()) << "it goes towards UTC";
    EXPECT_NEAR(std::abs(slewed.milliseconds()), 1800, 1) << "500 ppm of an hour";
  }
}

TEST(HubTimeSource, FollowsASmearedLeapSecondWithoutEverGoingBack) {
  for (const int64_t direction : {1, -1}) {
    FakeClock clock;
    HubTimeSource hub(clock);
    HubTime last = hub.Now();
    Duration worst;
    for (Duration passed; passed < kDay; passed = passed + Duration::Seconds(1)) {
      clock.Advance(Duration::Seconds(1));
      clock.StepWall(Duration::Nanoseconds(-direction * kSmearPpb));
      const HubTime now = hub.Now();
      ASSERT_GT(now, last);
      last = now;
      worst = std::max(worst, Duration::Nanoseconds(std::abs(hub.BehindUtc().nanoseconds())));
    }
    EXPECT_LT(worst, Duration::Milliseconds(1)) << "the smear is slower than the slew";
  }
}

// An agent, a hub and a reader: three machines, each with a clock of its own.
class ThreeMachines {
 public:
  explicit ThreeMachines(uint64_t seed, int64_t ppb)
      : random_(MakeSeededRandom(seed)),
        agent_(truth_, Duration::Seconds(500), ppb, 1),
        hub_clock_(truth_, Duration::Seconds(-20), -ppb, 2),
        reader_(truth_, Duration::Seconds(7), ppb / 2, 3),
        hub_(hub_clock_) {}

  void Probe(DriftingClock& clock, ClockModel* model) {
    ClockProbeTimes probe;
    probe.sent = clock.Now();
    truth_.Advance(Delay());
    probe.received = probe.replied = hub_.Now();
    truth_.Advance(Delay());
    probe.arrived = clock.Now();
    ASSERT_EQ(model->AddProbe(probe), ClockModel::Outcome::kTaken);
  }

  // One record, from its capture at the agent to the reader's screen.
  void Send() {
    const BoundedHubTime captured = *of_agent_.ToHub(agent_.Now());
    const DeviceTime truly = truth_.Now();
    truth_.Advance(Delay());
    recorded_.push_back(hub_.Now());
    truth_.Advance(Delay());
    const BoundedHubTime arrived = *of_reader_.ToHub(reader_.Now());
    const Duration latency = arrived.time - captured.time;
    const Duration bound = arrived.bound + captured.bound;
    ASSERT_GE(latency, Duration() - bound) << "negative beyond its bound";
    const Duration error = latency - (truth_.Now() - truly);
    // Within the bounds, and what the hub's own clock slews and drifts on the way.
    ASSERT_LE(std::abs(error.nanoseconds()), bound.nanoseconds() + 200'000);
  }

  Duration Delay() {
    return Duration::Microseconds(200 + static_cast<int64_t>(random_->Below(20'000)));
  }

  FakeClock truth_;
  std::unique_ptr<Random> random_;
  DriftingClock agent_;
  DriftingClock hub_clock_;
  DriftingClock reader_;
  HubTimeSource hub_;
  ClockModel of_agent_{1};
  ClockModel of_reader_{3};
  std::vector<HubTime> recorded_;
};

TEST(ClockSteps, WallClocksThatAreSetMakeNoLatencyNegativeAndNoRecordOlder) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    for (const Duration step : kSteps) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " step " << step.seconds());
      ThreeMachines world(seed, 50'000);
      for (int i = 0; i < 120; ++i) {
        world.Probe(world.agent_, &world.of_agent_);
        world.Probe(world.reader_, &world.of_reader_);
        // Each machine's wall clock is set in its turn.
        if (i == 40) world.agent_.StepWall(step);
        if (i == 60) world.hub_clock_.StepWall(step);
        if (i == 80) world.reader_.StepWall(step);
        for (int n = 0; n < 3; ++n) ASSERT_NO_FATAL_FAILURE(world.Send());
        world.truth_.Advance(Duration::Seconds(2));
      }
      EXPECT_EQ(world.of_agent_.steps_seen() + world.of_reader_.steps_seen(), 0u);
      EXPECT_TRUE(std::is_sorted(world.recorded_.begin(), world.recorded_.end()));
    }
  }
}

TEST(ClockSteps, SmearOfTheHubsUtcStaysWithinEveryBound) {
  for (const int64_t direction : {1, -1}) {
    ThreeMachines world(11, 20'000);
    // A day in steps of a minute; the probes of each are 2 s apart.
    for (int minute = 0; minute < 1440; ++minute) {
      world.hub_clock_.StepWall(Duration::Nanoseconds(-direction * kSmearPpb * 60));
      for (int n = 0; n < 3; ++n) {
        world.Probe(world.agent_, &world.of_agent_);
        world.Probe(world.reader_, &world.of_reader_);
        world.truth_.Advance(Duration::Seconds(2));
      }
      ASSERT_NO_FATAL_FAILURE(world.Send());
      world.truth_.Advance(Duration::Seconds(54));
    }
    EXPECT_EQ(world.of_agent_.steps_seen() + world.of_reader_.steps_seen(), 0u);
    EXPECT_TRUE(std::is_sorted(world.recorded_.begin(), world.recorded_.end()));
  }
}

}  // namespace
}  // namespace remora
