#include "acquisition-agent/app/agent_session.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/hub_key.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/testing/keeping_console.h"
#include "acquisition-agent/surveillance/testing/scripted_source.h"
#include "common/record_codec.h"
#include "common/record_seal.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_dialer.h"
#include "common/testing/fake_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/record_writer.h"
#include "common/testing/sample_records.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;

PatientScript Fall() {
  PatientScript script;
  script.seconds = 32;
  script.amplitude = [](double s) { return s > 12 && s < 21 ? 0.2 : 1.0; };
  return script;
}

// One life of the agent: from its start to its end, its kill, or the power cut.
class Theatre {
 public:
  Theatre(FakeFileSystem& files, PatientScript script, double speed = 1,
          size_t max_known_inputs = kMaxKnownInputs)
      : source_(std::move(script)), executor_(clock_), plan_(PatientPlan()) {
    SpoolOptions options;
    options.directory = "/spool/case";
    options.case_id = CaseId::FromBytes(std::string(16, 'c'));
    options.origin = OriginId::FromBytes(std::string(16, 'o'));
    RecoveryReport report;
    auto opened = CaseSpool::Open(files, options, &report);
    EXPECT_TRUE(opened.ok()) << opened.status();
    spool = *std::move(opened);
    if (spool->info() == nullptr) {
      CaseInfo info;
      info.boot_id = 9;
      info.theatre = "OR 3";
      EXPECT_TRUE(spool->SetInfo(info).ok() && spool->Commit().ok());
    }
    SessionOptions session_options;
    session_options.theatre = "OR 3";
    session_options.procedure = "test";
    session_options.speed = speed;
    session_options.max_known_inputs = max_known_inputs;
    session = std::make_unique<AgentSession>(session_options, plan_, source_, *spool, executor_,
                                             clock_, console);
    EXPECT_TRUE(session->Prepare().ok());
  }

  void Start() {
    session->Start([this](absl::Status status) {
      done = true;
      result = std::move(status);
    });
  }
  void RunFor(double seconds) { executor_.RunFor(Duration::FromSeconds(seconds)); }
  // Waits until the source is through, and a minute more.
  void RunToEnd() {
    for (int i = 0; i < 120 && !done; ++i) RunFor(1);
    EXPECT_TRUE(done);
  }
  // Bodies and device times of everything kept, as text, by lane.
  std::vector<std::string> Kept(uint32_t lane) const {
    std::vector<std::string> kept;
    for (uint64_t seq = 1; seq <= spool->last_seq(lane); ++seq) {
      const auto bytes = spool->Read(lane, seq);
      EXPECT_TRUE(bytes.ok()) << lane << "/" << seq;
      v1::Record record;
      EXPECT_TRUE(bytes.ok() && record.ParseFromString(*bytes));
      EXPECT_EQ(record.origin_seq(), seq);
      record.mutable_captured_at()->clear_wall_unix_ns();
      kept.push_back(record.SerializeAsString());
    }
    return kept;
  }

  // As Kept, but references to a baseline, whose number restarts' notes move, name only its trace.
  std::vector<std::string> KeptByBaseline(uint32_t lane) const {
    std::vector<std::string> kept = Kept(lane);
    for (std::string& bytes : kept) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (record.measurement().has_baseline()) {
        Resolve(record.measurement().trace_id(), record.mutable_measurement()->mutable_baseline());
      }
      if (record.alert().evidence().has_baseline()) {
        Resolve(record.alert().trace_id(),
                record.mutable_alert()->mutable_evidence()->mutable_baseline());
      }
      bytes = record.SerializeAsString();
    }
    return kept;
  }

  FakeClock& clock() { return clock_; }
  ManualExecutor& executor() { return executor_; }

  KeepingConsole console;
  std::unique_ptr<CaseSpool> spool;
  bool done = false;
  absl::Status result;

 private:
  // Checks that the reference is a baseline of that trace, and leaves out its number.
  void Resolve(const std::string& trace_id, v1::RecordId* reference) const {
    const auto bytes = spool->Read(reference->lane(), reference->origin_seq());
    v1::Record record;
    EXPECT_TRUE(bytes.ok() && record.ParseFromString(*bytes));
    EXPECT_EQ(record.baseline_set().trace_id(), trace_id);
    reference->clear_origin_seq();
  }

  FakeClock clock_;
  ScriptedSource source_;
  ManualExecutor executor_;
  CasePlan plan_;

 public:
  std::unique_ptr<AgentSession> session;  // last: it uses all of the above
};

