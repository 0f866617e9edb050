#pragma once

// What the tests of a participant's link share: a recording observer, and a hub made of single
// messages. Thread-compatible.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/link/participant_link.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_dialer.h"
#include "common/testing/manual_executor.h"
#include "common/testing/sample_records.h"
#include "gtest/gtest.h"

namespace remora {

class RecordingObserver : public LinkObserver {
 public:
  void OnState(LinkState state) override { states.push_back(state); }
  void OnWelcome(const v1::Welcome& /*welcome*/) override { ++welcomes; }
  void OnLinkCondition(v1::LinkCondition condition, Duration previous) override {
    conditions.emplace_back(condition, previous.nanoseconds() / 1'000'000);
  }
  void OnRecord(const DeliveredRecord& delivered) override {
    seqs.push_back(delivered.record.stamp.seq);
    sessions.push_back(delivered.session);
    bytes.emplace_back(delivered.bytes);
    if (on_record) on_record();
  }
  void OnSnapshot(const v1::Snapshot& snapshot) override { causes.push_back(snapshot.cause()); }
  void OnGap(const v1::Gap& /*gap*/) override { ++gaps; }
  void OnDirectory(const v1::DirectoryUpdate& update) override {
    directories.push_back(update.complete());
  }
  void OnFollowEnded(const v1::FollowEnded& end) override { ends.push_back(end.cause()); }
  void OnHistoryPage(const v1::HistoryPage& page) override { page_errors.push_back(page.error()); }
  void OnJoined(const v1::Joined& /*joined*/) override { ++joined; }
  void OnRecordRefused(const v1::RecordRefused& /*refused*/) override { ++records_refused; }
  void OnRefused(const v1::Refused& refused) override { refusals.push_back(refused.reason()); }
  void OnEnded(const absl::Status& status) override { ended = status; }

  std::vector<LinkState> states;
  std::vector<std::pair<v1::LinkCondition, int64_t>> conditions;  // and how long the last was, ms
  std::vector<uint64_t> seqs;
  std::vector<uint64_t> sessions;
  std::vector<std::string> bytes;
  std::vector<std::string> causes;
  std::vector<std::string> ends;
  std::vector<std::string> page_errors;
  std::vector<bool> directories;  // whether each was complete
  std::vector<v1::RefusalReason> refusals;
  absl::Status ended;
  std::function<void()> on_record;
  int welcomes = 0, gaps = 0, joined = 0, records_refused = 0;
};

// A link to a hub that the test plays, in virtual time.
class LinkHarness : public testing::Test {
 protected:
  static LinkOptions Options() {
    LinkOptions options;
    options.origin = OriginIdForTest(1);
    options.software = "test 1";
    return options;
  }
  void MakeLink(LinkOptions options) {
    link_ = std::make_unique<ParticipantLink>(std::move(options), executor_, clock_, *random_,
                                              dialer_, observer_);
  }
  void SetUp() override { MakeLink(Options()); }

  v1::Down WelcomeDown(uint64_t hub_boot_id = 4) const {
    v1::Down down;
    down.mutable_welcome()->set_version(hub_version_);
    down.mutable_welcome()->set_hub_boot_id(hub_boot_id);
    return down;
  }
  // Opens a session and leaves only what the link wrote after the welcome.
  void Greet() {
    executor_.RunUntilIdle();
    dialer_.Deliver(WelcomeDown());
    executor_.RunUntilIdle();
    ASSERT_EQ(link_->state(), LinkState::kLive);
  }
  void StartLive() {
    link_->Start();
    Greet();
  }
  // The hub gives signs of life for so long.
  void LiveFor(Duration time) {
    for (Duration done; done < time; done = done + Duration::Milliseconds(500)) {
      v1::Down down;
      down.mutable_heartbeat();
      dialer_.Deliver(down);
      executor_.RunFor(Duration::Milliseconds(500));
    }
  }
  static std::string Stamped(v1::Record::BodyCase kind, uint64_t seq, uint32_t epoch = 1,
                             bool unrecorded = false) {
    std::string bytes = SampleRecord(kind, seq).SerializeAsString();
    AppendStamp({epoch, unrecorded ? 0 : seq, HubTime::FromNanoseconds(1), unrecorded}, &bytes);
    return bytes;
  }
  void DeliverRecords(const std::vector<std::string>& records) {
    std::string frames;
    for (const std::string& record : records) AppendFrame(record, &frames);
    dialer_.DeliverBytes(frames);
    executor_.RunUntilIdle();
  }
  static v1::Follow CaseFollow(v1::Delivery delivery, uint32_t id = 1) {
    v1::Follow follow;
    follow.set_follow_id(id);
    follow.set_case_id(CaseIdForTest().ToString());
    follow.set_delivery(delivery);
    return follow;
  }
  // What the link wrote, without probes and heartbeats.
  std::vector<v1::Up> Written() {
    std::vector<v1::Up> written;
    for (v1::Up& up : dialer_.TakeWritten()) {
      if (!up.has_clock_probe() && !up.has_heartbeat()) written.push_back(std::move(up));
    }
    return written;
  }
  // The numbers of the records that it wrote.
  std::vector<uint64_t> WrittenSeqs() {
    std::vector<uint64_t> seqs;
    for (const v1::Up& up : Written()) {
      for (const std::string& record : up.records()) {
        seqs.push_back(WalkRecord(record)->origin_seq);
      }
    }
    return seqs;
  }
  // The hub holds lane 0 up to `held`.
  static v1::Down JoinedDown(uint64_t held = 0) {
    v1::Down down;
    down.mutable_joined()->set_case_id(CaseIdForTest().ToString());
    if (held == 0) return down;
    v1::SeqRange* range = down.mutable_joined()->add_held()->add_ranges();
    range->set_first(1);
    range->set_last(held);
    return down;
  }
  // Of a case.
  static v1::Down RefusedDown(v1::RefusalReason reason) {
    v1::Down down;
    down.mutable_refused()->set_reason(reason);
    down.mutable_refused()->set_case_id(CaseIdForTest().ToString());
    return down;
  }

  uint32_t hub_version_ = 1;
  FakeClock clock_;
  ManualExecutor executor_{clock_};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  FakeDialer dialer_{executor_};
  RecordingObserver observer_;
  std::unique_ptr<ParticipantLink> link_;
};

}  // namespace remora
