#include "hub/participants/testing/core_harness.h"

#include <set>
#include <utility>

#include "common/check.h"

namespace remora::hub {
namespace {

// The participants of each harness, so that Run can let them read.
std::map<HubHarness*, std::set<TestParticipant*>>& Participants() {
  static auto* participants = new std::map<HubHarness*, std::set<TestParticipant*>>();
  return *participants;
}

}  // namespace

HubHarness::HubHarness(uint64_t seed)
    : journal_(std::make_unique<MemoryJournal>(executor_)), random_(MakeSeededRandom(seed)) {
  StartHub();
}

HubHarness::~HubHarness() { Participants().erase(this); }

void HubHarness::StartHub() {
  utc_behind_.reset();
  core_ = std::make_unique<HubCore>(HubCoreParts{
      journal_.get(),
      &clock_,
      &executor_,
      random_.get(),
      &metrics_,
      "remora-hub test",
      [this](const CaseId& case_id, const absl::Status&) { damaged_.push_back(case_id); },
      signs_ ? &signer_ : nullptr,
      {},
      false,
      archive_,
      keep_closed_,
      keep_incomplete_,
      [this](const CaseId&, const absl::StatusOr<PurgedCase>& outcome) {
        retention_.push_back(outcome);
      },
      &clock_sync_,
      [this](Duration behind) { utc_behind_ = behind; }});
  REMORA_CHECK(core_->Start().ok(), "the hub starts");
}

void HubHarness::RestartHub() {
  core_.reset();
  StartHub();
}

void HubHarness::UseArchive(CaseArchive* archive, Duration keep_closed,
                            std::optional<Duration> keep_incomplete) {
  archive_ = archive;
  keep_closed_ = keep_closed;
  keep_incomplete_ = keep_incomplete;
  RestartHub();
}

void HubHarness::Run() {
  for (int round = 0; round < 1000; ++round) {
    core_->EndOfDrain();
    bool busy = executor_.RunUntilIdle() > 0;
    for (TestParticipant* participant : Participants()[this]) {
      if (!participant->reads || !participant->wants_write) continue;
      participant->wants_write = false;
      participant->ReadAll();
      busy = true;
    }
    if (!busy) return;
  }
}

void HubHarness::RunFor(Duration time) {
  const DeviceTime end = clock_.Now() + time;
  Run();
  while (clock_.Now() < end) {
    DeviceTime due;
    const bool has_task = executor_.NextDue(&due);
    const DeviceTime next = has_task && due < end ? due : end;
    executor_.RunFor(next - clock_.Now());
    Run();
  }
}

std::vector<std::string> HubHarness::JournalRecords(const CaseId& case_id) {
  std::vector<std::string> records;
  uint64_t next = 1;
  while (next != 0) {
    ReadRequest request;
    request.case_id = case_id;
    request.from_seq = next;
    next = 0;
    journal_->Read(request, [&](absl::StatusOr<ReadResult> page) {
      REMORA_CHECK(page.ok(), "the journal reads");
      absl::string_view rest = page->frames.view();
      while (!rest.empty()) records.emplace_back(*TakeFrame(&rest));
      next = page->next_seq;
    });
    executor_.RunUntilIdle();
  }
  return records;
}

TestParticipant::TestParticipant(HubHarness& harness, Identity who)
    : hub(harness), identity(std::move(who)), origin(harness.DrawOrigin()) {
  session = hub.core().Open(identity, this);
  Participants()[&hub].insert(this);
}

TestParticipant::~TestParticipant() {
  session.reset();
  Participants()[&hub].erase(this);
}

void TestParticipant::SendUp(const v1::Up& up) { SendBytes(up.SerializeAsString()); }
void TestParticipant::SendBytes(const std::string& up) { session->OnMessage(up); }

void TestParticipant::Hello(const OriginId& with_origin) {
  origin = with_origin;
  v1::Up up;
  up.mutable_hello()->set_minimum_version(1);
  up.mutable_hello()->set_maximum_version(speaks);
  up.mutable_hello()->set_origin(origin.ToString());
  up.mutable_hello()->set_software("test");
  SendUp(up);
}

void TestParticipant::Join(const CaseId& case_id, const std::string& theatre) {
  v1::Up up;
  up.mutable_join()->set_case_id(case_id.ToString());
  up.mutable_join()->set_theatre(theatre);
  SendUp(up);
}

void TestParticipant::Leave(const CaseId& case_id) {
  v1::Up up;
  up.mutable_leave()->set_case_id(case_id.ToString());
  SendUp(up);
}

void TestParticipant::Publish(const std::vector<std::string>& published) {
  v1::Up up;
  for (const std::string& record : published) up.add_records(record);
  SendUp(up);
}

void TestParticipant::PublishBacklog(const std::vector<std::string>& late) {
  v1::Up up;
  for (const std::string& record : late) up.add_records(record);
  up.set_backlog(true);
  SendUp(up);
}

void TestParticipant::Follow(const v1::Follow& follow) {
  v1::Up up;
  *up.mutable_follow() = follow;
  SendUp(up);
}

void TestParticipant::FollowLive(uint32_t follow_id, const CaseId& case_id) {
  Follow(FollowOf(follow_id, case_id));
}

void TestParticipant::FollowComplete(uint32_t follow_id, const CaseId& case_id) {
  Follow(FollowOf(follow_id, case_id, v1::DELIVERY_COMPLETE));
}

void TestParticipant::FollowDirectory(uint32_t follow_id) {
  v1::Follow follow;
  follow.set_follow_id(follow_id);
  follow.set_directory(true);
  Follow(follow);
}

void TestParticipant::Shown(uint64_t bulk_bytes_total, uint32_t answered) {
  v1::Up up;
  up.mutable_shown()->set_bulk_bytes_total(bulk_bytes_total);
  up.mutable_shown()->set_answered_question_id(answered);
  SendUp(up);
}

bool TestParticipant::ReadOne() {
  const WriteBatch batch = session->TakeBatch(kMaxBatchBytes);
  if (batch.empty()) return false;
  std::string bytes;
  for (const SharedBytes& slice : batch.slices) {
    bytes.append(slice.view().data(), slice.view().size());
  }
  REMORA_CHECK(bytes.size() == batch.bytes, "a batch says how large it is");
  largest_batch_bytes = std::max(largest_batch_bytes, bytes.size());
  v1::Down down;
  REMORA_CHECK(down.ParseFromString(bytes), "what the hub writes is a Down message");
  REMORA_CHECK(down.records().empty() || down.control_case() == v1::Down::CONTROL_NOT_SET,
               "records or control");
  for (const std::string& record : down.records()) {
    absl::StatusOr<StampedRecord> stamped = WalkStamped(record);
    REMORA_CHECK(stamped.ok(), "what the hub sends is a stamped record");
    if (stamped->header.lane >= 2) bulk_bytes += record.size();
    records.push_back({record, *stamped});
  }
  question = std::max(question, down.heartbeat().question_id());
  if (down.records().empty()) downs.push_back(std::move(down));
  return true;
}

void TestParticipant::ReadAll() {
  const uint64_t bulk_before = bulk_bytes;
  while (ReadOne()) {
    if (shows && !closed && bulk_bytes != bulk_before) Shown(bulk_bytes);
  }
}

void TestParticipant::ClearReceived() {
  downs.clear();
  records.clear();
}

std::vector<uint64_t> TestParticipant::Seqs() const {
  std::vector<uint64_t> seqs;
  for (const Received& record : records) seqs.push_back(record.seq());
  return seqs;
}

std::vector<Received> TestParticipant::OfLane(uint32_t lane) const {
  std::vector<Received> of_lane;
  for (const Received& record : records) {
    if (record.lane() == lane) of_lane.push_back(record);
  }
  return of_lane;
}

const v1::Down* TestParticipant::Last(v1::Down::ControlCase kind) const {
  for (auto it = downs.rbegin(); it != downs.rend(); ++it) {
    if (it->control_case() == kind) return &*it;
  }
  return nullptr;
}

int TestParticipant::CountOf(v1::Down::ControlCase kind) const {
  int count = 0;
  for (const v1::Down& down : downs) count += down.control_case() == kind;
  return count;
}

Identity AgentIdentity(const std::string& name) {
  return {name, "Agent " + name, v1::ROLE_AGENT, {}};
}
Identity ReaderIdentity(const std::string& name) {
  return {name, "Dr " + name, v1::ROLE_NEUROPHYSIOLOGIST, {}};
}
Identity TechnologistIdentity(const std::string& name) {
  return {name, "T " + name, v1::ROLE_TECHNOLOGIST, {}};
}
Identity CentreIdentity(const std::string& name) {
  return {name, "C " + name, v1::ROLE_CENTRE, {}};
}

v1::Follow FollowOf(uint32_t follow_id, const CaseId& case_id, v1::Delivery delivery) {
  v1::Follow follow;
  follow.set_follow_id(follow_id);
  follow.set_case_id(case_id.ToString());
  follow.set_delivery(delivery);
  return follow;
}

v1::Snapshot SnapshotOf(HubHarness& hub, const CaseId& case_id) {
  TestParticipant reader(hub, CentreIdentity());
  reader.Hello();
  reader.FollowLive(1, case_id);
  hub.Run();
  const v1::Down* down = reader.Last(v1::Down::kSnapshot);
  return down == nullptr ? v1::Snapshot() : down->snapshot();
}

namespace {

std::unique_ptr<TestParticipant> JoinAsAgent(HubHarness& hub, const CaseId& case_id,
                                             const OriginId& origin, const std::string& theatre,
                                             const std::string& agent) {
  auto participant = std::make_unique<TestParticipant>(hub, AgentIdentity(agent));
  participant->Hello(origin);
  participant->Join(case_id, theatre);
  hub.Run();
  return participant;
}

void Open(HubHarness& hub, TestParticipant& agent, RecordWriter& writer,
          const std::string& theatre) {
  agent.Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, theatre))});
  hub.Run();
}

}  // namespace

