#include "tests/simulation/agent_process.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/testing/record_writer.h"
#include "tests/simulation/proof.h"

namespace remora::simulation {
namespace {

constexpr char kDirectory[] = "/spool";
constexpr uint32_t kFollowId = 1;
// As the agent does it (acquisition-agent/app/limits.h).
constexpr Duration kCommitInterval = Duration::Milliseconds(50);
constexpr Duration kDiskRetry = Duration::Milliseconds(500);
constexpr Duration kFollowRetry = Duration::Seconds(2);
constexpr Duration kCloseInterval = Duration::Seconds(1);
// Small, so that a full disk is soon short.
constexpr uint64_t kReserveBytes = 64 * 1024;
constexpr uint64_t kRoomyDiskBytes = uint64_t{1} << 30;

}  // namespace

AgentProcess::AgentProcess(Context& context, Plan plan)
    : LinkedProcess(context, plan, "Agent " + plan.name, v1::ROLE_AGENT), plan_(std::move(plan)) {
  origin_ = OriginId::Draw(*random_);
}

AgentProcess::~AgentProcess() { link_.reset(); }

void AgentProcess::Start() {
  if (retired_ || is_up()) return;
  OpenSpool();
  if (spool_ == nullptr) return;
  outbox_ = std::make_unique<agent::SpoolOutbox>(*spool_);
  LinkOptions options;
  options.software = "remora-agent simulated";
  options.end_when_refused = false;
  MakeLink(options);
  if (!link_->AddOutbox(plan_.case_id, plan_.theatre, outbox_.get()).ok()) {
    context_.fail("the link takes no outbox");
  }
  hub_watch_ = std::make_unique<agent::HubWatch>("");
  watch_.OnStart();
  LookBack();
  link_->Start();
  ScheduleCommit(kCommitInterval);
  // The step that opens the case is the first of its lane, whatever a power cut has taken.
  if (spool_->last_seq(1) == 0) Put(LifecycleBody(v1::CASE_TRANSITION_OPENED, plan_.theatre));
  AdvanceClose();
}

void AgentProcess::OpenSpool() {
  agent::SpoolOptions options;
  options.directory = kDirectory;
  options.case_id = plan_.case_id;
  options.origin = origin_;
  options.control_reserve_bytes = kReserveBytes;
  agent::RecoveryReport report;
  auto spool = agent::CaseSpool::Open(files_, options, &report);
  if (!spool.ok()) {
    context_.Log(absl::StrCat(
        plan_.name, ": the spool does not open: ", std::string(spool.status().message())));
    return process_.PostAfter(kDiskRetry, [this] { Start(); });
  }
  spool_ = *std::move(spool);
  CheckPromises();
}

void AgentProcess::CheckPromises() {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    for (uint64_t number = 1; number <= promised_[lane]; ++number) {
      if (spool_->given_up(lane).Contains(number)) continue;
      const absl::StatusOr<std::string> bytes = spool_->Read(lane, number);
      if (!bytes.ok() || BytesHash(*bytes) != made_[{lane, number}]) {
        return context_.fail(
            absl::StrCat(plan_.name, ": the spool does not give back record ", lane, "/", number));
      }
    }
    // What was made beyond that and is gone was promised to nobody; its numbers are given anew.
    promised_[lane] = spool_->committed_seq(lane);
    made_.erase(made_.upper_bound({lane, promised_[lane]}), made_.lower_bound({lane + 1, 0}));
    for (uint64_t number = 1; number <= promised_[lane]; ++number) {
      const absl::StatusOr<std::string> bytes = spool_->Read(lane, number);
      if (bytes.ok()) made_[{lane, number}] = BytesHash(*bytes);
    }
  }
  if (!spool_->Holes().empty()) context_.fail(plan_.name + ": the spool has lost records");
}