TEST(AgentSession, TheTheatreWorksAlone) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  theatre.Start();
  theatre.RunToEnd();
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  EXPECT_TRUE(theatre.spool->closed());
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("high raised: SEP median nerve right")));
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("recovered")));
}

TEST(AgentSession, PacesByTheSourcesTime) {
  FakeFileSystem files;
  Theatre theatre(files, Fall(), /*speed=*/2);
  theatre.Start();
  theatre.RunFor(5);
  v1::Record last;
  const uint64_t newest = theatre.spool->committed_seq(5);
  ASSERT_GT(newest, 0u);
  ASSERT_TRUE(last.ParseFromString(*theatre.spool->Read(5, newest)));
  EXPECT_NEAR(static_cast<double>(last.captured_at().monotonic_ns()) / 1e9, 10, 0.2);
}

TEST(AgentSession, KilledAnywhereItGoesOnAsIfNothingHadHappened) {
  FakeFileSystem whole_files;
  Theatre whole(whole_files, Fall());
  whole.Start();
  whole.RunToEnd();

  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    FakeFileSystem files;
    double killed_s = 0;
    for (int life = 0; life < 5; ++life) {
      Theatre theatre(files, Fall());
      theatre.Start();
      killed_s = static_cast<double>((seed * 37 + life * 53) % 60) / 10 + 0.03;
      theatre.RunFor(killed_s);
      // The session dies with its queue; the machine too, every second time.
      if (life % 2 == 1) files.SimulatePowerCut(seed * 10 + life);
    }
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunToEnd();
    EXPECT_TRUE(theatre.result.ok()) << theatre.result;
    EXPECT_EQ(theatre.session->recorder().mismatches(), 0u);
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      if (lane == 1) continue;  // has notes of the restarts as well
      EXPECT_TRUE(theatre.KeptByBaseline(lane) == whole.KeptByBaseline(lane)) << "lane " << lane;
    }
  }
}

TEST(AgentSession, ADamagedRecordIsMadeAgain) {
  FakeFileSystem files;
  std::vector<std::string> before;
  {
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunFor(20);
    before = theatre.Kept(3);
  }
  files.FlipBit("/spool/case/sweep-00000001.seg", 3000, 1);
  Theatre theatre(files, Fall());
  theatre.Start();
  theatre.RunToEnd();
  std::vector<std::string> after = theatre.Kept(3);
  ASSERT_GE(after.size(), before.size());
  after.resize(before.size());
  EXPECT_EQ(after, before);
}

// What lane 1 has of each kind of gap, and lane 0 of alerts about `subject`, by condition.
struct Told {
  std::map<v1::DataGapCause, int> gaps;
  std::map<v1::AlertCondition, int> alerts;
};
Told WhatIsTold(const Theatre& theatre, const std::string& subject) {
  Told told;
  for (uint32_t lane = 0; lane < 2; ++lane) {
    for (const std::string& bytes : theatre.Kept(lane)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (record.has_data_gap()) ++told.gaps[record.data_gap().cause()];
      if (record.alert().trace_id() == subject) ++told.alerts[record.alert().condition()];
    }
  }
  return told;
}

