#include "common/record_codec.h"

#include <sodium.h>

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "common/origin_seq.h"
#include "common/sample_codec.h"
#include "common/testing/record_oracle.h"
#include "common/testing/sample_records.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

using testing::HasSubstr;

const RecordStamp kStamp = {3, 17, HubTime::FromNanoseconds(1'767'225'600'000'000'001), false};

std::string Bytes(v1::Record::BodyCase kind) { return SampleRecord(kind).SerializeAsString(); }

// A record by hand, field by field, for what protobuf never writes.
std::string Field(int number, const std::string& value) {
  std::string bytes;
  int tag = number << 3 | 2;
  if (tag >= 0x80) bytes.push_back(static_cast<char>(tag | 0x80)), tag >>= 7;
  bytes.push_back(static_cast<char>(tag));
  bytes.push_back(static_cast<char>(value.size()));
  return bytes + value;
}
std::string Header(const std::string& lane_and_seq) {
  return Field(1, std::string(16, 'c')) + Field(2, std::string(16, 'o')) + lane_and_seq;
}

TEST(RecordWalk, ReadsTheHeaderOfEveryKind) {
  int kinds = 0;
  for (const v1::Record& record : SampleRecords()) {
    const std::string bytes = record.SerializeAsString();
    const auto header = WalkRecord(bytes);
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(header->case_id, CaseIdForTest());
    EXPECT_EQ(header->origin, OriginIdForTest());
    EXPECT_EQ(header->lane, record.lane());
    EXPECT_EQ(header->origin_seq, 1u);
    EXPECT_EQ(header->kind, static_cast<uint32_t>(record.body_case()));
    v1::Record parsed;
    const absl::Status status = ValidateBody(*header, bytes, &parsed);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(parsed.SerializeAsString(), header->lane < 3 ? bytes : "");
    EXPECT_EQ(CheckRecordOracle(bytes).wrong, "");
    ++kinds;
  }
  // Every body that the contract has is among the samples.
  EXPECT_EQ(kinds, v1::Record::descriptor()->oneof_decl(0)->field_count());
}

TEST(RecordWalk, KeepsAKindOfALaterVersion) {
  const std::string bytes = Header("\x20\x05") + Field(31, "whatever");
  const auto header = WalkRecord(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->kind, 31u);
  EXPECT_EQ(header->lane, 0u);
  EXPECT_EQ(header->body, "whatever");
  v1::Record parsed;
  EXPECT_TRUE(ValidateBody(*header, bytes, &parsed).ok());
  EXPECT_EQ(CheckRecordOracle(bytes).wrong, "");
  EXPECT_EQ(KindName(31), "kind 31");
  EXPECT_EQ(KindName(16), "alert");
}

