#include "tests/simulation/reader_process.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/testing/record_writer.h"

namespace remora::simulation {
namespace {

constexpr uint32_t kDirectoryFollow = 100;

}  // namespace

ReaderProcess::ReaderProcess(Context& context, Plan plan)
    : LinkedProcess(context, plan, "Dr " + plan.name, plan.role), plan_(std::move(plan)) {}

ReaderProcess::~ReaderProcess() { link_.reset(); }

void ReaderProcess::Start() {
  if (is_up()) return;
  origin_ = OriginId::Draw(*random_);
  outbox_ = std::make_unique<MemoryOutbox>(process_.clock(), home(), origin_);
  LinkOptions options;
  options.software = "remora simulated";
  options.shown_at_once = plan_.screen_delay == Duration();
  MakeLink(options);
  for (const v1::Follow& follow : plan_.follows) AddFollow(follow);
  if (plan_.directory) {
    v1::Follow follow;
    follow.set_follow_id(kDirectoryFollow);
    follow.set_directory(true);
    if (!link_->AddFollow(follow).ok()) context_.fail("the link takes no directory");
  }
  if (!link_->AddOutbox(home(), "", outbox_.get()).ok()) {
    context_.fail("the link takes no outbox");
  }
  watch_.OnStart();
  link_->Start();
}

void ReaderProcess::AddFollow(const v1::Follow& follow) {
  checkers_[follow.follow_id()] = CheckedFollow(follow);
}

void ReaderProcess::Crash(bool silently) {
  if (!is_up()) return;
  context_.Log(plan_.name + " dies");
  if (silently) port_.LosePower();
  link_.reset();
  outbox_.reset();
  process_.Kill();
  checkers_.clear();
  told_archived_.clear();
  histories_.clear();
  directory_heads_.clear();
  joined_session_ = 0;
  snapshot_session_.clear();
  acks_.Forget();
}

void ReaderProcess::Leave() {
  if (!is_up()) return;
  link_->Stop();
  Crash(/*silently=*/false);
}

std::string ReaderProcess::told_archived(const CaseId& case_id) const {
  for (const auto& [follow_id, text] : told_archived_) {
    if (checkers_.at(follow_id)->follow().case_id() == case_id.bytes()) return text;
  }
  return "";
}

bool ReaderProcess::asks_for(const CaseId& case_id) const {
  return std::any_of(plan_.follows.begin(), plan_.follows.end(), [&case_id](const auto& follow) {
    return follow.case_id() == case_id.bytes();
  });
}

void ReaderProcess::Publish(v1::Record body) {
  if (!is_up()) return;
  const auto key = outbox_->Publish(std::move(body));
  if (!key.ok()) {
    return context_.fail(absl::StrCat(
        plan_.name, ": the outbox takes no record: ", std::string(key.status().message())));
  }
  context_.counters.Count("records made by readers");
  link_->NotifyPending();
}

void ReaderProcess::CloseWithGaps() {
  v1::Record body = LifecycleBody(v1::CASE_TRANSITION_CLOSED);
  body.mutable_case_lifecycle()->set_with_gaps(true);
  body.mutable_case_lifecycle()->set_reason("nobody says what it made");
  body.mutable_case_lifecycle()->set_actor(display_name());
  Publish(std::move(body));
}

void ReaderProcess::AskHistory() {
  const Oracle::Case* one = context_.oracle.Find(home());
  if (!is_up() || one == nullptr || one->head() == 0) return;
  History history;
  history.request.set_request_id(next_request_++);
  history.request.set_case_id(home().ToString());
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (random_->Below(2) == 0) history.request.add_lanes(lane);
  }
  const uint64_t from = 1 + random_->Below(one->head());
  history.request.set_from_seq(from);
  history.request.set_to_seq(from + random_->Below(one->head() - from + 1));
  history.at_seq = from - 1;
  history.times_gone_back = context_.oracle.times_gone_back();
  if (!link_->RequestHistory(history.request).ok()) return;
  context_.counters.Count("history asked for");
  histories_[history.request.request_id()] = std::move(history);
}

