#include "acquisition-agent/sources/feed/message.h"

#include <functional>
#include <limits>

#include "acquisition-agent/sources/feed/limits.h"
#include "acquisition-agent/sources/feed/testing/device.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<wire::Envelope> Through(const wire::Envelope& envelope) {
  return DecodeMessage(EncodeMessage(envelope));
}

TEST(FeedMessage, EveryKindComesThroughAsItWas) {
  TestDevice device({});
  std::vector<wire::Envelope> sent = {
      device.Describe(0).envelope, device.Block(20'000'000, 20).envelope,
      device.Heartbeat(20'000'000).envelope, device.Trigger(0, 0).envelope, device.End(0).envelope};
  for (const wire::Envelope& envelope : sent) {
    const auto decoded = Through(envelope);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->SerializeAsString(), envelope.SerializeAsString());
  }
}

TEST(FeedMessage, AKindOfALaterVersionCounts) {
  wire::Envelope envelope;
  envelope.set_session_id(1);
  envelope.set_seq(3);
  const auto decoded = Through(envelope);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->body_case(), wire::Envelope::BODY_NOT_SET);
}

TEST(FeedMessage, TextIsMadeSafeToShow) {
  TestDevice device({});
  device.description().set_device(" Amp\x1b[2J ");
  const auto decoded = Through(device.Describe(0).envelope);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->describe().device(), "Amp [2J");
}

TEST(FeedMessage, ADeviceThatNeedsANewerListenerIsToldApart) {
  TestDevice device({});
  device.description().set_protocol_version(3);
  EXPECT_TRUE(Through(device.Describe(0).envelope).ok());
  device.description().set_minimum_version(2);
  const auto decoded = Through(device.Describe(0).envelope);
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(decoded.status().message(), HasSubstr("Update Remora"));
}

TEST(FeedMessage, HostileFramesAreRefused) {
  const std::string good = EncodeMessage(TestDevice({}).Describe(0).envelope)[1];
  for (const std::vector<std::string>& frames : std::vector<std::vector<std::string>>{
           {},
           {"remora.feed.1"},
           {good},
           {"remora.feed.2", good},
           {"remora.feed.1", good, ""},
           {"remora.feed.1", ""},
           {"remora.feed.1", "\xff\xff\xff"},
           {"remora.feed.1", std::string(kMaxMessageBytes + 1, 'x')}}) {
    EXPECT_EQ(DecodeMessage(frames).status().code(), absl::StatusCode::kInvalidArgument)
        << frames.size();
  }
}

struct HostileCase {
  const char* says;
  std::function<void(TestDevice*, wire::Envelope*)> change;
};

wire::Vital MakeVital(wire::VitalKind kind, double value) {
  wire::Vital vital;
  vital.set_kind(kind);
  vital.set_value(value);
  return vital;
}

void ExpectRefused(const std::vector<HostileCase>& cases) {
  for (const HostileCase& one : cases) {
    TestDevice device({});
    wire::Envelope envelope = device.Describe(0).envelope;
    one.change(&device, &envelope);
    const auto decoded = Through(envelope);
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument) << one.says;
    EXPECT_THAT(decoded.status().message(), HasSubstr(one.says));
  }
}

const double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(FeedMessage, HostileDescriptionsAreRefusedWithWhatIsWrong) {
  ExpectRefused({
      {"session_id", [](auto*, auto* e) { e->set_session_id(0); }},
      {"seq", [](auto*, auto* e) { e->set_seq(0); }},
      {"seq", [](auto*, auto* e) { e->set_seq(UINT64_MAX); }},
      {"sent_ns", [](auto*, auto* e) { e->set_sent_ns(INT64_MIN); }},
      {"minimum_version", [](auto*, auto* e) { e->mutable_describe()->set_minimum_version(0); }},
      {"device", [](auto*, auto* e) { e->mutable_describe()->clear_device(); }},
      {"serial", [](auto*, auto* e) { e->mutable_describe()->set_serial(std::string(65, 'x')); }},
      {"rate groups",
       [](auto*, auto* e) {
         for (int i = 0; i < 20; ++i) e->mutable_describe()->add_rate_groups();
       }},
      {"channels",
       [](auto*, auto* e) {
         for (int i = 0; i < 600; ++i) e->mutable_describe()->add_channels();
       }},
      {"sample_rate_hz",
       [](auto*, auto* e) {
         e->mutable_describe()->mutable_rate_groups(0)->set_sample_rate_hz(kNan);
       }},
      {"has no channel", [](auto*, auto* e) { e->mutable_describe()->clear_channels(); }},
      {"twice",
       [](auto*, auto* e) { e->mutable_describe()->mutable_channels(1)->set_label("C3'"); }},
      {"value_per_count",
       [](auto*, auto* e) { e->mutable_describe()->mutable_channels(0)->set_value_per_count(0); }},
      {"value_at_zero",
       [](auto*, auto* e) { e->mutable_describe()->mutable_channels(0)->set_value_at_zero(kNan); }},
      {"lowest_count",
       [](auto*, auto* e) {
         e->mutable_describe()->mutable_channels(0)->set_highest_count(INT32_MIN);
       }},
      {"rate group 7",
       [](auto*, auto* e) { e->mutable_describe()->mutable_channels(0)->set_rate_group_index(7); }},
  });
}