void AgentProcess::PutGap(const agent::ShedRange& lost) {
  v1::Record body;
  v1::DataGap& gap = *body.mutable_data_gap();
  gap.set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
  gap.set_origin(origin_.ToString());
  gap.set_lane(lost.lane);
  gap.set_first_origin_seq(lost.first_origin_seq);
  gap.set_last_origin_seq(lost.last_origin_seq);
  const uint64_t number = spool_->last_seq(1) + 1;
  const std::string bytes =
      EncodeRecord(plan_.case_id, origin_, number, process_.clock(), std::move(body));
  if (!spool_->AppendRecord(1, number, 0, bytes).ok()) context_.fail("no room for a data gap");
  made_[{1, number}] = BytesHash(bytes);
}

void AgentProcess::Crash(bool loses_power) {
  if (!is_up()) return;
  context_.Log(plan_.name + (loses_power ? " loses its power" : " dies"));
  if (loses_power) port_.LosePower();
  link_.reset();
  outbox_.reset();
  spool_.reset();
  process_.Kill();
  commit_posted_ = false;
  follows_now_ = false;
  joined_session_ = 0;
  checker_.reset();
  if (!loses_power) return;
  files_.SimulatePowerCut(random_->Uint64());
  process_.clock().Reboot(random_->Uint64());
}

void AgentProcess::Retire() {
  retired_ = true;
  if (!is_up()) return;
  link_->Stop();
  Crash(/*loses_power=*/false);
}

void AgentProcess::Leave() {
  if (!is_up()) return;
  link_->Stop();
  Crash(/*loses_power=*/false);
}

void AgentProcess::ComeBackLate(v1::Record body) {
  Start();
  if (!is_up()) return;
  const uint32_t lane = LaneOfKind(static_cast<uint32_t>(body.body_case()));
  Put(std::move(body));
  late_.push_back({origin_, lane, spool_->last_seq(lane)});
}

std::string AgentProcess::CheckLate() const {
  if (spool_ == nullptr) return plan_.name + " is down";
  for (const RecordKey& key : late_) {
    const bool refused = spool_->refused(key.lane).Contains(key.origin_seq);
    // A spool whose disk fails sheds, and says so by a gap.
    const bool shed = spool_->given_up(key.lane).Contains(key.origin_seq);
    if (refused || shed || context_.oracle.SeqOf(plan_.case_id, key) != 0) continue;
    const absl::StatusOr<std::string> bytes = spool_->Read(key.lane, key.origin_seq);
    // A journal that goes back takes what was acknowledged; the next session brings it again.
    const bool given_up =
        !told_archived_.empty() && spool_->AllSettled() && context_.oracle.times_gone_back() == 0;
    if (!bytes.ok() || given_up) {
      return plan_.name + ": what came too late is neither on record nor in the spool";
    }
  }
  return "";
}

void AgentProcess::Put(v1::Record body) {
  if (!is_up()) return;
  const uint32_t lane = LaneOfKind(static_cast<uint32_t>(body.body_case()));
  const uint64_t number = spool_->last_seq(lane) + 1;
  const std::string bytes =
      EncodeRecord(plan_.case_id, origin_, number, process_.clock(), std::move(body));
  const absl::Status status = spool_->AppendRecord(lane, number, 0, bytes);
  if (!status.ok()) {
    return context_.fail(
        absl::StrCat(plan_.name, ": the spool takes no record: ", std::string(status.message())));
  }
  made_[{lane, number}] = BytesHash(bytes);
  context_.counters.Count("records made by agents");
  if (lane == 0) return Commit();
  ScheduleCommit(kCommitInterval);
}

void AgentProcess::Close() {
  if (closes_) return;
  closes_ = true;
  AdvanceClose();
}

void AgentProcess::LookBack() {
  closing_said_ = false;
  closed_seq_ = 0;
  for (uint64_t number = 1; number <= spool_->last_seq(1); ++number) {
    const absl::StatusOr<std::string> bytes = spool_->Read(1, number);
    v1::Record record;
    if (!bytes.ok() || !record.ParseFromString(*bytes)) continue;
    const v1::CaseTransition step = record.case_lifecycle().transition();
    if (step == v1::CASE_TRANSITION_CLOSING) closing_said_ = true;
    if (step == v1::CASE_TRANSITION_CLOSED) closed_seq_ = number;
  }
}