FollowChecker* ReaderProcess::CheckerOf(uint32_t follow_id) {
  const auto it = checkers_.find(follow_id);
  if (it != checkers_.end()) return it->second.get();
  context_.fail(plan_.name + ": something of a follow that there is not");
  return checkers_.begin()->second.get();
}

void ReaderProcess::OnRecord(const DeliveredRecord& delivered) {
  context_.counters.Count("records delivered");
  CheckerOf(delivered.follow_id)->OnRecord(delivered);
  if (!CheckRecorded(delivered)) context_.counters.Count("records shown unrecorded");
  if (plan_.screen_delay == Duration() || delivered.record.header.lane < 2) return;
  process_.PostAfter(plan_.screen_delay,
                     [this, session = delivered.session, bytes = delivered.bytes.size()] {
                       link_->MarkShown(session, bytes);
                     });
}

void ReaderProcess::OnSnapshot(const v1::Snapshot& snapshot) {
  context_.counters.Add("snapshot: " + snapshot.cause(), 1);
  snapshot_session_[snapshot.follow_id()] = link_->counters().sessions;
  if (context_.reads_failed()) CheckerOf(snapshot.follow_id())->AllowFreshStart();
  CheckerOf(snapshot.follow_id())->OnSnapshot(snapshot);
}

void ReaderProcess::OnGap(const v1::Gap& gap) {
  context_.counters.Add("told " + v1::GapCause_Name(gap.cause()), 1);
  CheckerOf(gap.follow_id())->OnGap(gap);
}

void ReaderProcess::OnDirectory(const v1::DirectoryUpdate& update) {
  if (plan_.speaks != Speaks::kAll && update.more()) {
    context_.fail(plan_.name + ": `more` of a directory to one who speaks version 1");
  }
  if (update.complete()) directory_heads_.clear();
  for (const v1::CaseSummary& summary : update.cases()) {
    directory_heads_[summary.case_id()] = summary.head_seq();
  }
}

void ReaderProcess::OnFollowEnded(const v1::FollowEnded& ended) {
  if (ended.follow_id() == kDirectoryFollow) return context_.fail("the directory ended");
  FollowChecker* checker = CheckerOf(ended.follow_id());
  if (context_.reads_failed()) checker->AllowFreshStart();
  if (told_archived_.contains(ended.follow_id())) return;
  checker->OnEnded(ended);
  context_.counters.Add("follow ended: " + ended.cause(), 1);
  process_.Post([this, follow = checker->follow()] { AddFollow(follow); });
}

void ReaderProcess::OnHistoryPage(const v1::HistoryPage& page) {
  const auto it = histories_.find(page.request_id());
  if (it == histories_.end()) return context_.fail(plan_.name + ": a page nobody asked for");
  if (it->second.times_gone_back == context_.oracle.times_gone_back()) {
    CheckHistory(&it->second, page);
  }
  if (page.last()) histories_.erase(it);
}

void ReaderProcess::CheckHistory(History* history, const v1::HistoryPage& page) {
  const Oracle::Case& one = *context_.oracle.Find(home());
  const auto wanted = [&](uint64_t seq) {
    const auto& lanes = history->request.lanes();
    return lanes.empty() ||
           std::find(lanes.begin(), lanes.end(), one.entries[seq - 1].key.lane) != lanes.end();
  };
  const auto next = [&] {
    uint64_t seq = history->at_seq + 1;
    while (seq <= history->request.to_seq() && !wanted(seq)) ++seq;
    return seq;
  };
  for (const std::string& bytes : page.records()) {
    const uint64_t seq = next();
    if (seq > history->request.to_seq() || one.entries[seq - 1].bytes != bytes) {
      return context_.fail(
          absl::StrCat(plan_.name, ": history is not what is on disk at seq ", seq));
    }
    history->at_seq = seq;
  }
  if (page.last() && page.error().empty() && next() <= history->request.to_seq()) {
    context_.fail(absl::StrCat(plan_.name, ": history ends before seq ", next()));
  }
  if (page.last()) context_.counters.Count("history answered");
}

