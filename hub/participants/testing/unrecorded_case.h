#pragma once

// A case with an agent and a reader whose disk fails and is mended, for tests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/session_limits.h"
#include "hub/participants/testing/one_case.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

class UnrecordedTest : public OneCaseTest {
 protected:
  UnrecordedTest() { reader_ = Follower("reader-1"); }

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
  // Has asked for the directory.
  std::unique_ptr<TestParticipant> Wall() {
    auto wall = std::make_unique<TestParticipant>(hub_, CentreIdentity("wall"));
    wall->Hello();
    wall->FollowDirectory(1);
    return wall;
  }
  void FailDisk() { hub_.journal().FailCommits(absl::ResourceExhaustedError("disk is full")); }
  void MendDisk() { hub_.journal().FailCommits(absl::OkStatus()); }
  // A commit that takes so long.
  void CommitSlowly(const std::string& record, Duration time) {
    hub_.journal().HoldCommits();
    agent_->Publish({record});
    hub_.RunFor(time);
    hub_.journal().ReleaseCommits();
  }
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

  std::unique_ptr<TestParticipant> reader_;
};

}  // namespace remora::hub
