#include "hub/rooms/commit_queue.h"

#include <string>
#include <utility>

#include "common/chain.h"
#include "common/check.h"
#include "common/wire_writer.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

constexpr char kFrameTag = 0x0a;

}  // namespace

CommitQueue::CommitQueue(Journal& journal, Executor& executor, const Clock& clock,
                         HubTimeSource& hub_time, HubMetrics& metrics, OriginLedger& ledger,
                         CaseHead head, OnCommit on_commit, OnFailure on_failure)
    : journal_(journal),
      executor_(executor),
      clock_(clock),
      hub_time_(hub_time),
      metrics_(metrics),
      ledger_(ledger),
      on_commit_(std::move(on_commit)),
      on_failure_(std::move(on_failure)),
      accepted_(head),
      committed_(head) {}

CommitQueue::~CommitQueue() { *alive_ = false; }

const RecordFrame& CommitQueue::Add(const RecordHeader& header, absl::string_view bytes,
                                    const Marks& marks) {
  const HubTime recorded_at =
      hub_time_.NowNotBefore(HubTime::FromNanoseconds(accepted_.last_recorded_unix_ns));
  const RecordStamp stamp{accepted_.epoch, accepted_.last_seq + 1, recorded_at, false};
  std::string frame;
  const size_t record_bytes = bytes.size() + kStampBytes;
  frame.reserve(record_bytes + 4);
  frame.push_back(kFrameTag);
  AppendVarint(record_bytes, &frame);
  const size_t header_bytes = frame.size();
  frame.append(bytes.data(), bytes.size());
  AppendStamp(stamp, &frame);

  accepted_.last_seq = stamp.seq;
  accepted_.last_recorded_unix_ns = recorded_at.nanoseconds();
  accepted_.lane_seq[header.lane] = stamp.seq;
  accepted_.chain = ExtendChain(accepted_.chain, absl::string_view(frame).substr(header_bytes));

  if (pending_.empty()) pending_since_ = clock_.Now();
  if (header.lane < 2 && !pending_event_since_) pending_event_since_ = clock_.Now();
  RecordFrame& added = pending_.emplace_back();
  added.bytes = SharedBytes(std::move(frame));
  added.header_bytes = static_cast<uint8_t>(header_bytes);
  added.seq = stamp.seq;
  added.recorded_unix_ns = recorded_at.nanoseconds();
  added.origin_seq = header.origin_seq;
  added.origin_index = ledger_.IndexOf(header.origin);
  added.trace = marks.trace;
  added.kind = header.kind;
  added.lane = static_cast<uint8_t>(header.lane);
  added.provisional = marks.provisional;
  added.late = marks.late;
  pending_bytes_ += added.bytes.size();
  return added;
}

CaseAppend CommitQueue::MakeAppend() {
  CaseAppend append;
  append.case_id = accepted_.case_id;
  append.last_seq = accepted_.last_seq;
  append.chain = accepted_.chain;
  append.lane_seq = accepted_.lane_seq;
  append.origins = ledger_.TakeAdvances();
  for (const RecordClass record_class : {RecordClass::kControl, RecordClass::kBulk}) {
    Run run;
    run.record_class = record_class;
    std::string frames;
    if (record_class == RecordClass::kBulk) frames.reserve(pending_bytes_);
    for (const RecordFrame& frame : pending_) {
      if (ClassOfLane(frame.lane) != record_class) continue;
      if (run.count == 0) run.first_seq = frame.seq;
      run.last_seq = frame.seq;
      ++run.count;
      frames.append(frame.bytes.view().data(), frame.bytes.size());
    }
    if (run.count == 0) continue;
    run.frames = SharedBytes(std::move(frames));
    if (record_class == RecordClass::kBulk) ShareRun(run);
    append.runs.push_back(std::move(run));
  }
  return append;
}

// Blocks that were committed together lie side by side, so that they leave together, as one slice.
// Only lane 5, which nobody keeps for long: one frame keeps the whole run alive.
void CommitQueue::ShareRun(const Run& run) {
  if (run.count < 2 || run.frames.size() > kMaxSharedRunBytes) return;
  size_t offset = 0;
  for (RecordFrame& frame : pending_) {
    if (ClassOfLane(frame.lane) != RecordClass::kBulk) continue;
    const size_t size = frame.bytes.size();
    if (frame.lane == 5) frame.bytes = run.frames.Part(offset, size);
    offset += size;
  }
}

void CommitQueue::Flush() {
  if (under_way_ || failed_) return;
  if (pending_.empty() && (accepted_.last_seq == 0 || !ledger_.has_advances())) return;
  append_ = MakeAppend();
  after_append_ = accepted_;
  in_flight_ = std::move(pending_);
  in_flight_bytes_ = pending_bytes_;
  in_flight_since_ = pending_since_;
  in_flight_event_since_ = std::exchange(pending_event_since_, std::nullopt);
  pending_.clear();
  pending_bytes_ = 0;
  Send();
}

Duration CommitQueue::OldestAge(DeviceTime now) const {
  if (!in_flight_.empty()) return now - in_flight_since_;
  return pending_.empty() ? Duration() : now - pending_since_;
}

Duration CommitQueue::OldestEventAge(DeviceTime now) const {
  if (in_flight_event_since_) return now - *in_flight_event_since_;
  return pending_event_since_ ? now - *pending_event_since_ : Duration();
}

void CommitQueue::VisitUncommitted(const std::function<void(const RecordFrame&)>& visit) const {
  for (const RecordFrame& frame : in_flight_) visit(frame);
  for (const RecordFrame& frame : pending_) visit(frame);
}

void CommitQueue::Send() {
  under_way_ = true;
  sent_at_ = clock_.Now();
  journal_.Append(append_, [this, alive = alive_](absl::Status status) {
    if (*alive) OnDone(status);
  });
}

void CommitQueue::OnDone(const absl::Status& status) {
  REMORA_CHECK(under_way_, "an append ended that was not under way");
  under_way_ = false;
  if (!status.ok()) {
    metrics_.Count(metric::kJournalFailures, "", 1);
    const bool first = !failed_;
    failed_ = true;
    failure_ = status;
    executor_.PostAfter(kJournalRetryDelay, [this, alive = alive_] {
      if (*alive) Send();
    });
    if (first) on_failure_(status);
    return;
  }
  metrics_.ObserveSeconds(metric::kCommitSeconds, (clock_.Now() - sent_at_).seconds());
  const bool recovered = failed_;
  failed_ = false;
  committed_ = after_append_;
  const std::vector<RecordFrame> frames = std::move(in_flight_);
  const std::vector<OriginAdvance> advances = std::move(append_.origins);
  in_flight_.clear();
  in_flight_event_since_.reset();
  append_ = CaseAppend();
  in_flight_bytes_ = 0;
  ledger_.Commit(advances);
  on_commit_(frames, advances);
  if (recovered) on_failure_(absl::OkStatus());
  Flush();
}

}  // namespace remora::hub
