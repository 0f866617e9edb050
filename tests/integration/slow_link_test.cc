// A reader on a link of 256 kbit/s lacks megabytes of one case's record and looks at another one
// live: what people say there does not wait behind the back-fill, and the hub is never taken for
// stale.

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "gtest/gtest.h"
#include "tests/faults/fault_proxy.h"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

constexpr int kSpeed = 10;
// Of data: some 5 MB, which take the link three minutes.
constexpr int kSeconds = 120;
constexpr int kMessages = 30;

// What came over the slow link, and when. Thread-safe.
class SlowReader : public LinkObserver {
 public:
  SlowReader(const Clock& clock, const CaseId& complete) : clock_(clock), complete_(complete) {}

  void OnRecord(const DeliveredRecord& delivered) override {
    const DeviceTime now = clock_.Now();
    MutexLock lock(&mutex_);
    if (delivered.record.header.case_id == complete_) {
      ++complete_records_;
      return;
    }
    v1::Record record;
    if (delivered.record.header.lane != 0 ||
        !record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size()))) {
      return;
    }
    if (record.has_message()) arrived_.emplace(record.message().text(), now);
  }
  void OnLinkCondition(v1::LinkCondition condition, Duration) override {
    MutexLock lock(&mutex_);
    stale_ += condition != v1::LINK_CONDITION_LIVE ? 1 : 0;
  }

  std::map<std::string, DeviceTime> arrived() const {
    MutexLock lock(&mutex_);
    return arrived_;
  }
  int stale() const {
    MutexLock lock(&mutex_);
    return stale_;
  }
  uint64_t complete_records() const {
    MutexLock lock(&mutex_);
    return complete_records_;
  }

 private:
  const Clock& clock_;
  const CaseId complete_;
  mutable Mutex mutex_;
  std::map<std::string, DeviceTime> arrived_ ABSL_GUARDED_BY(mutex_);
  int stale_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t complete_records_ ABSL_GUARDED_BY(mutex_) = 0;
};

v1::Follow FollowOf(uint32_t id, const CaseId& case_id, v1::Delivery delivery) {
  v1::Follow follow;
  follow.set_follow_id(id);
  follow.set_case_id(case_id.ToString());
  follow.set_delivery(delivery);
  return follow;
}

TEST(SlowLinkTest, ABackFillDelaysNoMessageAndTheHubIsNeverStale) {
  const std::unique_ptr<Clock> clock = MakeSystemClock();
  const std::unique_ptr<Random> random = MakeSystemRandom();
  Rig rig(2);
  rig.AddIdentity("reader-2", "ROLE_NEUROPHYSIOLOGIST", "");
  ASSERT_TRUE(rig.StartHub().ok());
  const auto run_of = [&](int theatre, int seconds, double speed) {
    return std::make_unique<CaseRun>(
        rig, CasePlanOfRun{theatre,
                           absl::StrCat("sim:cord?seed=1&seconds=", seconds),
                           SourcePath("acquisition-agent/plans/scoliosis.plan"),
                           speed,
                           {},
                           ""});
  };
  const auto made = run_of(1, kSeconds, kSpeed);
  ASSERT_TRUE(made->Begin().ok());
  SleepFor(Duration::Seconds(kSeconds / kSpeed));
  const auto live = run_of(2, 300, 1);
  ASSERT_TRUE(live->Begin().ok());

  FaultProxy proxy(*clock, *random);
  const auto port = proxy.AddLink("slow", rig.grpc_port());
  ASSERT_TRUE(port.ok()) << port.status();
  for (const char* shape : {"rate 256 kbit/s", "delay 20 ms", "buffer 64 KiB"}) {
    ASSERT_TRUE(proxy.Tell(shape).ok()) << shape;
  }
  SlowReader reader(*clock, made->case_id());
  reader::ClientOptions options = rig.Identity("reader");
  options.hub = absl::StrCat("127.0.0.1:", *port);
  const auto slow = reader::Client::Connect(options, &reader);
  ASSERT_TRUE(slow.ok()) << slow.status();
  ASSERT_TRUE((*slow)->Follow(FollowOf(1, live->case_id(), v1::DELIVERY_LIVE)).ok());
  ASSERT_TRUE((*slow)->Follow(FollowOf(2, made->case_id(), v1::DELIVERY_COMPLETE)).ok());
  SleepFor(Duration::Seconds(3));

  const auto person = reader::Client::Connect(rig.Identity("reader-2"), nullptr);
  ASSERT_TRUE(person.ok()) << person.status();
  std::map<std::string, DeviceTime> said;
  for (int i = 0; i < kMessages; ++i) {
    v1::Record record;
    record.mutable_message()->set_kind(v1::MESSAGE_KIND_CHAT);
    record.mutable_message()->set_sender((*person)->welcome().display_name());
    record.mutable_message()->set_text(absl::StrCat("message ", i));
    said[record.message().text()] = clock->Now();
    const auto key = (*person)->Publish(live->case_id(), record, Duration::Seconds(5));
    ASSERT_TRUE(key.ok()) << key.status();
    SleepFor(Duration::Milliseconds(500));
  }
  SleepFor(Duration::Seconds(3));
  std::vector<double> ages_ms;
  for (const auto& [text, at] : reader.arrived()) {
    ages_ms.push_back((at - said.at(text)).seconds() * 1e3);
  }
  ASSERT_EQ(ages_ms.size(), static_cast<size_t>(kMessages));
  std::sort(ages_ms.begin(), ages_ms.end());
  const double p95_ms = ages_ms[ages_ms.size() * 95 / 100];
  std::cout << "messages: median " << ages_ms[ages_ms.size() / 2] << " ms, p95 " << p95_ms
            << " ms; back-fill: " << reader.complete_records() << " of "
            << made->follower().last_seq() << " records\n";
  EXPECT_LT(p95_ms, 1'000);
  EXPECT_EQ(reader.stale(), 0);
  EXPECT_GT(reader.complete_records(), 60u) << "the back-fill goes on beside a live case";
  EXPECT_LT(reader.complete_records(), made->follower().last_seq()) << "and is not over";
}

}  // namespace
}  // namespace remora::testing
