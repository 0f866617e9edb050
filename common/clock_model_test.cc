#include "common/clock_model.h"

#include <cmath>
#include <vector>

#include "common/hub_time.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

constexpr uint64_t kDeviceBoot = 1;

HubTime Hub(int64_t ns) { return HubTime::FromNanoseconds(ns); }
DeviceTime Device(int64_t ns) { return DeviceTime::FromNanoseconds(ns); }

// A device, a hub, and a network between them with a delay for each way.
class World {
 public:
  World(uint64_t seed, int64_t device_ppb, int64_t hub_ppb)
      : random_(MakeSeededRandom(seed)),
        device_(truth_, Duration::Seconds(-300), device_ppb, kDeviceBoot),
        hub_clock_(truth_, Duration::Seconds(77), hub_ppb, 2),
        hub_(hub_clock_),
        model_(kDeviceBoot) {}

  // Each way takes a least time and, now and then, much more: asymmetric, as a queue makes it.
  Duration Delay(double floor_ms) {
    const double u = random_->Uniform();
    return Duration::FromSeconds((floor_ms - 5 * std::log(1 - u) + (u > 0.97 ? 200 : 0)) / 1e3);
  }

  ClockModel::Outcome Probe() {
    ClockProbeTimes probe;
    probe.sent = device_.Now();
    truth_.Advance(Delay(8));
    probe.received = hub_.Now();
    truth_.Advance(Duration::Microseconds(static_cast<int64_t>(random_->Below(500))));
    probe.replied = hub_.Now();
    truth_.Advance(Delay(1));
    probe.arrived = device_.Now();
    return model_.AddProbe(probe);
  }

  void Remember() { history_.push_back({device_.Now(), hub_.Now()}); }

  // The bound holds now, and for every moment remembered since the last step.
  void ExpectHonest() {
    Remember();
    for (const auto& [device, hub] : history_) {
      const auto converted = model_.ToHub(device);
      ASSERT_TRUE(converted.has_value());
      const int64_t error = std::abs((converted->time - hub).nanoseconds());
      ASSERT_LE(error, converted->bound.nanoseconds()) << "at " << (hub - HubTime()).seconds();
    }
  }
  void Forget() { history_.clear(); }

  FakeClock truth_;
  std::unique_ptr<Random> random_;
  DriftingClock device_;
  DriftingClock hub_clock_;
  HubTimeSource hub_;
  ClockModel model_;
  std::vector<std::pair<DeviceTime, HubTime>> history_;
};

TEST(ClockModel, BoundIsNeverSmallerThanTheErrorWithDriftAndUnevenDelays) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    for (int64_t ppm : {-100, 0, 100}) {
      World world(seed, ppm * 1000, -ppm * 1000);
      // UTC is corrected on the hub meanwhile: it slews at its full 500 ppm.
      world.hub_clock_.StepWall(Duration::Seconds(ppm >= 0 ? 3 : -3));
      for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(world.Probe(), ClockModel::Outcome::kTaken);
        world.ExpectHonest();
        world.truth_.Advance(Duration::Milliseconds(i < 5 ? 50 : 2000));
        if (i % 10 == 0) world.ExpectHonest();
      }
      EXPECT_EQ(world.model_.steps_seen(), 0u);
    }
  }
}

