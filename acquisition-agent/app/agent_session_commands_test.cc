// What a reader says and asks for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/testing/linked_theatre.h"
#include "common/record_codec.h"
#include "common/testing/record_writer.h"
#include "common/testing/sample_records.h"

namespace remora::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(LinkedTheatre, WhatAReaderSaysWhileNothingIsRecordedIsShownOnceAndItsCommandsWait) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  ASSERT_EQ(follows_.size(), 1u);
  EXPECT_EQ(follows_[0].delivery(), v1::DELIVERY_COMPLETE);
  const auto say_recording = [&](v1::RecordingCondition condition) {
    v1::Down down;
    down.mutable_recording()->set_case_id(theatre.spool->case_id().ToString());
    down.mutable_recording()->set_condition(condition);
    dialer_->Deliver(down);
    Attend(theatre, 0.5);
  };
  const auto deliver = [&](const v1::Record& body, uint64_t seq) {
    std::string bytes = body.SerializeAsString();
    AppendStamp(RecordStamp{.epoch = 1,
                            .seq = seq,
                            .recorded_at = HubTime::FromNanoseconds(1),
                            .unrecorded = seq == 0},
                &bytes);
    v1::Down down;
    down.add_records(bytes);
    dialer_->Deliver(down);
    Attend(theatre, 0.2);
  };
  RecordWriter reader(theatre.spool->case_id(), OriginIdForTest(0x33));
  v1::Record urgent = MessageBody("Release the rod", "Dr Okafor");
  urgent.mutable_message()->set_urgent(true);
  v1::Record message;
  ASSERT_TRUE(message.ParseFromString(reader.Write(urgent)));
  const auto times_said = [&theatre] {
    return std::count_if(
        theatre.console.lines.begin(), theatre.console.lines.end(),
        [](const std::string& line) { return line.find("Release the rod") != std::string::npos; });
  };
  say_recording(v1::RECORDING_CONDITION_UNRECORDED);
  ASSERT_EQ(follows_.size(), 2u);
  EXPECT_EQ(follows_[1].delivery(), v1::DELIVERY_LIVE);
  deliver(message, 0);
  EXPECT_EQ(times_said(), 1);
  EXPECT_THAT(theatre.console.lines,
              Contains(HasSubstr("URGENT Dr Okafor: Release the rod (NOT RECORDED yet)")));
  say_recording(v1::RECORDING_CONDITION_RECORDING);
  ASSERT_EQ(follows_.size(), 3u);
  EXPECT_EQ(follows_[2].delivery(), v1::DELIVERY_COMPLETE);
  deliver(message, 90'000);
  EXPECT_EQ(times_said(), 1) << "it is the same message";
  link_->Stop();
}

TEST_F(LinkedTheatre, APersonsBaselineIsCarriedOutOnceAlsoOverARestart) {
  FakeFileSystem files;
  std::string stamped;
  {
    Theatre theatre(files, Fall());
    Connect(theatre);
    theatre.Start();
    for (int i = 0; i < 150; ++i) {
      theatre.RunFor(0.1);
      Take(theatre);
    }
    ASSERT_NE(followed_, 0u);
    v1::Record asked;
    asked.set_case_id(theatre.spool->case_id().ToString());
    asked.set_origin(std::string(16, 'p'));
    asked.set_lane(1);
    asked.set_origin_seq(1);
    v1::BaselineSet& set = *asked.mutable_baseline_set();
    set.set_trace_id("SEP_UPPER/R/CPc-Front");
    set.set_kind(v1::BASELINE_KIND_POST_POSITION);
    set.set_reason("after positioning");
    set.set_actor("Dr Reader");
    *set.add_sweeps() = ToProto(RecordKey{theatre.spool->origin(), 3, 4});
    stamped = asked.SerializeAsString();
    AppendStamp(RecordStamp{.epoch = 1, .seq = 500, .recorded_at = HubTime::FromNanoseconds(1)},
                &stamped);
    v1::Down down;
    down.add_records(stamped);
    dialer_->Deliver(down);
    theatre.RunFor(0.2);
    link_->Stop();
    link_.reset();
  }
  Theatre theatre(files, Fall());
  ASSERT_EQ(theatre.spool->recovered_inputs().size(), 1u);
  theatre.Start();
  theatre.RunToEnd();
  EXPECT_EQ(theatre.session->recorder().mismatches(), 0u);
  int answers = 0;
  int refusals = 0;
  for (const std::string& bytes : theatre.Kept(1)) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (record.has_baseline_set() && record.baseline_set().has_asked_by()) ++answers;
  }
  for (const std::string& bytes : theatre.Kept(0)) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (record.has_message()) ++refusals;
  }
  EXPECT_EQ(answers + refusals, 1);
}

TEST_F(LinkedTheatre, HostileACommandBeyondWhatIsTakenIsAnswered) {
  FakeFileSystem files;
  Theatre theatre(files, Fall(), /*speed=*/1, /*max_known_inputs=*/1);
  Connect(theatre);
  theatre.Start();
  for (int i = 0; i < 20; ++i) {
    theatre.RunFor(0.1);
    Take(theatre);
  }
  v1::Down down;
  for (uint64_t seq = 1; seq <= 2; ++seq) {
    v1::Record asked;
    asked.set_case_id(theatre.spool->case_id().ToString());
    asked.set_origin(std::string(16, 'p'));
    asked.set_lane(1);
    asked.set_origin_seq(seq);
    asked.mutable_baseline_set()->set_trace_id("nowhere");
    asked.mutable_baseline_set()->set_kind(v1::BASELINE_KIND_POST_POSITION);
    *asked.mutable_baseline_set()->add_sweeps() = ToProto(RecordKey{theatre.spool->origin(), 3, 4});
    std::string stamped = asked.SerializeAsString();
    AppendStamp(
        RecordStamp{.epoch = 1, .seq = 500 + seq, .recorded_at = HubTime::FromNanoseconds(1)},
        &stamped);
    down.add_records(stamped);
  }
  dialer_->Deliver(down);
  theatre.RunFor(0.5);
  std::vector<std::string> answers;
  for (const std::string& bytes : theatre.Kept(0)) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (record.message().about().origin() == std::string(16, 'p')) {
      answers.push_back(
          absl::StrCat(record.message().about().origin_seq(), " ", record.message().text()));
    }
  }
  EXPECT_THAT(answers, testing::ElementsAre(HasSubstr("1 Baseline of nowhere"),
                                            HasSubstr("2 Not carried out")));
  link_->Stop();
}

}  // namespace
}  // namespace remora::agent