TEST(RecordWalk, HostileRecordsAreRefusedWithTheReason) {
  const std::string head = Header("\x20\x05");
  const std::string body = Field(18, "");
  ASSERT_TRUE(WalkRecord(head + body).ok());
  const struct {
    std::string bytes;
    const char* reason;
  } cases[] = {
      {"", "case_id is missing"},
      {head, "no body"},
      {head + body + body, "a second body"},
      {head + body + Field(17, ""), "a second body"},
      {head + Field(1, std::string(16, 'c')) + body, "field 1 for the second time"},
      {head + "\x20\x06" + body, "field 4 for the second time"},
      {head + body + Field(15, "\x0d\x01\x01\x01\x01"), "a stamp"},
      {head + Field(6, "x") + body, "field 6 is none of a record's"},
      {head + body + Field(14, "x"), "field 14 is none"},
      {head + body + Field(128, "x"), "field 128 is none"},
      {head + body + "\x83\x01\x84\x01", "no field starts here"},          // a group, field 16
      {head + body + "\x07", "no field starts here"},                      // wire type 7
      {head + body + std::string("\x02\x00", 2), "no field starts here"},  // field 0
      {head + "\x92\x01\x05xyz", "truncated"},
      {head + "\x90\x01\x05", "truncated or no message"},  // the body as a number
      {head + "\x92", "no field starts here"},
      {head + "\x92\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "truncated"},
      {head + "\x92\x81\x00", "no field starts here"},           // an overlong tag
      {head + std::string("\x92\x01\x80\x00", 4), "truncated"},  // an overlong length
      {Header(std::string("\x20\x80\x00", 3)) + body, "overlong"},
      {Header(std::string("\x20\x00", 2)) + body, "origin_seq"},
      {Header("") + body, "origin_seq"},
      // 2^53, and 2^64 - 1.
      {Header("\x20\x80\x80\x80\x80\x80\x80\x80\x10") + body, "origin_seq must be at most"},
      {Header("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") + body, "origin_seq must be at most"},
      {Header("\x18\x01\x20\x05") + body, "lane 1 but body message"},
      {Header("\x18\x06\x20\x05") + body, "lane must be 0 to 5"},
      // Lane 2^32, which a 32-bit reader takes for 0.
      {Header("\x18\x80\x80\x80\x80\x10\x20\x05") + body, "lane must be 0 to 5"},
      {Field(1, std::string(15, 'c')) + Field(2, std::string(16, 'o')) + "\x20\x05" + body,
       "case_id must be 16 bytes"},
      {Field(1, std::string(16, 'c')) + Field(2, std::string(17, 'o')) + "\x20\x05" + body,
       "origin must be 16 bytes"},
      {Field(2, std::string(16, 'o')) + "\x20\x05" + body, "case_id is missing"},
      {Field(1, std::string(16, 'c')) + "\x20\x05" + body, "origin is missing"},
      {head + Field(5, "\x08\x01") + body, "captured_at"},
      {head + Field(5, "\x09zzzzzzzz\x09zzzzzzzz") + body, "captured_at"},
      {head + Field(5, "\x21zzzzzzzz") + body, "captured_at"},
      {head + Field(5, "\x09zzz") + body, "captured_at"},
  };
  for (const auto& c : cases) {
    const auto header = WalkRecord(c.bytes);
    ASSERT_FALSE(header.ok()) << c.reason;
    EXPECT_TRUE(absl::IsInvalidArgument(header.status()));
    EXPECT_THAT(std::string(header.status().message()), HasSubstr(c.reason));
  }
}

TEST(RecordWalk, ReadsTheLargestNumberThatABrowserCanTell) {
  const auto header = WalkRecord(Header("\x20\xff\xff\xff\xff\xff\xff\xff\x0f") + Field(18, ""));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->origin_seq, 9'007'199'254'740'991u);
  EXPECT_EQ(header->origin_seq, kMaxOriginSeq);
}

TEST(RecordWalk, HostileSizesAreRefusedByLane) {
  v1::Record message = SampleRecord(v1::Record::kMessage);
  message.mutable_message()->set_text(std::string(kMaxControlBytes, 'x'));
  EXPECT_THAT(WalkRecord(message.SerializeAsString()).status().ToString(), HasSubstr("larger"));
  for (const auto kind : {v1::Record::kSweep, v1::Record::kSampleBlock, v1::Record::kEnvelope}) {
    const size_t limit = kind == v1::Record::kSweep ? kMaxSweepBytes : kMaxBlockBytes;
    std::string bytes = Bytes(kind);
    // An unknown field of a later version fills the body up to the limit, and one over it.
    for (const size_t size : {limit, limit + 1}) {
      v1::Record record;
      ASSERT_TRUE(record.ParseFromString(bytes));
      record.clear_captured_at();
      auto* body = record.GetReflection()->MutableMessage(
          &record, record.GetDescriptor()->FindFieldByNumber(static_cast<int>(kind)));
      auto* unknown = body->GetReflection()->MutableUnknownFields(body);
      std::string* filler = unknown->AddLengthDelimited(100);
      while (record.ByteSizeLong() < size) filler->append(size - record.ByteSizeLong(), 'x');
      while (record.ByteSizeLong() > size) filler->pop_back();
      if (record.ByteSizeLong() != size) continue;  // a length that takes one more byte
      EXPECT_EQ(WalkRecord(record.SerializeAsString()).ok(), size == limit) << KindName(kind);
    }
  }
}

TEST(RecordStamp, IsTheSame25BytesForEveryHub) {
  std::string bytes;
  AppendStamp({0x01020304, 0x1112131415161718, HubTime::FromNanoseconds(0x2122232425262728), false},
              &bytes);
  EXPECT_EQ(bytes, std::string("\x7a\x17\x0d\x04\x03\x02\x01\x11\x18\x17\x16\x15\x14\x13\x12\x11"
                               "\x19\x28\x27\x26\x25\x24\x23\x22\x21",
                               kStampBytes));
}

TEST(RecordStamp, IsReadBackFromTheEnd) {
  const std::string origin = Bytes(v1::Record::kSweep);
  for (const RecordStamp& stamp : {kStamp, RecordStamp{3, 0, kStamp.recorded_at, true}}) {
    std::string bytes = origin;
    AppendStamp(stamp, &bytes);
    const auto walked = WalkStamped(bytes);
    ASSERT_TRUE(walked.ok()) << walked.status();
    EXPECT_EQ(walked->origin_bytes, origin);
    EXPECT_EQ(walked->stamp.seq, stamp.seq);
    EXPECT_EQ(walked->stamp.epoch, 3u);
    EXPECT_EQ(walked->stamp.recorded_at, stamp.recorded_at);
    EXPECT_EQ(walked->stamp.unrecorded, stamp.unrecorded);
  }
}

TEST(RecordStamp, HostileStampsAreRefused) {
  const std::string origin = Bytes(v1::Record::kMessage);
  std::string good = origin;
  AppendStamp(kStamp, &good);
  EXPECT_FALSE(WalkStamped(origin).ok());
  EXPECT_FALSE(WalkStamped("").ok());
  // The same fields in another order, and in front.
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(good));
  v1::Record only_stamp;
  *only_stamp.mutable_stamp() = record.stamp();
  EXPECT_FALSE(WalkStamped(only_stamp.SerializeAsString() + origin).ok());
  std::string zero_seq = good;
  zero_seq.replace(good.size() - kStampBytes + 8, 8, std::string(8, '\0'));
  EXPECT_FALSE(WalkStamped(zero_seq).ok());
  std::string twice = good;
  AppendStamp(kStamp, &twice);
  EXPECT_FALSE(WalkStamped(twice).ok());
  for (size_t cut = 1; cut < good.size(); ++cut) {
    EXPECT_FALSE(WalkStamped(good.substr(0, good.size() - cut)).ok()) << cut;
  }
}

