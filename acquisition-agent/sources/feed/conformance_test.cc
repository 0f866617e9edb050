#include "acquisition-agent/sources/feed/conformance.h"

#include <algorithm>
#include <utility>

#include "acquisition-agent/sources/feed/testing/fake_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;

class Listener {
 public:
  void Take(const std::vector<Sent>& all) {
    for (const Sent& sent : all) Take(sent);
  }
  void Take(const Sent& sent) {
    now_ns = std::max(now_ns, sent.true_ns + jitter.Draw());
    judge.OnMessage(EncodeMessage(sent.envelope), now_ns);
  }
  Finding Line(const std::string& what) const {
    for (const Finding& finding : judge.Judge(now_ns)) {
      if (finding.what.find(what) == 0) return finding;
    }
    ADD_FAILURE() << "no line " << what;
    return {};
  }
  bool Conforms() const { return ConformanceJudge::Conforms(judge.Judge(now_ns)); }

  ConformanceJudge judge;
  Jitter jitter{4, 0.1, 0.5};
  int64_t now_ns = 0;
};

#define EXPECT_FAILS(listener, what, says)                      \
  do {                                                          \
    EXPECT_FALSE((listener).Conforms());                        \
    EXPECT_EQ((listener).Line(what).verdict, Verdict::kFail);   \
    EXPECT_THAT((listener).Line(what).figure, HasSubstr(says)); \
    EXPECT_FALSE((listener).Line(what).advice.empty());         \
  } while (false)

TEST(Conformance, ADeviceThatDoesAllRightConforms) {
  TestDevice device({.ppm = 40, .stimulus_each_ns = 250 * kMs});
  Listener listener;
  listener.Take(device.RunUntil(20 * kSecond));
  for (const Finding& finding : listener.judge.Judge(listener.now_ns)) {
    EXPECT_EQ(finding.verdict, Verdict::kPass) << finding.what << ": " << finding.figure;
  }
  EXPECT_THAT(listener.Line("device clock drift").figure, HasSubstr("ppm against this machine"));
  EXPECT_THAT(listener.Line("sequence").figure, HasSubstr("0 of"));
}

TEST(Conformance, WhatDidNotComeIsSkippedAndNotFailed) {
  TestDevice device({});
  Listener listener;
  listener.Take(device.RunUntil(1500 * kMs));
  EXPECT_EQ(listener.Line("triggers").verdict, Verdict::kSkip);
  EXPECT_EQ(listener.Line("sample rate").verdict, Verdict::kSkip);
  EXPECT_EQ(listener.Line("device clock drift").verdict, Verdict::kSkip);
  EXPECT_TRUE(listener.Conforms());
}

TEST(Conformance, NothingIsNotHeard) {
  ConformanceJudge judge;
  EXPECT_FALSE(judge.heard());
  EXPECT_FALSE(judge.anything_came());
  judge.OnMessage({"x"}, 0);
  EXPECT_TRUE(judge.anything_came());
  EXPECT_FALSE(ConformanceJudge::Conforms(judge.Judge(kSecond)));
}

TEST(Conformance, FindsLostMessagesAndSamples) {
  TestDevice device({});
  Listener listener;
  listener.Take(device.RunUntil(2 * kSecond));
  device.Block(0, 20);
  listener.Take(device.RunUntil(5 * kSecond));
  EXPECT_FAILS(listener, "sequence dense", "1 of ");
  EXPECT_FAILS(listener, "samples dense", "20 missing");
}

TEST(Conformance, FindsARateThatIsNotTheStatedOne) {
  TestDevice device({.rate_hz = 1001});
  device.description().mutable_rate_groups(0)->set_sample_rate_hz(1000);
  Listener listener;
  listener.Take(device.RunUntil(5 * kSecond));
  EXPECT_FAILS(listener, "sample rate", "+1000.0 ppm");
}

TEST(Conformance, FindsAClockInOtherUnits) {
  TestDevice device({.ppm = 400});
  Listener listener;
  listener.Take(device.RunUntil(20 * kSecond));
  EXPECT_FAILS(listener, "device clock drift", "+");
}

TEST(Conformance, FindsAClockThatGoesBack) {
  TestDevice device({});
  Listener listener;
  listener.Take(device.RunUntil(2 * kSecond));
  Sent back = device.Heartbeat(2 * kSecond);
  back.envelope.set_sent_ns(0);
  listener.Take(back);
  EXPECT_FAILS(listener, "device clock monotonic", "1 times");
}