void ReaderProcess::OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) {
  for (const v1::CaseHead& head : heartbeat.heads()) {
    const Oracle::Case* one = context_.oracle.Find(CaseId::FromBytes(head.case_id()));
    if (one == nullptr || context_.oracle.times_gone_back() > 0) continue;
    if (head.head_seq() > one->head()) {
      context_.fail(plan_.name + ": a heartbeat of more than is on disk");
    }
  }
}

void ReaderProcess::OnRecording(const v1::Recording& recording) {
  context_.counters.Add("told " + v1::RecordingCondition_Name(recording.condition()), 1);
  if (plan_.speaks != Speaks::kAll) {
    context_.fail(plan_.name + ": Recording to one who speaks version 1");
  }
}

void ReaderProcess::OnRefused(const v1::Refused& refused) {
  if (!IsRefusedAsPurged(refused, CaseId::FromBytes(refused.case_id()))) return;
  if (refused.follow_id() != 0) told_archived_[refused.follow_id()] = refused.text();
  histories_.erase(refused.request_id());
}

void ReaderProcess::OnJoined(const v1::Joined& joined) {
  NoteJoined();
  acks_.OnHeld(home(), origin_, joined.held());
}

void ReaderProcess::OnAcknowledged(const v1::Acknowledge& acknowledge) {
  acks_.OnHeld(home(), origin_, acknowledge.held());
}

std::string ReaderProcess::Lack() const {
  if (std::string lack = LackOfSession(); !lack.empty()) return lack;
  if (process_.paused()) return plan_.name + " stands still";
  if (std::string lack = LackOfCases(); !lack.empty()) return plan_.name + lack;
  if (!plan_.directory) return "";
  for (const auto& [case_id, truth] : context_.oracle.cases()) {
    const auto it = directory_heads_.find(case_id.ToString());
    const bool listed = it != directory_heads_.end();
    const bool is_there = truth.head() > 0 && !truth.purged;
    if (truth.purged ? listed : is_there && (!listed || it->second != truth.head())) {
      return plan_.name + ": its directory is not what there is";
    }
  }
  return "";
}

std::string ReaderProcess::LackOfCases() const {
  const auto is_there = [this](absl::string_view case_id) {
    const Oracle::Case* one = context_.oracle.Find(CaseId::FromBytes(case_id));
    return one != nullptr && one->head() > 0 && !one->purged;
  };
  if (is_there(home().bytes())) {
    if (!is_joined()) return " is not joined";
    if (outbox_->waiting_records() > 0) return " waits for acknowledgements";
  }
  for (const auto& [id, checker] : checkers_) {
    const v1::Follow& follow = checker->follow();
    if (!is_there(follow.case_id())) continue;
    const auto told = snapshot_session_.find(id);
    if (follow.delivery() == v1::DELIVERY_LIVE &&
        (told == snapshot_session_.end() || told->second != link_->counters().sessions)) {
      return ": no snapshot in this session";
    }
    if (std::string lack = checker->Lack(); !lack.empty()) return ": " + lack;
  }
  return "";
}

void ReaderProcess::CheckEnd() {
  for (const auto& [id, checker] : checkers_) {
    if (!told_archived_.contains(id)) checker->CheckCursor(link_->CursorOf(id));
  }
  // What is gone with a case that its agent will not offer again cannot be asked for.
  const Oracle::Case* one = context_.oracle.Find(home());
  const bool is_there = one != nullptr && one->head() > 0 && !one->purged;
  if (const std::string lack = acks_.Lack(home(), origin_); is_there && !lack.empty()) {
    context_.fail(plan_.name + ": " + lack);
  }
  if (link_->counters().sequence_holes > 0) context_.fail(plan_.name + ": the link saw a hole");
  if (link_->counters().unreadable > 0) context_.fail(plan_.name + ": a message was not readable");
}

}  // namespace remora::simulation