void AgentProcess::AdvanceClose() {
  if (!closes_ || !is_up()) return;
  process_.PostAfter(kCloseInterval, [this] { AdvanceClose(); });
  if (!closing_said_) {
    closing_said_ = true;
    Put(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
    return PutTotal();
  }
  const Oracle::Case* one = context_.oracle.Find(plan_.case_id);
  if (one == nullptr || EndOf(*one).closed || needs_person()) return;
  if (spool_->has_uncommitted() || spool_->has_shed() || !spool_->AllSettled()) return;
  // Under way, or on record.
  if (closed_seq_ != 0 && !spool_->refused(1).Contains(closed_seq_)) return;
  if (closed_seq_ != 0) ++close_tries_;
  PutTotal();
  Put(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  closed_seq_ = spool_->last_seq(1);
}

void AgentProcess::PutTotal() {
  v1::Record total;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const uint64_t last = spool_->last_seq(lane) + (lane == 1 ? 1 : 0);
    if (last == 0) continue;
    v1::LaneTotal* said = total.mutable_publisher_total()->add_lanes();
    said->set_lane(lane);
    said->set_last_origin_seq(last);
  }
  Put(std::move(total));
}

void AgentProcess::PutOutage(Duration outage) {
  v1::Record body;
  v1::LinkState& link = *body.mutable_link_state();
  link.set_participant(plan_.name);
  link.set_condition(v1::LINK_CONDITION_LIVE);
  link.set_outage_ms(outage.milliseconds());
  link.set_own_view(true);
  process_.Post([this, body = std::move(body)] {
    if (!closes_) Put(body);
  });
}

void AgentProcess::ScheduleCommit(Duration delay) {
  if (commit_posted_) return;
  commit_posted_ = true;
  process_.PostAfter(delay, [this] {
    commit_posted_ = false;
    Commit();
  });
}

void AgentProcess::Commit() {
  PutShed();
  if (spool_->short_of_space()) spool_->CheckSpace();
  const absl::Status status = spool_->Commit();
  if (!status.ok()) {
    context_.counters.Count("spool commit failed");
    return ScheduleCommit(kDiskRetry);
  }
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    // What was given up before it was written is promised with the note of it.
    if (lane >= kControlLaneCount && spool_->has_shed()) continue;
    promised_[lane] = spool_->committed_seq(lane);
  }
  if (spool_->has_shed() || spool_->short_of_space()) ScheduleCommit(kDiskRetry);
  link_->NotifyPending();
}

void AgentProcess::PutShed() {
  for (const agent::ShedRange& shed : spool_->TakeShed()) {
    context_.counters.Count("spool sheds");
    PutGap(shed);
  }
}

void AgentProcess::FillDisk() { files_.SetFreeBytes(random_->Below(2 * kReserveBytes)); }
void AgentProcess::FreeDisk() { files_.SetFreeBytes(kRoomyDiskBytes); }
void AgentProcess::FailDiskOnce(bool at_sync) {
  const auto failure = random_->Below(2) == 0 ? FakeFileSystem::Failure::kNoSpace
                                              : FakeFileSystem::Failure::kIoError;
  if (at_sync) {
    files_.FailSync(1, FakeFileSystem::Failure::kIoError);
  } else {
    files_.FailAppend(1, failure);
  }
}

RecordKey AgentProcess::LastKey(uint32_t lane) const {
  return RecordKey{origin_, lane, promised_[lane]};
}

