#include "reader-client/cc/app/record_words.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reader-client/cc/app/limits.h"

namespace remora::reader {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RecordWords, DataGapSaysWhichRecordsAndWhy) {
  v1::Record record;
  v1::DataGap& gap = *record.mutable_data_gap();
  gap.set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
  gap.set_lane(3);
  gap.set_first_origin_seq(12);
  gap.set_last_origin_seq(19);
  EXPECT_EQ(RecordWords(record), "sweeps 12 to 19 given up: its disk was short of space");
  gap.set_last_origin_seq(12);
  gap.set_cause(v1::DATA_GAP_CAUSE_SPOOL_DAMAGED);
  EXPECT_EQ(RecordWords(record), "sweeps 12 given up: its spool was damaged");
}

TEST(RecordWords, GapOfTheSourceSaysHowLong) {
  v1::Record record;
  v1::DataGap& gap = *record.mutable_data_gap();
  gap.set_cause(v1::DATA_GAP_CAUSE_SOURCE_GAP);
  gap.set_trace_id("EMG/L/TA");
  gap.set_from_monotonic_ns(15'310'000'000);
  gap.set_to_monotonic_ns(17'770'000'000);
  EXPECT_EQ(RecordWords(record), "EMG/L/TA: 2.46 s of signal missing: the source gave none");
}

TEST(RecordWords, CertificateNamesItsGapsAndItsJudge) {
  v1::Record record;
  v1::Certificate& certificate = *record.mutable_certificate();
  certificate.set_certificate_index(1);
  certificate.set_record_count(120);
  certificate.set_complete(true);
  EXPECT_EQ(RecordWords(record), "certificate 1 of 120 records: complete, nothing left out");
  v1::OriginLaneHead* head = certificate.add_heads();
  head->set_participant("agent-or1");
  head->set_lane(5);
  v1::NamedGap* gap = head->add_gaps();
  gap->set_first_origin_seq(341);
  gap->set_last_origin_seq(352);
  gap->set_cause(v1::NAMED_GAP_CAUSE_DATA_GAP);
  EXPECT_EQ(RecordWords(record),
            "certificate 1 of 120 records: complete but for what is named; agent-or1: samples 341 "
            "to 352 given up");
  for (size_t i = 0; i < kMaxGapsInALine + 1; ++i) *head->add_gaps() = *gap;
  gap = head->mutable_gaps(1);
  gap->set_cause(v1::NAMED_GAP_CAUSE_MISSING);
  certificate.set_complete(false);
  certificate.set_actor("Ines Ruiz");
  certificate.set_reason("the disk broke");
  const std::string words = RecordWords(record);
  EXPECT_THAT(words, HasSubstr("not complete; "));
  EXPECT_THAT(words, HasSubstr("samples 341 to 352 missing"));
  EXPECT_THAT(words, HasSubstr("; and 2 more gaps"));
  EXPECT_THAT(words, HasSubstr("; Ines Ruiz: the disk broke"));
  EXPECT_THAT(words, Not(HasSubstr("nothing left out")));
}

TEST(RecordWords, WhatIsToldBesideTracesHasALine) {
  const google::protobuf::OneofDescriptor* bodies =
      v1::Record::descriptor()->FindOneofByName("body");
  for (const char* name :
       {"vitals", "drug_given", "impedances", "stimulus_change", "position_change", "train_of_four",
        "stimulus_threshold", "mapping_contact", "mapping_result", "spectral_edge", "relation",
        "eeg_activity", "spectrum_slice"}) {
    const google::protobuf::FieldDescriptor* field =
        v1::Record::descriptor()->FindFieldByName(name);
    ASSERT_TRUE(field && field->containing_oneof() == bodies) << name;
    v1::Record record;
    v1::Record::GetReflection()->MutableMessage(&record, field);
    EXPECT_NE(RecordWords(record), "") << name;
  }
}

}  // namespace
}  // namespace remora::reader