TEST(RecordFrame, FramesAreARepeatedField) {
  v1::Record a = SampleRecord(v1::Record::kMessage);
  std::string frames;
  AppendFrame(a.SerializeAsString(), &frames);
  AppendFrame("", &frames);
  AppendFrame(std::string(300, 'x'), &frames);
  absl::string_view rest = frames;
  EXPECT_EQ(TakeFrame(&rest).value(), a.SerializeAsString());
  EXPECT_EQ(TakeFrame(&rest).value(), "");
  EXPECT_EQ(TakeFrame(&rest).value(), std::string(300, 'x'));
  EXPECT_TRUE(rest.empty());
  EXPECT_FALSE(TakeFrame(&rest).ok());
  for (absl::string_view bad : {"\x0a", "\x0a\x05xyz", "\x12\x00", "\x0a\x81"}) {
    EXPECT_FALSE(TakeFrame(&bad).ok());
  }
}

TEST(RecordDigest, IsTheStartOfBlake2b256) {
  // BLAKE2b-256 of "" starts 0e5751c026e543b2 (RFC 7693's function at 32 bytes of output).
  EXPECT_EQ(RecordDigest(""), 0xb243e526c051570eu);
  EXPECT_NE(RecordDigest("a"), RecordDigest("b"));
}

TEST(RecordIds, SurviveTheContractAndHostileOnesBecomeZero) {
  const RecordKey key = {OriginIdForTest(), 3, 99};
  EXPECT_EQ(FromProto(ToProto(key)), key);
  v1::RecordId id = ToProto(key);
  id.set_lane(6);
  EXPECT_EQ(FromProto(id), RecordKey());
  id.set_lane(3);
  id.set_origin("short");
  EXPECT_EQ(FromProto(id), RecordKey());
  id = ToProto({OriginIdForTest(), 3, kMaxOriginSeq});
  EXPECT_EQ(FromProto(id).origin_seq, kMaxOriginSeq);
  id.set_origin_seq(kMaxOriginSeq + 1);
  EXPECT_EQ(FromProto(id), RecordKey());
}