TEST(AgentSession, AShortDiskIsOnRecordInFewWordsAndItsAlertRecovers) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  theatre.Start();
  theatre.RunFor(1);
  files.SetFreeBytes(20'000);
  theatre.RunFor(14);
  ASSERT_TRUE(theatre.spool->short_of_space());
  const Told during = WhatIsTold(theatre, "spool");
  EXPECT_EQ(during.alerts.at(v1::ALERT_CONDITION_RAISED), 1);
  EXPECT_EQ(during.alerts.count(v1::ALERT_CONDITION_RECOVERED), 0u);
  files.SetFreeBytes(uint64_t{1} << 40);
  theatre.RunFor(11);
  EXPECT_FALSE(theatre.spool->short_of_space());
  const Told after = WhatIsTold(theatre, "spool");
  // Of each of three lanes one each five seconds, not one a commit.
  ASSERT_EQ(after.gaps.count(v1::DATA_GAP_CAUSE_SPOOL_SHORT), 1u);
  EXPECT_LE(after.gaps.at(v1::DATA_GAP_CAUSE_SPOOL_SHORT), 15);
  EXPECT_EQ(after.alerts.at(v1::ALERT_CONDITION_RAISED), 1);
  EXPECT_EQ(after.alerts.at(v1::ALERT_CONDITION_RECOVERED), 1);
  theatre.RunToEnd();
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  // Every number that is not there is on record.
  SeqRanges named;
  for (const std::string& bytes : theatre.Kept(1)) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (!record.has_data_gap() || record.data_gap().lane() != 5) continue;
    named.InsertRange(record.data_gap().first_origin_seq(), record.data_gap().last_origin_seq());
  }
  EXPECT_FALSE(named.empty());
  for (uint64_t seq = 1; seq <= theatre.spool->last_seq(5); ++seq) {
    EXPECT_NE(theatre.spool->Holds(5, seq), named.Contains(seq)) << seq;
  }
}

TEST(AgentSession, HostileADamagedNoteOfALifeBeforeIsOnRecordAsLost) {
  FakeFileSystem files;
  for (int life = 0; life < 2; ++life) {
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunFor(5);
  }
  uint64_t note = 0;
  EntryPlace place;
  {
    Theatre theatre(files, Fall());
    for (uint64_t seq = 1; seq <= theatre.spool->last_seq(1); ++seq) {
      v1::Record record;
      ASSERT_TRUE(record.ParseFromString(*theatre.spool->Read(1, seq)));
      if (absl::StrContains(record.source_note().text(), "started again")) note = seq;
    }
    ASSERT_NE(note, 0u);
    place = theatre.spool->PlaceOf(1, note);
  }
  files.FlipBit(absl::StrFormat("/spool/case/control-%08u.seg", place.segment), place.offset + 40,
                1);
  Theatre theatre(files, Fall());
  ASSERT_EQ(theatre.spool->Holes().size(), 1u);
  theatre.Start();
  theatre.RunToEnd();
  EXPECT_TRUE(theatre.spool->Holes().empty());
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(*theatre.spool->Read(1, note)));
  EXPECT_EQ(record.data_gap().cause(), v1::DATA_GAP_CAUSE_SPOOL_DAMAGED);
  EXPECT_EQ(record.data_gap().first_origin_seq(), note);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("The spool was damaged")));
}

TEST(AgentSession, RecordsThatDifferAfterARestartAreAnAlertAndOnRecord) {
  FakeFileSystem files;
  {
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunFor(12);
  }
  PatientScript other = Fall();
  other.seed = 2;
  Theatre theatre(files, other);
  theatre.Start();
  theatre.RunToEnd();
  EXPECT_GT(theatre.session->recorder().mismatches(), 0u);
  EXPECT_EQ(WhatIsTold(theatre, "restart").alerts[v1::ALERT_CONDITION_RAISED], 1);
  int notes = 0;
  for (const std::string& bytes : theatre.Kept(1)) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    notes += absl::StrContains(record.source_note().text(), "differ from those on record") ? 1 : 0;
  }
  EXPECT_EQ(notes, 1);
}

