#pragma once

// A case with an agent and a reader whose disk fails and is mended, for tests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/session_limits.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

class UnrecordedTest : public ::testing::Test {
 protected:
  UnrecordedTest()
      : case_id_(hub_.DrawCase()), origin_(hub_.DrawOrigin()), writer_(case_id_, origin_) {
    agent_ = OpenCase(hub_, case_id_, &writer_, origin_);
    reader_ = Follower("reader-1");
  }

  // Joined too; has read everything so far.
  std::unique_ptr<TestParticipant> Follower(const std::string& name, uint32_t speaks = 2,
                                            v1::Delivery delivery = v1::DELIVERY_LIVE) {
    auto follower = std::make_unique<TestParticipant>(hub_, ReaderIdentity(name));
    follower->speaks = speaks;
    follower->Hello();
    follower->Join(case_id_);
    delivery == v1::DELIVERY_LIVE ? follower->FollowLive(1, case_id_)
                                  : follower->FollowComplete(1, case_id_);
    hub_.RunFor(Duration::Seconds(1));
    return follower;
  }
  void FailDisk() { hub_.journal().FailCommits(absl::ResourceExhaustedError("disk is full")); }
  void MendDisk() { hub_.journal().FailCommits(absl::OkStatus()); }
  std::string Message(const std::string& text) {
    return writer_.Write(MessageBody(text, agent_->identity.display_name));
  }
  static std::vector<std::string> Texts(const std::vector<Received>& records, bool unrecorded) {
    std::vector<std::string> texts;
    for (const Received& received : records) {
      v1::Record record;
      if (received.stamped.stamp.unrecorded != unrecorded) continue;
      if (record.ParseFromString(received.bytes) && record.has_message()) {
        texts.push_back(record.message().text());
      }
    }
    return texts;
  }
  static std::vector<std::string> Unrecorded(const TestParticipant& participant) {
    return Texts(participant.records, true);
  }
  static std::vector<std::string> Recorded(const TestParticipant& participant) {
    return Texts(participant.records, false);
  }
  static std::vector<v1::RecordingCondition> Conditions(const TestParticipant& participant) {
    std::vector<v1::RecordingCondition> conditions;
    for (const v1::Down& down : participant.downs) {
      if (down.has_recording()) conditions.push_back(down.recording().condition());
    }
    return conditions;
  }
  // Of the journal, of this kind.
  std::vector<v1::Record> OnRecord(v1::Record::BodyCase kind) {
    std::vector<v1::Record> found;
    for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
      v1::Record record;
      if (record.ParseFromString(bytes) && record.body_case() == kind) found.push_back(record);
    }
    return found;
  }

  HubHarness hub_;
  CaseId case_id_;
  OriginId origin_;
  RecordWriter writer_;
  std::unique_ptr<TestParticipant> agent_;
  std::unique_ptr<TestParticipant> reader_;
};

}  // namespace remora::hub