// Checks that `change` makes the sample of `kind` invalid, for `reason`.
template <typename Change>
void ExpectRefused(v1::Record::BodyCase kind, const char* reason, Change change) {
  v1::Record record = SampleRecord(kind);
  change(record);
  const std::string bytes = record.SerializeAsString();
  const auto header = WalkRecord(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  v1::Record parsed;
  const absl::Status status = ValidateBody(*header, bytes, &parsed);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << reason;
  EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
}

TEST(ValidateBody, HostileControlValuesAreRefused) {
  using R = v1::Record;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  ExpectRefused(R::kMessage, "Message.text: at most 2000",
                [](R& r) { r.mutable_message()->set_text(std::string(2001, 'x')); });
  ExpectRefused(R::kMessage, "Message.text: required",
                [](R& r) { r.mutable_message()->clear_text(); });
  ExpectRefused(R::kMessage, "Message.kind: required",
                [](R& r) { r.mutable_message()->clear_kind(); });
  ExpectRefused(R::kMessage, "99 is none of MessageKind",
                [](R& r) { r.mutable_message()->set_kind(static_cast<v1::MessageKind>(99)); });
  ExpectRefused(R::kMessage, "Message.about: origin must be 16 bytes",
                [](R& r) { r.mutable_message()->mutable_about()->set_origin("short"); });
  ExpectRefused(R::kMeasurement, "Measurement.amplitude_uv: not a finite",
                [](R& r) { r.mutable_measurement()->set_amplitude_uv(kNan); });
  ExpectRefused(R::kMeasurement, "Measurement.sweep",
                [](R& r) { r.mutable_measurement()->clear_sweep(); });
  ExpectRefused(R::kAlert, "AlertEvidence.noise_uv_rms: not a finite",
                [](R& r) { r.mutable_alert()->mutable_evidence()->set_noise_uv_rms(-1 / 0.0); });
  ExpectRefused(R::kAlert, "Alert.raised_by",
                [](R& r) { r.mutable_alert()->set_condition(v1::ALERT_CONDITION_RECOVERED); });
  ExpectRefused(R::kAlert, "Alert.evidence", [](R& r) { r.mutable_alert()->clear_evidence(); });
  ExpectRefused(R::kAlert, "AlertEvidence.reduced_trace: fewer bytes", [](R& r) {
    r.mutable_alert()->mutable_evidence()->mutable_reduced_trace()->set_sample_count(500);
  });
  ExpectRefused(R::kAlert, "at most 512 samples", [](R& r) {
    *r.mutable_alert()->mutable_evidence()->mutable_reduced_trace() =
        PackCounts(std::vector<int32_t>(513, 0), 1);
  });
  ExpectRefused(R::kAlertAction, "AlertAction.reason",
                [](R& r) { r.mutable_alert_action()->set_kind(v1::ALERT_ACTION_KIND_DISMISSED); });
  ExpectRefused(R::kCaseLifecycle, "CaseLifecycle.theatre",
                [](R& r) { r.mutable_case_lifecycle()->clear_theatre(); });
  ExpectRefused(R::kCaseLifecycle, "CaseLifecycle.theatre: at most 128",
                [](R& r) { r.mutable_case_lifecycle()->set_theatre(std::string(129, 'x')); });
  ExpectRefused(R::kCaseLifecycle, "corrected_case_id", [](R& r) {
    r.mutable_case_lifecycle()->set_transition(v1::CASE_TRANSITION_CORRECTED);
    r.mutable_case_lifecycle()->set_reason("wrong patient");
  });
  ExpectRefused(R::kBaselineSet, "BaselineSet.sweeps: at least one",
                [](R& r) { r.mutable_baseline_set()->clear_sweeps(); });
  ExpectRefused(R::kDataGap, "DataGap.first_origin_seq",
                [](R& r) { r.mutable_data_gap()->set_last_origin_seq(1); });
  ExpectRefused(R::kDataGap, "DataGap.first_origin_seq, last_origin_seq: at most",
                [](R& r) { r.mutable_data_gap()->set_last_origin_seq(kMaxOriginSeq + 1); });
  ExpectRefused(R::kPublisherTotal, "last_origin_seq at most", [](R& r) {
    r.mutable_publisher_total()->mutable_lanes(0)->set_last_origin_seq(UINT64_MAX);
  });
  ExpectRefused(R::kMessage, "Message.about: origin_seq: at most",
                [](R& r) { r.mutable_message()->mutable_about()->set_origin_seq(UINT64_MAX); });
  ExpectRefused(R::kCasePlanSet, "at most 512 entries", [](R& r) {
    for (int i = 0; i < 513; ++i) {
      r.mutable_case_plan_set()->mutable_montage()->mutable_derivation(0)->add_plus("C");
    }
  });
  ExpectRefused(R::kLinkState, "LinkState.participant: required", [](R& r) {
    r.mutable_link_state()->clear_participant();
    r.mutable_link_state()->set_own_view(false);
  });
  ExpectRefused(R::kTrainOfFour, "twitch_count: 0 to 4",
                [](R& r) { r.mutable_train_of_four()->set_twitch_count(5); });
}

TEST(ValidateBody, HostileMeasurementsAreRefused) {
  using R = v1::Record;
  ExpectRefused(R::kTrainOfFour, "twitch_uv: 4 or none",
                [](R& r) { r.mutable_train_of_four()->add_twitch_uv(1); });
  ExpectRefused(R::kTrainOfFour, "TrainOfFour.sweeps",
                [](R& r) { r.mutable_train_of_four()->clear_sweeps(); });
  ExpectRefused(R::kSpectralEdge, "asymmetry: -1 to 1",
                [](R& r) { r.mutable_spectral_edge()->set_asymmetry(1.01); });
  ExpectRefused(R::kSpectralEdge, "burst_suppression_percent",
                [](R& r) { r.mutable_spectral_edge()->set_burst_suppression_percent(101); });
  ExpectRefused(R::kStimulusThreshold, "has a current or a voltage",
                [](R& r) { r.mutable_stimulus_threshold()->set_threshold_ma(0); });
  ExpectRefused(R::kStimulusThreshold, "steps: at most 32", [](R& r) {
    for (int i = 0; i < 31; ++i) r.mutable_stimulus_threshold()->add_steps();
  });
  ExpectRefused(R::kRelation, "records of lane 2",
                [](R& r) { r.mutable_relation()->mutable_second()->set_lane(3); });
  ExpectRefused(R::kMappingResult, "both or none",
                [](R& r) { r.mutable_mapping_result()->set_contact_after(0); });
  ExpectRefused(R::kMappingResult, "confidence: 0 to 1",
                [](R& r) { r.mutable_mapping_result()->set_confidence(1.5); });
  ExpectRefused(R::kEegActivity, "EegActivity.kind",
                [](R& r) { r.mutable_eeg_activity()->clear_kind(); });
  ExpectRefused(R::kMeasurement, "intervals: at most 4", [](R& r) {
    for (int i = 0; i < 5; ++i) r.mutable_measurement()->add_intervals()->set_name("I-V");
  });
}

// An origin of before each vital had a kind.
TEST(ValidateBody, VitalsAsSingleNumbersAreTaken) {
  v1::Record record = SampleRecord(v1::Record::kVitals);
  record.mutable_vitals()->clear_vitals();
  record.mutable_vitals()->set_mean_arterial_pressure_mmhg(72);
  const std::string bytes = record.SerializeAsString();
  const auto header = WalkRecord(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  v1::Record parsed;
  EXPECT_TRUE(ValidateBody(*header, bytes, &parsed).ok());
}

TEST(ValidateBody, HostileMusclesAndSpectraAreRefused) {
  using R = v1::Record;
  ExpectRefused(R::kMeasurement, "area_uv_ms: not negative",
                [](R& r) { r.mutable_measurement()->mutable_muscle()->set_area_uv_ms(-1); });
  for (const double ratio : {-0.1, 2.01}) {
    ExpectRefused(R::kTrainOfFour, "ratio: 0 to 2",
                  [ratio](R& r) { r.mutable_train_of_four()->set_ratio(ratio); });
  }
  ExpectRefused(R::kTrainOfFour, "twitch_uv: not negative",
                [](R& r) { r.mutable_train_of_four()->set_twitch_uv(3, -1); });
  ExpectRefused(R::kTrainOfFour, "TrainOfFour.stimulus: nothing of a stimulus is negative",
                [](R& r) { r.mutable_train_of_four()->mutable_stimulus()->set_current_ma(-40); });
  ExpectRefused(R::kTrainOfFour, "t1_percent_of_control: not negative",
                [](R& r) { r.mutable_train_of_four()->set_t1_percent_of_control(-1); });
  using E = v1::SpectralEdge;
  for (const auto set : {&E::set_delta_uv2, &E::set_theta_uv2, &E::set_alpha_uv2, &E::set_beta_uv2,
                         &E::set_gamma_uv2, &E::set_fast_uv2}) {
    ExpectRefused(R::kSpectralEdge, "powers not negative",
                  [set](R& r) { (r.mutable_spectral_edge()->*set)(-1); });
  }
  for (const auto set : {&E::set_sef95_hz, &E::set_median_hz}) {
    ExpectRefused(R::kSpectralEdge, "frequencies not negative",
                  [set](R& r) { (r.mutable_spectral_edge()->*set)(-1); });
  }
  for (const double seconds : {-1.0, 60.1}) {
    ExpectRefused(R::kSpectralEdge, "suppression_over_s: 0 to 60",
                  [seconds](R& r) { r.mutable_spectral_edge()->set_suppression_over_s(seconds); });
  }
  ExpectRefused(R::kSpectralEdge, "window_ms: not negative",
                [](R& r) { r.mutable_spectral_edge()->set_window_ms(-1); });
  using A = v1::EegActivity;
  for (const auto set : {&A::set_peak_uv, &A::set_rate_hz, &A::set_current_ma}) {
    ExpectRefused(R::kEegActivity, "peak_uv, rate_hz, current_ma: not negative",
                  [set](R& r) { (r.mutable_eeg_activity()->*set)(-1); });
  }
  ExpectRefused(R::kRelation, "a ratio is not negative", [](R& r) {
    r.mutable_relation()->set_kind(v1::RELATION_KIND_RATIO);
    r.mutable_relation()->set_value(-0.5);
  });
}

TEST(ValidateBody, HostileThresholdsAndMapsAreRefused) {
  using R = v1::Record;
  using T = v1::StimulusThreshold;
  for (const auto set :
       {&T::set_threshold_ma, &T::set_threshold_v, &T::set_rising_threshold,
        &T::set_falling_threshold, &T::set_largest_without_response, &T::set_own_mean}) {
    ExpectRefused(R::kStimulusThreshold, "a threshold is not negative",
                  [set](R& r) { (r.mutable_stimulus_threshold()->*set)(-1); });
  }
  ExpectRefused(R::kStimulusThreshold, "step: not negative",
                [](R& r) { r.mutable_stimulus_threshold()->set_step(-1); });
  ExpectRefused(R::kStimulusThreshold, "state: required",
                [](R& r) { r.mutable_stimulus_threshold()->clear_state(); });
  ExpectRefused(R::kStimulusThreshold, "an intensity is not negative",
                [](R& r) { r.mutable_stimulus_threshold()->mutable_steps(1)->set_intensity(-1); });
  ExpectRefused(R::kStimulusThreshold, "a sweep a record of lane 3", [](R& r) {
    r.mutable_stimulus_threshold()->mutable_steps(0)->mutable_sweep()->set_lane(2);
  });
  ExpectRefused(R::kStimulusThreshold, "nothing of a stimulus is negative", [](R& r) {
    r.mutable_stimulus_threshold()->mutable_stimulus()->set_delivered_v(-1);
  });
  ExpectRefused(R::kMappingContact, "contact_index: starts at 1",
                [](R& r) { r.mutable_mapping_contact()->clear_contact_index(); });
  for (const double polarity : {-1.01, 1.01}) {
    ExpectRefused(R::kMappingContact, "polarity_ratio: -1 to 1",
                  [polarity](R& r) { r.mutable_mapping_contact()->set_polarity_ratio(polarity); });
  }
  ExpectRefused(R::kMappingContact, "amplitude_uv: not negative",
                [](R& r) { r.mutable_mapping_contact()->set_amplitude_uv(-1); });
  ExpectRefused(R::kMappingContact, "current_ma: not negative",
                [](R& r) { r.mutable_mapping_contact()->set_current_ma(-1); });
  ExpectRefused(R::kMappingContact, "sweep: a record of lane 3",
                [](R& r) { r.mutable_mapping_contact()->mutable_sweep()->set_lane(2); });
  for (const uint32_t after : {3u, 4u}) {
    ExpectRefused(R::kMappingResult, "contact_before, contact_after: ascending",
                  [after](R& r) { r.mutable_mapping_result()->set_contact_after(after); });
  }
}

TEST(ValidateBody, HostileStimuliAreRefusedWhereverTheyStand) {
  using R = v1::Record;
  using S = v1::StimulusSetting;
  for (const auto set : {&S::set_current_ma, &S::set_rate_hz, &S::set_pulse_us, &S::set_voltage_v,
                         &S::set_pulse_interval_ms, &S::set_delivered_ma, &S::set_delivered_v}) {
    ExpectRefused(R::kStimulusChange, "StimulusChange.stimulus: nothing of a stimulus is negative",
                  [set](R& r) { (r.mutable_stimulus_change()->mutable_stimulus()->*set)(-1); });
    ExpectRefused(R::kStimulusChange, "StimulusChange.previous: nothing of a stimulus is negative",
                  [set](R& r) { (r.mutable_stimulus_change()->mutable_previous()->*set)(-1); });
    ExpectRefused(R::kCasePlanSet, "MotorPlan.stimulus: nothing of a stimulus is negative",
                  [set](R& r) {
                    v1::Plan& plan = *r.mutable_case_plan_set()->mutable_plan();
                    (plan.add_motor()->mutable_stimulus()->*set)(-1);
                  });
  }
}

TEST(ValidateBody, HostileContextIsRefused) {
  using R = v1::Record;
  for (const double index : {-1.0, 100.5}) {
    ExpectRefused(R::kVitals, "a bispectral index is 0 to 100", [index](R& r) {
      r.mutable_vitals()->mutable_vitals(0)->set_kind(v1::VITAL_KIND_BISPECTRAL_INDEX);
      r.mutable_vitals()->mutable_vitals(0)->set_value(index);
    });
  }
  ExpectRefused(R::kImpedances, "0 of one that is open",
                [](R& r) { r.mutable_impedances()->mutable_electrodes(1)->set_kohm(4); });
  ExpectRefused(R::kVitals, "Vital.kind: required",
                [](R& r) { r.mutable_vitals()->mutable_vitals(0)->clear_kind(); });
  ExpectRefused(R::kVitals, "1 to 12", [](R& r) { r.mutable_vitals()->clear_vitals(); });
  ExpectRefused(R::kDrugGiven, "amount: not negative",
                [](R& r) { r.mutable_drug_given()->set_amount(-1); });
  ExpectRefused(R::kImpedances, "at least one",
                [](R& r) { r.mutable_impedances()->clear_electrodes(); });
  ExpectRefused(R::kImpedances, "kohm not negative",
                [](R& r) { r.mutable_impedances()->mutable_electrodes(0)->set_kohm(-1); });
  ExpectRefused(R::kPositionChange, "position: required",
                [](R& r) { r.mutable_position_change()->clear_position(); });
}

TEST(ValidateBody, HostileReferencesOfAnActionAreRefused) {
  using R = v1::Record;
  ExpectRefused(R::kAlertAction, "AlertAction.seen: origin must be 16 bytes",
                [](R& r) { r.mutable_alert_action()->mutable_seen()->clear_origin(); });
  ExpectRefused(R::kAlertAction, "AlertAction.undone: origin must be 16 bytes",
                [](R& r) { r.mutable_alert_action()->mutable_undone()->set_origin("short"); });
  ExpectRefused(R::kAlertAction, "AlertAction.undone: lane must be 0 to 5",
                [](R& r) { r.mutable_alert_action()->mutable_undone()->set_lane(6); });
  ExpectRefused(R::kAlertAction, "AlertAction.seen: origin_seq starts at 1",
                [](R& r) { r.mutable_alert_action()->mutable_seen()->clear_origin_seq(); });
}

// The sample of `kind` with a body of `bytes`, padded with a field of a later version.
std::string PaddedTo(size_t bytes, const v1::Record& sample, v1::Record* record) {
  *record = sample;
  const auto* field = v1::Record::descriptor()->FindFieldByNumber(sample.body_case());
  google::protobuf::Message* body = record->GetReflection()->MutableMessage(record, field);
  std::string* padding =
      body->GetReflection()->MutableUnknownFields(body)->AddLengthDelimited(1000);
  // Tag and length: two bytes and one to three.
  while (body->ByteSizeLong() < bytes) padding->append(bytes - body->ByteSizeLong(), 'x');
  while (body->ByteSizeLong() > bytes) padding->pop_back();
  EXPECT_EQ(body->ByteSizeLong(), bytes);
  return record->SerializeAsString();
}

TEST(ValidateBody, HostilePaddingBeyondWhatTheKindMayTakeIsRefused) {
  for (const v1::Record& sample : SampleRecords()) {
    if (sample.lane() >= kControlLaneCount) continue;
    const auto kind = static_cast<uint32_t>(sample.body_case());
    SCOPED_TRACE(KindName(kind));
    const size_t limit = MaxBodyBytes(kind);
    const size_t most = std::min(limit, kMaxControlBytes - 200);  // the header is a record's, too
    for (const size_t bytes : {most, most + 1}) {
      v1::Record padded;
      const std::string record = PaddedTo(bytes, sample, &padded);
      const auto header = WalkRecord(record);
      ASSERT_TRUE(header.ok()) << header.status();
      v1::Record parsed;
      const absl::Status status = ValidateBody(*header, record, &parsed);
      EXPECT_EQ(status.ok(), bytes <= limit) << status;
      EXPECT_EQ(CheckRecordOracle(record).wrong, "");
      if (!status.ok()) {
        EXPECT_THAT(std::string(status.message()),
                    HasSubstr(absl::StrCat(KindName(kind), ": a body of ", bytes,
                                           " bytes; at most ", limit)));
      }
    }
  }
  EXPECT_EQ(MaxBodyBytes(v1::Record::kMessageReceipt), 512u);
  EXPECT_EQ(MaxBodyBytes(v1::Record::kAlertAction), 2048u);
  EXPECT_EQ(MaxBodyBytes(v1::Record::kMessage), 3072u);
  for (const uint32_t large : {v1::Record::kAlert + 0u, v1::Record::kBaselineSet + 0u,
                               v1::Record::kCasePlanSet + 0u, v1::Record::kCertificate + 0u, 31u}) {
    EXPECT_EQ(MaxBodyBytes(large), kMaxControlBytes) << large;
  }
}

// Sets each field of `body` to the longest value that validation takes; lists stay as they are.
void FillToTheLimits(google::protobuf::Message* body) {
  using google::protobuf::FieldDescriptor;
  const auto* reflection = body->GetReflection();
  for (int i = 0; i < body->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = body->GetDescriptor()->field(i);
    if (field->is_repeated()) continue;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string& name = field->name();
        const bool id = field->type() == FieldDescriptor::TYPE_BYTES &&
                        (name == "origin" || name == "corrected_case_id");
        const bool text = name == "text" || name == "summary" || name == "comment";
        const bool reason = name == "reason" || name == "source" || name == "finding" ||
                            name == "procedure" || name == "cause" || name == "test";
        reflection->SetString(body, field,
                              std::string(id       ? OriginId::kBytes
                                          : text   ? kMaxTextBytes
                                          : reason ? kMaxReasonBytes
                                                   : kMaxNameBytes,
                                          'x'));
        break;
      }
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection->SetDouble(body, field, 1.5);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(body, field, true);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(body, field, field->name() == "lane" ? 5 : UINT32_MAX);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(
            body, field, absl::EndsWith(field->name(), "origin_seq") ? kMaxOriginSeq : UINT64_MAX);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(body, field, INT64_MAX);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        FillToTheLimits(reflection->MutableMessage(body, field));
        break;
      default:
        break;  // enums: one byte
    }
  }
}