TEST(ClockModel, BoundIsUsefulSoonAfterTheStart) {
  World world(5, 50'000, 0);
  for (int i = 0; i < 5; ++i) {
    world.Probe();
    world.truth_.Advance(Duration::Milliseconds(50));
  }
  EXPECT_LT(world.model_.ToHub(world.device_.Now())->bound, Duration::Milliseconds(20));
  for (int i = 0; i < 30; ++i) {
    world.Probe();
    world.truth_.Advance(Duration::Seconds(2));
  }
  EXPECT_LT(world.model_.ToHub(world.device_.Now())->bound, Duration::Milliseconds(15));
}

TEST(ClockModel, ABoundGrowsWithItsAge) {
  ClockModel model(kDeviceBoot);
  model.AddProbe({Device(0), Hub(1'000'000), Hub(1'000'000), Device(2'000'000)});
  const Duration fresh = model.ToHub(Device(2'000'000))->bound;
  const Duration old = model.ToHub(Device(60'000'000'000))->bound;
  EXPECT_NEAR(fresh.milliseconds(), 1.002, 0.001);
  EXPECT_NEAR((old - fresh).milliseconds(), 60, 0.1);
}

TEST(ClockModel, SeesAStepOfEitherClockAndStartsAnew) {
  for (const bool of_device : {true, false}) {
    for (int64_t step_ms : {-5000, 5000}) {
      World world(9, 20'000, 0);
      for (int i = 0; i < 20; ++i) {
        world.Probe();
        world.truth_.Advance(Duration::Seconds(2));
      }
      world.Forget();
      DriftingClock& clock = of_device ? world.device_ : world.hub_clock_;
      clock.Step(Duration::Milliseconds(step_ms));
      // A hub that restarts: its time is UTC anew. Its own clock stepping backwards is held flat,
      // which shows as well.
      ClockModel::Outcome outcome = ClockModel::Outcome::kTaken;
      for (int i = 0; i < 8 && outcome != ClockModel::Outcome::kStepped; ++i) {
        outcome = world.Probe();
        world.truth_.Advance(Duration::Seconds(2));
      }
      EXPECT_EQ(outcome, ClockModel::Outcome::kStepped) << of_device << " " << step_ms;
      EXPECT_GE(world.model_.steps_seen(), 1u);
      if (!of_device && step_ms < 0) continue;  // the hub's clock stands still: no honest hub
      world.Forget();
      for (int i = 0; i < 20; ++i) {
        world.Probe();
        world.ExpectHonest();
        world.truth_.Advance(Duration::Seconds(2));
      }
    }
  }
}

TEST(ClockModel, ConvertedTimesStayInOrderWhileItLearns) {
  World world(3, 100'000, 0);
  HubTime last;
  for (int i = 0; i < 200; ++i) {
    if (i % 3 == 0) world.Probe();
    if (i < 20) continue;  // the first probes are taken at once
    world.truth_.Advance(Duration::Milliseconds(40));
    const HubTime now = world.model_.ToHub(world.device_.Now())->time;
    ASSERT_GT(now, last);
    last = now;
  }
}

TEST(ClockModel, EstimateSaysDriftOnlyWhenItShows) {
  // A constant round trip of 1 ms: the drift of 100 ppm shows over a minute.
  for (int64_t drift_ppm : {0, 100, -100}) {
    ClockModel model(kDeviceBoot);
    for (int64_t i = 0; i < 60; ++i) {
      const int64_t device = i * 2'000'000'000;
      const int64_t hub = device + 500'000 + device / 1'000'000 * drift_ppm;
      model.AddProbe({Device(device), Hub(hub), Hub(hub), Device(device + 1'000'000)});
    }
    const auto estimate = model.Estimate(Device(120'000'000'000));
    ASSERT_TRUE(estimate.has_value());
    EXPECT_NEAR(estimate->drift_ppb(), static_cast<double>(drift_ppm) * 1000, 1000);
    EXPECT_EQ(estimate->boot_id(), kDeviceBoot);
    EXPECT_EQ(estimate->at_monotonic_ns(), 120'000'000'000);
    EXPECT_GT(estimate->error_bound_ns(), 500'000u);
  }
}

TEST(ClockModel, KnowsNothingBeforeAProbeAndAfterAReset) {
  ClockModel model(kDeviceBoot);
  EXPECT_FALSE(model.ToHub(Device(5)).has_value());
  EXPECT_FALSE(model.Estimate(Device(5)).has_value());
  model.AddProbe({Device(0), Hub(10), Hub(20), Device(100)});
  EXPECT_TRUE(model.ToHub(Device(5)).has_value());
  model.Reset(2);
  EXPECT_FALSE(model.ToHub(Device(5)).has_value());
}

TEST(ClockModel, HostileProbesAreNotTaken) {
  ClockModel model(kDeviceBoot);
  const auto outcome = [&model](int64_t sent, int64_t received, int64_t replied, int64_t arrived) {
    return model.AddProbe({Device(sent), Hub(received), Hub(replied), Device(arrived)});
  };
  EXPECT_EQ(outcome(100, 0, 0, 50), ClockModel::Outcome::kImpossible);
  EXPECT_EQ(outcome(0, 100, 50, 1000), ClockModel::Outcome::kImpossible);
  EXPECT_EQ(outcome(0, 0, 5'000'000'000, 1000), ClockModel::Outcome::kImpossible);
  EXPECT_EQ(outcome(0, INT64_MIN, INT64_MAX, 1000), ClockModel::Outcome::kImpossible);
  EXPECT_EQ(outcome(0, INT64_MAX, INT64_MAX, 1000), ClockModel::Outcome::kImpossible);
  EXPECT_FALSE(model.ToHub(Device(5)).has_value());
}

}  // namespace
}  // namespace remora
