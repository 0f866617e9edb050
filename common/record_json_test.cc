#include "common/record_json.h"

#include <limits>

#include "common/sample_codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace remora {
namespace {

using nlohmann::json;

std::string Encoded(v1::Record record) {
  record.set_case_id(std::string(16, 'c'));
  record.set_origin(std::string(16, 'o'));
  record.set_origin_seq(7);
  return record.SerializeAsString();
}

TEST(RecordJson, GivesIdsKindsAndEnumerationsInWords) {
  v1::Record record;
  record.mutable_alert()->set_priority(v1::ALERT_PRIORITY_HIGH);
  record.mutable_alert()->set_modality(v1::MODALITY_SEP_UPPER);
  *record.mutable_alert()->mutable_raised_by() =
      ToProto({OriginId::FromBytes(std::string(16, 'a')), 0, 3});
  const std::string bytes = Encoded(record);
  const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  const RecordStamp stamp{1, 42, HubTime::FromNanoseconds(1'000'000'000), false};
  const json got = json::parse(RecordToJson(*header, &stamp, bytes));
  EXPECT_EQ(got["seq"], 42);
  EXPECT_EQ(got["recorded_at"], "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(got["kind"], "alert");
  EXPECT_EQ(got["body"]["priority"], "high");
  EXPECT_EQ(got["body"]["modality"], "sep_upper");
  EXPECT_EQ(got["body"]["raised_by"], "61616161616161616161616161616161/0/3");
}

TEST(RecordJson, LeavesSamplesOutUnlessAskedFor) {
  v1::Sweep sweep;
  *sweep.mutable_average() = PackCounts(std::vector<int32_t>{1, -2, 3}, 0.5);
  EXPECT_FALSE(json::parse(MessageToJson(sweep))["average"].contains("uv"));
  const json with = json::parse(MessageToJson(sweep, {.samples = true}));
  EXPECT_EQ(with["average"]["uv"], json({0.5, -1.0, 1.5}));
}

TEST(RecordJson, HostileTextAndNumbersStayJson) {
  v1::Message message;
  message.set_text("a\"b\n\x1b[31m");
  EXPECT_EQ(json::parse(MessageToJson(message))["text"], "a\"b\n\x1b[31m");
  v1::Measurement measurement;
  measurement.set_amplitude_uv(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(json::parse(MessageToJson(measurement))["amplitude_uv"], "NaN");
}

TEST(RecordKeyText, RoundTripsAndRefusesWhatIsNone) {
  const RecordKey key{OriginId::FromBytes(std::string(16, '\xfe')), 5, 123456789012};
  EXPECT_EQ(RecordKeyFromText(ToText(key)), key);
  for (const char* wrong :
       {"", "x/0/1", "fefefefefefefefefefefefefefefefe/6/1", "fefefefefefefefefefefefefefefefe/0/0",
        "fefefefefefefefefefefefefefefefg/0/1"}) {
    EXPECT_EQ(RecordKeyFromText(wrong), RecordKey{}) << wrong;
  }
}

}  // namespace
}  // namespace remora