TEST(Conformance, FindsMissingHeartbeatsAndDescriptions) {
  TestDevice device({});
  Listener listener;
  bool first = true;
  for (const Sent& sent : device.RunUntil(5 * kSecond)) {
    if (sent.envelope.has_heartbeat()) continue;
    if (sent.envelope.has_describe() && !std::exchange(first, false)) continue;
    listener.Take(sent);
  }
  EXPECT_FAILS(listener, "heartbeats", "0, at most 4.9");
  EXPECT_FAILS(listener, "description", "5.0 s apart");
}

TEST(Conformance, FindsStimuliToldAfterTheirSamples) {
  TestDevice device({});
  Listener listener;
  listener.Take(device.RunUntil(2 * kSecond));
  listener.Take(device.Trigger(2 * kSecond, 1'900 * kMs));
  EXPECT_FAILS(listener, "triggers", "1 of 1");
}

TEST(Conformance, FindsBlocksThatAreTooLong) {
  TestDevice device({.block_samples = 200});
  Listener listener;
  listener.Take(device.RunUntil(4 * kSecond));
  EXPECT_FAILS(listener, "block sizes", "200.0 ms");
}

TEST(Conformance, FindsSlowWays) {
  TestDevice device({});
  Listener listener;
  listener.jitter = Jitter(3, 1, 40);
  listener.Take(device.RunUntil(20 * kSecond));
  EXPECT_FAILS(listener, "delays", "p99");
}

TEST(Conformance, FindsTimesThatWereReadAndNotCounted) {
  TestDevice device({});
  Listener listener;
  for (Sent& sent : device.RunUntil(5 * kSecond)) {
    if (sent.envelope.has_samples()) {
      sent.envelope.mutable_samples()->set_first_sample_ns(
          sent.envelope.samples().first_sample_ns() + (sent.envelope.seq() % 5) * kMs);
    }
    listener.Take(sent);
  }
  EXPECT_FAILS(listener, "samples dense", "times within 4.000 ms");
}

TEST(Conformance, HostileMessagesAreCountedWithTheFirstReason) {
  TestDevice device({});
  Listener listener;
  listener.Take(device.RunUntil(2 * kSecond));
  listener.judge.OnMessage({"remora.feed.1", "\xff"}, listener.now_ns);
  listener.judge.OnMessage({}, listener.now_ns);
  EXPECT_FAILS(listener, "messages well-formed", "2 of ");
  EXPECT_THAT(listener.Line("messages well-formed").advice, HasSubstr("no Protocol Buffers"));
}

TEST(Conformance, FindsBlocksThatAreOldOrOfTheFuture) {
  for (const int64_t late_ns : {600 * kMs, -15 * kMs}) {
    TestDevice device({});
    Listener listener;
    for (Sent& sent : device.RunUntil(5 * kSecond)) {
      sent.envelope.set_sent_ns(sent.envelope.sent_ns() + late_ns);
      listener.Take(sent);
    }
    EXPECT_FAILS(listener, "age of blocks", late_ns > 0 ? "600.0 ms" : "-15.0 to -15.0 ms");
  }
  // As soon as the last sample is there: a sample before the block's end.
  TestDevice device({});
  Listener listener;
  for (Sent& sent : device.RunUntil(5 * kSecond)) {
    if (sent.envelope.has_samples()) sent.envelope.set_sent_ns(sent.envelope.sent_ns() - kMs);
    listener.Take(sent);
  }
  EXPECT_EQ(listener.Line("age of blocks").verdict, Verdict::kPass);
}

TEST(Conformance, FindsStimulatorsThatHoldTheOthersUp) {
  for (const int64_t ahead_ns : {int64_t{0}, kMs}) {
    TestDevice device({.labels = {}, .stimulus_each_ns = 333 * kMs});
    Listener listener;
    for (Sent& sent : device.RunUntil(5 * kSecond)) {
      if (sent.envelope.has_heartbeat()) {
        sent.envelope.mutable_heartbeat()->set_told_until_ns(
            ahead_ns == 0 ? 0 : sent.envelope.sent_ns() + ahead_ns);
      }
      listener.Take(sent);
    }
    EXPECT_FAILS(listener, "heartbeats", "with a told_until_ns that says nothing");
  }
  TestDevice device({.labels = {}, .stimulus_each_ns = 333 * kMs});
  Listener listener;
  listener.Take(device.RunUntil(5 * kSecond));
  EXPECT_EQ(listener.Line("heartbeats").verdict, Verdict::kPass);
}

}  // namespace
}  // namespace remora::agent::feed