std::string AgentProcess::Lack() const {
  if (retired_) return "";
  if (std::string lack = LackOfSession(); !lack.empty()) return lack;
  if (!is_joined()) return plan_.name + " is not joined";
  if (process_.paused()) return plan_.name + " stands still";
  if (spool_->has_uncommitted() || spool_->has_shed())
    return plan_.name + " has uncommitted records";
  if (!spool_->AllSettled()) return plan_.name + " has records that are not acknowledged";
  const Oracle::Case* one = context_.oracle.Find(plan_.case_id);
  if (closes_ && one != nullptr && one->head() > 0) {
    const CaseEnd end = EndOf(*one);
    if (!end.closed && !needs_person()) return plan_.name + "'s case is not closed";
    if (end.closed && !end.certified) return plan_.name + "'s case has no certificate";
  }
  if (checker_ != nullptr && !checker_->IsCaughtUp()) {
    return plan_.name + ": " + checker_->Lack();
  }
  return "";
}

uint64_t AgentProcess::Unexplained(uint32_t lane, const SeqRanges& named) const {
  for (uint64_t number = 1; number <= spool_->last_seq(lane); ++number) {
    if (named.Contains(number) || spool_->refused(lane).Contains(number)) continue;
    if (context_.oracle.SeqOf(plan_.case_id, {origin_, lane, number}) == 0) return number;
  }
  return 0;
}

void AgentProcess::CheckEnd() {
  if (retired_) return;
  std::array<SeqRanges, kLaneCount> named;
  const Oracle::Case* one = context_.oracle.Find(plan_.case_id);
  for (uint64_t seq = 1; one != nullptr && seq <= one->head(); ++seq) {
    const Oracle::Entry& entry = one->entries[seq - 1];
    v1::Record record;
    if (entry.kind != v1::Record::kDataGap || !record.ParseFromString(entry.bytes)) continue;
    const v1::DataGap& gap = record.data_gap();
    if (gap.origin() != origin_.bytes()) continue;
    named[gap.lane()].InsertRange(gap.first_origin_seq(), gap.last_origin_seq());
  }
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (const uint64_t number = Unexplained(lane, named[lane]); number != 0) {
      context_.fail(absl::StrCat(plan_.name, ": record ", lane, "/", number,
                                 " is not on record, and nothing says why"));
    }
    context_.counters.Count("check: promised records", promised_[lane]);
  }
  if (checker_ != nullptr) checker_->CheckCursor(link_->CursorOf(kFollowId));
}

void AgentProcess::Follow() {
  if (!plan_.follows || follows_now_ || !is_up()) return;
  follows_now_ = true;
  v1::Follow follow;
  follow.set_follow_id(kFollowId);
  follow.set_case_id(plan_.case_id.ToString());
  follow.set_delivery(v1::DELIVERY_COMPLETE);
  follow.add_lanes(0);
  follow.add_lanes(1);
  checker_ = CheckedFollow(follow);
}

void AgentProcess::OnRecord(const DeliveredRecord& delivered) {
  checker_->OnRecord(delivered);
  CheckRecorded(delivered);
}

void AgentProcess::OnFollowEnded(const v1::FollowEnded& ended) {
  if (context_.reads_failed()) checker_->AllowFreshStart();
  checker_->OnEnded(ended);
  follows_now_ = false;
  process_.PostAfter(kFollowRetry, [this] { Follow(); });
}

void AgentProcess::OnRefused(const v1::Refused& refused) {
  if (IsRefusedAsPurged(refused, plan_.case_id)) told_archived_ = refused.text();
}

void AgentProcess::OnJoined(const v1::Joined& joined) {
  NoteJoined();
  ScheduleCommit(kCommitInterval);  // it may have to say what is lost
  acks_.OnHeld(plan_.case_id, origin_, joined.held());
  if (joined.epoch() != 0) Follow();
}

void AgentProcess::OnAcknowledged(const v1::Acknowledge& acknowledge) {
  acks_.OnHeld(plan_.case_id, origin_, acknowledge.held());
  Follow();
}

void AgentProcess::OnLinkCondition(v1::LinkCondition condition, Duration previous) {
  LinkedProcess::OnLinkCondition(condition, previous);
  hub_watch_->OnCondition(condition, link_->age(), process_.clock().Now());
  const std::optional<Duration> outage = hub_watch_->TakeOutage();
  if (!outage) return;
  watch_.CheckOutage(*outage);
  PutOutage(*outage);
}

}  // namespace remora::simulation