// With a hub that the test plays.
class LinkedTheatre : public testing::Test {
 protected:
  void Connect(Theatre& theatre) {
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
    theatre.RunFor(0.01);
    Greet(theatre);
  }
  void Greet(Theatre& theatre) {
    v1::Down welcome;
    welcome.mutable_welcome()->set_version(1);
    welcome.mutable_welcome()->set_role(v1::ROLE_AGENT);
    welcome.mutable_welcome()->set_hub_unix_ns(HubNow(theatre));
    welcome.mutable_welcome()->set_participant("agent-3");
    welcome.mutable_welcome()->add_record_keys()->set_public_key(signer_->public_key());
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
  static std::vector<double> Outages(const Theatre& theatre) {
    std::vector<double> outages;
    for (const std::string& bytes : theatre.Kept(0)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (!record.has_link_state()) continue;
      EXPECT_TRUE(record.link_state().own_view());
      EXPECT_EQ(record.link_state().participant(), "agent-3");
      EXPECT_EQ(record.link_state().condition(), v1::LINK_CONDITION_LIVE);
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
  std::unique_ptr<RecordSigner> signer_ = std::make_unique<RecordSigner>(RecordSigner::Seed{1});
  FakeFileSystem key_files_;
  std::unique_ptr<HubKey> hub_key_;
};

TEST_F(LinkedTheatre, OnlyACertificateEndsACaseAndClearsItsSpool) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  RunToClosed(theatre);
  EXPECT_TRUE(theatre.spool->AllSettled());
  EXPECT_FALSE(theatre.done) << "the hub has all, and has certified nothing";
  EXPECT_FALSE(theatre.session->IsCleared(theatre.spool->case_id()));
  Certify(theatre);
  EXPECT_TRUE(theatre.done);
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  EXPECT_TRUE(theatre.session->IsCleared(theatre.spool->case_id()));
  link_->Stop();
}

TEST_F(LinkedTheatre, CaseWithoutACertificateKeepsItsSpoolAndSaysSo) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  RunToClosed(theatre);
  Attend(theatre, 60);
  EXPECT_TRUE(theatre.done);
  EXPECT_TRUE(absl::IsUnavailable(theatre.result)) << theatre.result;
  EXPECT_THAT(std::string(theatre.result.message()), HasSubstr("no certificate"));
  EXPECT_FALSE(theatre.session->IsCleared(theatre.spool->case_id()));
  link_->Stop();
}

TEST_F(LinkedTheatre, HostileHubWithAnotherKeyIsATechnicalAlarmAndClearsNothing) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  signer_ = std::make_unique<RecordSigner>(RecordSigner::Seed{2});
  dialer_->Break(absl::UnavailableError("another hub"));
  theatre.RunFor(3);
  Greet(theatre);
  RunToClosed(theatre);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("ALARM The hub signs with another key")));
  EXPECT_EQ(WhatIsTold(theatre, "hub-key").alerts[v1::ALERT_CONDITION_RAISED], 1);
  Certify(theatre);
  EXPECT_FALSE(theatre.done);
  EXPECT_FALSE(theatre.session->IsCleared(theatre.spool->case_id()));
  link_->Stop();
}

TEST_F(LinkedTheatre, WhoeverClosesTheCaseIsToldTheTotalEachTime) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  const auto totals = [&theatre] {
    int count = 0;
    for (const std::string& bytes : theatre.Kept(1)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      count += record.has_publisher_total() ? 1 : 0;
    }
    return count;
  };
  for (int closings = 1; closings <= 2; ++closings) {
    Deliver(theatre, ClosingRecord(v1::CASE_TRANSITION_CLOSING, "end"));
    Attend(theatre, 0.5);
    EXPECT_EQ(totals(), closings);
    Deliver(theatre, ClosingRecord(v1::CASE_TRANSITION_REOPENED, "bleeding"));
    Attend(theatre, 0.5);
  }
  link_->Stop();
}

TEST_F(LinkedTheatre, DeliversEverythingOnceAndEndsWhenTheHubHasIt) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  std::map<uint32_t, std::vector<uint64_t>> seen;
  for (int i = 0; i < 1200 && !theatre.done; ++i) {
    theatre.RunFor(0.1);
    for (const v1::Record& record : Take(theatre))
      seen[record.lane()].push_back(record.origin_seq());
    // A sign of life.
    v1::Down heartbeat;
    heartbeat.mutable_heartbeat();
    if (dialer_->IsOpen()) dialer_->Deliver(heartbeat);
    if (theatre.spool->closed()) Certify(theatre);
  }
  EXPECT_TRUE(theatre.done);
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  EXPECT_TRUE(theatre.spool->AllSettled());
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    ASSERT_EQ(seen[lane].size(), theatre.spool->last_seq(lane)) << "lane " << lane;
    std::sort(seen[lane].begin(), seen[lane].end());
    for (size_t i = 0; i < seen[lane].size(); ++i) EXPECT_EQ(seen[lane][i], i + 1);
  }
  link_->Stop();
}