TEST(FeedMessage, HostileValuesAreRefusedWithWhatIsWrong) {
  ExpectRefused({
      {"first_sample_index",
       [](auto* d, auto* e) {
         *e = d->Block(0, 20).envelope;
         e->mutable_samples()->set_first_sample_index(UINT64_MAX);
       }},
      {"0 samples",
       [](auto* d, auto* e) {
         *e = d->Block(0, 20).envelope;
         e->mutable_samples()->set_samples_count(0);
       }},
      {"format",
       [](auto* d, auto* e) {
         *e = d->Block(0, 20).envelope;
         e->mutable_samples()->clear_format();
       }},
      {"no whole channels",
       [](auto* d, auto* e) {
         *e = d->Block(0, 20).envelope;
         e->mutable_samples()->mutable_packed()->pop_back();
       }},
      {"delivered_ma", [](auto*, auto* e) { e->mutable_trigger()->set_delivered_ma(-1); }},
      {"pulses_count", [](auto*, auto* e) { e->mutable_trigger()->set_pulses_count(21); }},
      {"pulse_interval_ms", [](auto*, auto* e) { e->mutable_trigger()->set_pulses_count(5); }},
      {"rate_hz", [](auto*, auto* e) { e->mutable_trigger()->set_rate_hz(0); }},
      {"at_ns", [](auto*, auto* e) { e->mutable_trigger()->set_at_ns(INT64_MAX); }},
      {"kind", [](auto*, auto* e) { e->mutable_vital()->set_value(1); }},
      {"mmHg",
       [](auto*, auto* e) {
         *e->mutable_vital() = MakeVital(wire::VITAL_KIND_MEAN_ARTERIAL_PRESSURE, 4000);
       }},
      {"Vital value",
       [](auto*, auto* e) {
         *e->mutable_vital() = MakeVital(wire::VITAL_KIND_CORE_TEMPERATURE, kNan);
       }},
      {"drug", [](auto*, auto* e) { e->mutable_drug()->set_kind(wire::DRUG_KIND_BOLUS); }},
      {"electrode", [](auto*, auto* e) { e->mutable_impedance()->set_kohm(1); }},
      {"Note text", [](auto*, auto* e) { e->mutable_note()->set_text(std::string(1025, 'x')); }},
      {"Heartbeat",
       [](auto*, auto* e) {
         for (int i = 0; i < 99; ++i) e->mutable_heartbeat()->add_next_sample_index(0);
       }},
  });
}

TEST(FeedMessage, HostileBlocksThatAreNotAsDescribedAreRefused) {
  TestDevice device({});
  const wire::Describe describe = device.Describe(0).envelope.describe();
  const wire::Samples good = device.Block(0, 20).envelope.samples();
  EXPECT_TRUE(CheckBlock(good, describe).ok());
  wire::Samples other = good;
  other.set_rate_group_index(1);
  EXPECT_THAT(CheckBlock(other, describe).message(), HasSubstr("not described"));
  other = good;
  other.set_samples_count(10);
  EXPECT_THAT(CheckBlock(other, describe).message(), HasSubstr("its channels need"));
  const wire::Samples lengthy = device.Block(0, 1001).envelope.samples();
  EXPECT_THAT(CheckBlock(lengthy, describe).message(), HasSubstr("at most 1,000"));
}

}  // namespace
}  // namespace remora::agent::feed