TEST(ValidateBody, TheLargestBodyThatIsNotPaddedFits) {
  for (v1::Record record : SampleRecords()) {
    const auto kind = static_cast<uint32_t>(record.body_case());
    if (MaxBodyBytes(kind) == kMaxControlBytes || record.lane() >= kControlLaneCount) continue;
    SCOPED_TRACE(KindName(kind));
    const auto* field = v1::Record::descriptor()->FindFieldByNumber(record.body_case());
    google::protobuf::Message* body = record.GetReflection()->MutableMessage(&record, field);
    FillToTheLimits(body);
    if (record.has_measurement()) {
      for (int i = 0; i < 31; ++i) record.mutable_measurement()->add_quality(v1::QUALITY_FLAG_GAP);
      record.mutable_measurement()->mutable_sweep()->set_lane(3);
    }
    if (record.has_train_of_four()) record.mutable_train_of_four()->set_twitch_count(4);
    if (record.has_spectral_edge()) record.mutable_spectral_edge()->set_asymmetry(-0.9);
    if (record.has_mapping_result()) {
      record.mutable_mapping_result()->set_confidence(0.9);
      record.mutable_mapping_result()->set_contact_before(UINT32_MAX - 1);
    }
    if (record.has_mapping_contact()) {
      record.mutable_mapping_contact()->set_polarity_ratio(-0.9);
      record.mutable_mapping_contact()->mutable_sweep()->set_lane(3);
    }
    if (record.has_relation()) {
      record.mutable_relation()->mutable_first()->set_lane(2);
      record.mutable_relation()->mutable_second()->set_lane(2);
    }
    if (record.has_case_lifecycle()) {
      record.mutable_case_lifecycle()->set_transition(v1::CASE_TRANSITION_CORRECTED);
    }
    if (record.has_request()) record.mutable_request()->set_state(v1::REQUEST_STATE_DONE);
    const std::string bytes = record.SerializeAsString();
    const auto header = WalkRecord(bytes);
    ASSERT_TRUE(header.ok()) << header.status();
    v1::Record parsed;
    const absl::Status status = ValidateBody(*header, bytes, &parsed);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_LE(body->ByteSizeLong() + 64, MaxBodyBytes(kind));  // and one more reference
  }
}

