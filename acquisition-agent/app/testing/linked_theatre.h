#pragma once

// A theatre with a hub that the test plays.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/app/hub_key.h"
#include "acquisition-agent/app/testing/theatre.h"
#include "common/record_codec.h"
#include "common/record_seal.h"
#include "common/testing/fake_dialer.h"

namespace remora::agent {

class LinkedTheatre : public ::testing::Test {
 protected:
  void Connect(Theatre& theatre) {
    Dial(theatre);
    theatre.RunFor(0.01);
    Greet(theatre);
  }
  // A hub that has not answered yet.
  void Dial(Theatre& theatre) {
    dialer_ = std::make_unique<FakeDialer>(theatre.executor());
    if (!hub_key_) {
      EXPECT_TRUE(key_files_.CreateDirectoryDurably("/keys").ok());
      absl::StatusOr<HubKey> key = HubKey::Open(key_files_, "/keys");
      ASSERT_TRUE(key.ok()) << key.status();
      hub_key_ = std::make_unique<HubKey>(*std::move(key));
    }
    theatre.session->UseHubKey(hub_key_.get());
    random_ = MakeSeededRandom(1);
    LinkOptions options;
    options.origin = theatre.spool->origin();
    options.end_when_refused = false;
    link_ = std::make_unique<ParticipantLink>(options, theatre.executor(), theatre.clock(),
                                              *random_, *dialer_, *theatre.session);
    theatre.session->AttachLink(link_.get());
    ASSERT_TRUE(
        link_->AddOutbox(theatre.spool->case_id(), "OR 3", &theatre.session->outbox()).ok());
    link_->Start();
  }
  void Greet(Theatre& theatre) {
    v1::Down welcome;
    welcome.mutable_welcome()->set_version(1);
    welcome.mutable_welcome()->set_role(v1::ROLE_AGENT);
    welcome.mutable_welcome()->set_hub_unix_ns(HubNow(theatre));
    welcome.mutable_welcome()->set_participant("agent-3");
    if (shows_key_) {
      welcome.mutable_welcome()->add_record_keys()->set_public_key(signer_->public_key());
    }
    dialer_->Deliver(welcome);
    v1::Down joined;
    joined.mutable_joined()->set_case_id(theatre.spool->case_id().ToString());
    joined.mutable_joined()->set_stage(v1::CASE_STAGE_OPEN);
    FillHeld(joined.mutable_joined()->mutable_held());
    dialer_->Deliver(joined);
    theatre.RunFor(0.01);
  }
  // The hub's clock goes on whatever the theatre's wall clock says.
  static int64_t HubNow(Theatre& theatre) {
    return theatre.clock().Now().nanoseconds() + 1'700'000'000'000'000'000;
  }
  void FillHeld(google::protobuf::RepeatedPtrField<v1::LaneRanges>* lanes) const {
    for (const auto& [lane, held] : held_) {
      v1::LaneRanges& ranges = *lanes->Add();
      ranges.set_lane(lane);
      for (const SeqRanges::Range& range : held.ranges()) {
        v1::SeqRange& one = *ranges.add_ranges();
        one.set_first(range.first);
        one.set_last(range.last);
      }
    }
  }
  // A record in lane 1 that another origin has written.
  void Deliver(Theatre& theatre, v1::Record record) {
    record.set_case_id(theatre.spool->case_id().ToString());
    record.set_origin(std::string(16, 'h'));
    record.set_lane(1);
    record.set_origin_seq(++delivered_);
    std::string stamped = record.SerializeAsString();
    AppendStamp(
        RecordStamp{
            .epoch = 1, .seq = 100'000 + delivered_, .recorded_at = HubTime::FromNanoseconds(1)},
        &stamped);
    v1::Down down;
    down.add_records(stamped);
    dialer_->Deliver(down);
    theatre.RunFor(0.01);
  }
  // Certifies all that the hub holds of the theatre's.
  void Certify(Theatre& theatre) {
    v1::Record record;
    v1::Certificate& certificate = *record.mutable_certificate();
    for (const auto& [lane, held] : held_) {
      v1::OriginLaneHead* head = certificate.add_heads();
      head->set_origin(theatre.spool->origin().ToString());
      head->set_lane(lane);
      head->set_last_origin_seq(held.largest());
    }
    signer_->Sign(theatre.spool->case_id(), &certificate);
    Deliver(theatre, record);
  }
  // Until the agent has said CLOSED and the hub has it.
  void RunToClosed(Theatre& theatre) {
    bool closed = false;
    for (int i = 0; i < 1200 && !closed && !theatre.done; ++i) {
      theatre.RunFor(0.1);
      for (const v1::Record& record : Take(theatre)) {
        closed |= record.case_lifecycle().transition() == v1::CASE_TRANSITION_CLOSED;
      }
      v1::Down heartbeat;
      heartbeat.mutable_heartbeat();
      if (dialer_->IsOpen()) dialer_->Deliver(heartbeat);
    }
    theatre.RunFor(0.01);
    EXPECT_TRUE(closed);
  }
  // The hub is there for so long: takes what comes, and gives a sign of life.
  void Attend(Theatre& theatre, double seconds) {
    for (int i = 0; i < static_cast<int>(10 * seconds); ++i) {
      theatre.RunFor(0.1);
      Take(theatre);
      v1::Down heartbeat;
      heartbeat.mutable_heartbeat();
      if (dialer_->IsOpen()) dialer_->Deliver(heartbeat);
    }
  }
  // How long the outages were that the theatre has put on record as its own view, in s.
  static std::vector<double> Outages(const Theatre& theatre,
                                     v1::LinkCondition condition = v1::LINK_CONDITION_LIVE,
                                     const std::string& participant = "agent-3") {
    std::vector<double> outages;
    for (const std::string& bytes : theatre.Kept(0)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (!record.has_link_state()) continue;
      EXPECT_TRUE(record.link_state().own_view());
      EXPECT_EQ(record.link_state().participant(), participant);
      EXPECT_EQ(record.link_state().condition(), condition);
      outages.push_back(record.link_state().outage_ms() / 1e3);
    }
    return outages;
  }
  // What the hub got; it is then acknowledged.
  std::vector<v1::Record> Take(Theatre& theatre) {
    std::vector<v1::Record> records;
    for (const v1::Up& up : dialer_->TakeWritten()) {
      for (const std::string& bytes : up.records()) {
        records.emplace_back();
        EXPECT_TRUE(records.back().ParseFromString(bytes));
        held_[records.back().lane()].Insert(records.back().origin_seq());
      }
      if (up.has_follow()) followed_ = up.follow().follow_id();
      if (up.has_follow()) follows_.push_back(up.follow());
      if (up.has_clock_probe()) {
        v1::Down reply;
        reply.mutable_clock_reply()->set_probe_id(up.clock_probe().probe_id());
        reply.mutable_clock_reply()->set_sent_monotonic_ns(up.clock_probe().sent_monotonic_ns());
        reply.mutable_clock_reply()->set_received_unix_ns(HubNow(theatre));
        reply.mutable_clock_reply()->set_replied_unix_ns(HubNow(theatre));
        dialer_->Deliver(reply);
      }
    }
    v1::Down acknowledge;
    acknowledge.mutable_acknowledge()->set_case_id(theatre.spool->case_id().ToString());
    FillHeld(acknowledge.mutable_acknowledge()->mutable_held());
    if (!held_.empty()) dialer_->Deliver(acknowledge);
    return records;
  }

  std::unique_ptr<FakeDialer> dialer_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<ParticipantLink> link_;
  std::map<uint32_t, SeqRanges> held_;
  uint32_t followed_ = 0;
  std::vector<v1::Follow> follows_;
  uint64_t delivered_ = 0;
  bool shows_key_ = true;
  std::unique_ptr<RecordSigner> signer_ = std::make_unique<RecordSigner>(RecordSigner::Seed{1});
  FakeFileSystem key_files_;
  std::unique_ptr<HubKey> hub_key_;
};

}  // namespace remora::agent
