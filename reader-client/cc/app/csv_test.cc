#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reader-client/cc/app/csv.h"

namespace remora::reader {
namespace {

std::string RowOf(v1::Record record) {
  record.set_case_id(std::string(16, 'c'));
  record.set_origin(std::string(16, 'o'));
  record.set_origin_seq(1);
  std::string bytes = record.SerializeAsString();
  AppendStamp({1, 9, HubTime::FromNanoseconds(0), false}, &bytes);
  const absl::StatusOr<StampedRecord> stamped = WalkStamped(bytes);
  EXPECT_TRUE(stamped.ok()) << stamped.status();
  return stamped.ok() ? CsvRow(*stamped, bytes) : "";
}

TEST(Csv, ARowHasAsManyColumnsAsTheHeader) {
  v1::Record record;
  record.set_lane(2);
  record.mutable_measurement()->set_trace_id("SEP_UPPER/R/CPc-Front");
  record.mutable_measurement()->set_latency_change_percent(-3.5);
  record.mutable_measurement()->mutable_baseline()->set_origin_seq(1);
  const std::string row = RowOf(record);
  const auto columns = [](const std::string& line) {
    return std::vector<std::string>(absl::StrSplit(line, ',')).size();
  };
  EXPECT_EQ(columns(row), columns(CsvHeader()));
  EXPECT_THAT(row, testing::HasSubstr("SEP_UPPER/R/CPc-Front"));
  EXPECT_THAT(row, testing::HasSubstr(",-3.5000,"));
}

TEST(Csv, WhatHasNoColumnsOfItsOwnHasItsWords) {
  v1::Record record;
  record.set_lane(2);
  record.mutable_train_of_four()->set_limb("left hand");
  record.mutable_train_of_four()->set_twitch_count(3);
  EXPECT_THAT(RowOf(record), testing::HasSubstr(",left hand 3/4\r\n"));
}

TEST(Csv, HostileTextStaysTextInASpreadsheet) {
  v1::Record record;
  record.mutable_message()->set_text("=HYPERLINK(\"http://x\",\"y\")");
  record.mutable_message()->set_sender("a,\nb");
  const std::string row = RowOf(record);
  EXPECT_THAT(row, testing::HasSubstr("\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""));
  EXPECT_THAT(row, testing::HasSubstr("\"a,\nb\""));
}

}  // namespace
}  // namespace remora::reader