TEST(ValidateBody, HostileTextThatIsNotUtf8IsRefused) {
  // Through bytes, as the sender would: protobuf's setters complain on their own.
  for (const auto kind : {v1::Record::kMessage, v1::Record::kSweep}) {
    std::string bytes = Bytes(kind);
    const std::string text = kind == v1::Record::kMessage ? "Check" : "CPc-Front\"";
    const size_t at = bytes.find(kind == v1::Record::kMessage ? "Check" : "SEP_UPPER");
    ASSERT_NE(at, std::string::npos);
    bytes[at] = '\xff';
    const auto header = WalkRecord(bytes);
    ASSERT_TRUE(header.ok());
    v1::Record parsed;
    EXPECT_THAT(ValidateBody(*header, bytes, &parsed).ToString(), HasSubstr("UTF-8"));
  }
}

TEST(ValidateBody, HostileBulkValuesAreRefused) {
  using R = v1::Record;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ExpectRefused(R::kSweep, "sample_rate_hz",
                [](R& r) { r.mutable_sweep()->set_sample_rate_hz(0); });
  ExpectRefused(R::kSweep, "sample_rate_hz",
                [](R& r) { r.mutable_sweep()->set_sample_rate_hz(200'001); });
  ExpectRefused(R::kSweep, "trace_id: required", [](R& r) { r.mutable_sweep()->clear_trace_id(); });
  ExpectRefused(R::kSweep, "trace_id: at most 128",
                [](R& r) { r.mutable_sweep()->set_trace_id(std::string(129, 'x')); });
  ExpectRefused(R::kSweep, "average: required", [](R& r) { r.mutable_sweep()->clear_average(); });
  ExpectRefused(R::kSweep, "average: uv_per_count",
                [](R& r) { r.mutable_sweep()->mutable_average()->set_uv_per_count(kInfinity); });
  ExpectRefused(R::kSweep, "odd_average: sample_count differs", [](R& r) {
    *r.mutable_sweep()->mutable_odd_average() = PackCounts(std::vector<int32_t>(5, 0), 1);
  });
  ExpectRefused(R::kSweep, "average: more bytes", [](R& r) {
    r.mutable_sweep()->mutable_average()->mutable_packed()->push_back('x');
  });
  ExpectRefused(R::kSweep, "modality", [](R& r) {
    r.mutable_sweep()->set_modality(static_cast<v1::Modality>(v1::Modality_MAX + 1));
  });
  ExpectRefused(R::kSweep, "odd_even_correlation",
                [](R& r) { r.mutable_sweep()->set_odd_even_correlation(1.01); });
  ExpectRefused(R::kSweep, "noise_uv_rms",
                [](R& r) { r.mutable_sweep()->set_noise_uv_rms(kInfinity - kInfinity); });
  ExpectRefused(R::kSweep, "filter.order",
                [](R& r) { r.mutable_sweep()->mutable_filter()->set_order(13); });
  ExpectRefused(R::kSweep, "marks.latency_ms",
                [](R& r) { r.mutable_sweep()->mutable_marks(0)->set_latency_ms(kInfinity); });
  ExpectRefused(R::kSweep, "marks: at most 64", [](R& r) {
    for (int i = 0; i < 64; ++i) r.mutable_sweep()->add_marks()->set_label("N20");
  });
  ExpectRefused(R::kSweep, "quality",
                [](R& r) { r.mutable_sweep()->add_quality(static_cast<v1::QualityFlag>(200)); });
  ExpectRefused(R::kSweep, "too many entries", [](R& r) {
    for (int i = 0; i < 40; ++i) r.mutable_sweep()->add_quality(v1::QUALITY_FLAG_MAINS);
  });
  ExpectRefused(R::kEnvelope, "bin_ms", [](R& r) { r.mutable_envelope()->set_bin_ms(-1); });
  ExpectRefused(R::kEnvelope, "rms: required", [](R& r) { r.mutable_envelope()->clear_rms(); });
  ExpectRefused(R::kSampleBlock, "samples: required",
                [](R& r) { r.mutable_sample_block()->clear_samples(); });
  ExpectRefused(R::kSpectrumSlice, "bin_width_hz",
                [](R& r) { r.mutable_spectrum_slice()->set_bin_width_hz(0); });
}

TEST(ValidateBody, HostileBulkFieldThatComesTwiceIsRefused) {
  const std::string body = SampleRecord(v1::Record::kSweep).sweep().SerializeAsString();
  v1::Sweep again;
  again.set_trace_id("another");
  RecordHeader header;
  header.kind = v1::Record::kSweep;
  header.lane = 3;
  const std::string doubled = body + again.SerializeAsString();
  header.body = doubled;
  v1::Record parsed;
  EXPECT_THAT(ValidateBody(header, "", &parsed).ToString(), HasSubstr("for the second time"));
}

TEST(LaneOfKind, FollowsTheNumbers) {
  const std::pair<uint32_t, uint32_t> cases[] = {
      {0, 6},  {15, 6}, {16, 0}, {31, 0},  {32, 1},  {63, 1},  {64, 2},  {79, 2},
      {80, 3}, {95, 3}, {96, 4}, {111, 4}, {112, 5}, {127, 5}, {128, 6}, {UINT32_MAX, 6}};
  for (const auto& [kind, lane] : cases) EXPECT_EQ(LaneOfKind(kind), lane) << kind;
}

}  // namespace
}  // namespace remora