TEST_F(LinkedTheatre, OutageOfTheHubIsToldInTheTheatreAndOnRecordOnceItIsOver) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  EXPECT_THAT(Outages(theatre), testing::IsEmpty());
  theatre.RunFor(12);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("AMBER")));
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("ALARM the link to the hub is lost")));
  EXPECT_THAT(Outages(theatre), testing::IsEmpty()) << "it is not over";
  Greet(theatre);
  Attend(theatre, 3);
  EXPECT_THAT(Outages(theatre), testing::ElementsAre(testing::DoubleNear(12, 0.5)));
  link_->Stop();
}

TEST_F(LinkedTheatre, AgentThatWasAwayItselfSaysSinceWhenTheHubHadNothing) {
  FakeFileSystem files;
  {
    Theatre theatre(files, Fall());
    Connect(theatre);
    theatre.Start();
    Attend(theatre, 6);
    theatre.RunFor(5);  // the link is away, and then the agent is killed
    link_.reset();
  }
  Theatre theatre(files, Fall());
  theatre.clock().Advance(Duration::Seconds(11 + 40));
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 5);
  EXPECT_THAT(Outages(theatre), testing::ElementsAre(testing::DoubleNear(45, 1)));
  link_->Stop();
}

TEST_F(LinkedTheatre, WallClockThatWasSetWhileTheAgentWasAwayChangesNoOutage) {
  for (const double step_s : {-86'400.0, 86'400.0, 600.0, -600.0, 30 * 86'400.0}) {
    FakeFileSystem files;
    held_.clear();
    {
      Theatre theatre(files, Fall());
      Connect(theatre);
      theatre.Start();
      Attend(theatre, 6);
      theatre.RunFor(5);
      link_.reset();
    }
    Theatre theatre(files, Fall());
    theatre.clock().Advance(Duration::Seconds(11 + 40));
    theatre.clock().StepWall(Duration::FromSeconds(step_s));
    Connect(theatre);
    theatre.Start();
    Attend(theatre, 5);
    EXPECT_THAT(Outages(theatre), testing::ElementsAre(testing::DoubleNear(45, 1))) << step_s;
    link_->Stop();
    link_.reset();
  }
}

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

TEST_F(LinkedTheatre, HostileRecordThatIsNotTheOneTheHubSignedIsATechnicalAlarm) {
  FakeFileSystem files;
  for (const bool tampered : {false, true}) {
    held_.clear();
    delivered_ = 0;
    Theatre theatre(files, Fall());
    Connect(theatre);
    theatre.session->KeepWitnesses(key_files_, "/keys");
    theatre.Start();
    Attend(theatre, 3);
    v1::Record record;
    v1::SignedHead* head = record.mutable_signed_head();
    head->set_seq(100'000 + delivered_);
    head->set_chain(std::string(32, tampered ? 'y' : 'x'));
    signer_->Sign(theatre.spool->case_id(), head);
    Deliver(theatre, record);
    Attend(theatre, 1);
    EXPECT_EQ(WhatIsTold(theatre, "hub-record").alerts[v1::ALERT_CONDITION_RAISED],
              tampered ? 1 : 0);
    link_->Stop();
    link_.reset();
  }
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

TEST_F(LinkedTheatre, AnUnreachedHubCostsTheTheatreNothingButItsReader) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  theatre.RunFor(5);
  dialer_->FailDials(absl::UnavailableError("gone"));
  dialer_->Break(absl::UnavailableError("gone"));
  theatre.RunToEnd();
  EXPECT_TRUE(absl::IsUnavailable(theatre.result)) << theatre.result;
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("high raised")));
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("link to the hub is lost")));
  EXPECT_TRUE(theatre.spool->closed());
  EXPECT_FALSE(theatre.spool->AllSettled());
  link_->Stop();
}

}  // namespace
}  // namespace remora::agent