std::unique_ptr<TestParticipant> OpenCase(HubHarness& hub, const CaseId& case_id,
                                          RecordWriter* writer, const OriginId& origin,
                                          const std::string& theatre, const std::string& agent) {
  auto participant = JoinAsAgent(hub, case_id, origin, theatre, agent);
  Open(hub, *participant, *writer, theatre);
  return participant;
}

AgentsCase JoinNewCase(HubHarness& hub, const std::string& theatre, const std::string& agent) {
  const CaseId case_id = hub.DrawCase();
  const OriginId origin = hub.DrawOrigin();
  return {case_id, origin, RecordWriter(case_id, origin),
          JoinAsAgent(hub, case_id, origin, theatre, agent)};
}

AgentsCase OpenNewCase(HubHarness& hub, const std::string& theatre, const std::string& agent) {
  AgentsCase joined = JoinNewCase(hub, theatre, agent);
  Open(hub, *joined.agent, joined.writer, theatre);
  return joined;
}

ClosedCase CloseCase(HubHarness& hub, const std::string& theatre, uint64_t blocks, uint64_t total) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub, theatre);
  agent->Publish({writer.Write(AlertBody("alert", v1::ALERT_PRIORITY_MEDIUM)),
                  writer.Write(SweepBody("SEP/R", 1, false))});
  for (uint64_t seq = 1; seq <= blocks; ++seq) {
    agent->Publish({writer.WriteAs(seq, BlockBody("EMG/L", seq * 64))});
  }
  hub.Run();
  agent->Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSING))});
  hub.Run();
  v1::Record given;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const uint64_t last = lane == 5 ? total : lane == 1 ? writer.next(lane) : writer.next(lane) - 1;
    if (last == 0) continue;
    v1::LaneTotal* lane_total = given.mutable_publisher_total()->add_lanes();
    lane_total->set_lane(lane);
    lane_total->set_last_origin_seq(last);
  }
  agent->Publish({writer.Write(given)});
  hub.Run();
  if (blocks == total) {
    agent->Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSED))});
    hub.Run();
    return {case_id, origin, std::move(writer)};
  }
  TestParticipant tech(hub, TechnologistIdentity());
  tech.Hello();
  tech.Join(case_id);
  hub.Run();
  RecordWriter tech_writer(case_id, tech.origin);
  v1::Record step = LifecycleBody(v1::CASE_TRANSITION_CLOSED, "", "the link is slow");
  step.mutable_case_lifecycle()->set_with_gaps(true);
  step.mutable_case_lifecycle()->set_actor(tech.identity.display_name);
  tech.Publish({tech_writer.Write(step)});
  hub.Run();
  return {case_id, origin, std::move(writer)};
}

}  // namespace remora::hub
