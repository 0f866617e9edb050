#include "hub/rooms/unrecorded_show.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

UnrecordedShow::UnrecordedShow(const Parts& parts, Host host)
    : parts_(parts), host_(std::move(host)) {}

UnrecordedShow::~UnrecordedShow() { *alive_ = false; }

bool UnrecordedShow::IsTroubled(DeviceTime now) const {
  return parts_.commits->failed() || parts_.commits->OldestEventAge(now) >= kUnrecordedAfter ||
         parts_.commits->OldestAge(now) >= kUnrecordedBulkAfter;
}

void UnrecordedShow::Watch() {
  const DeviceTime now = parts_.clock->Now();
  if (IsTroubled(now)) {
    troubled_at_ = now;
    const bool begins = !active_;
    const bool worse = active_ && parts_.commits->failed() && !failed_;
    if (begins) Begin(now);
    if (begins || worse) NameCause();
    // First: what the room writes of it has a later number than what waits of the hub's own.
    ShowWaiting();
    if (begins || worse) host_.on_unrecorded(begins);
    return;
  }
  troubled_ = false;
  if (active_ && now - troubled_at_ >= kUnrecordedHold) {
    End();
  }
}

void UnrecordedShow::Begin(DeviceTime now) {
  active_ = true;
  since_ = shown_at_ = parts_.hub_time->NowNotBefore(
      HubTime::FromNanoseconds(parts_.commits->committed().last_recorded_unix_ns));
  troubled_at_ = now;
  first_seq_ = parts_.commits->committed().last_seq + 1;
  shown_count_ = 0;
  failed_ = false;
}

void UnrecordedShow::NameCause() {
  failed_ = parts_.commits->failed();
  cause_ = failed_ ? absl::StrCat("the hub's journal fails: ", parts_.commits->failure().message())
                   : absl::StrCat("the hub's disk is slow: records wait for more than ",
                                  kUnrecordedAfter.milliseconds(), " ms");
  cause_.resize(std::min(cause_.size(), kMaxReasonBytes));
}

void UnrecordedShow::End() {
  v1::UnrecordedInterval interval;
  interval.set_from_unix_ns(since_.nanoseconds());
  interval.set_to_unix_ns(parts_.hub_time->NowNotBefore(since_).nanoseconds());
  interval.set_cause(cause_);
  interval.set_shown_count(shown_count_);
  interval.set_first_seq(first_seq_);
  active_ = false;
  cause_.clear();
  numbers_.Clear();
  ring_.Clear();
  host_.on_over(interval);
}

void UnrecordedShow::WatchLater(Duration delay) {
  watching_ = true;
  parts_.executor->PostAfter(delay, [this, alive = alive_] {
    if (!*alive) return;
    watching_ = false;
    Watch();
    const Duration age = parts_.commits->OldestEventAge(parts_.clock->Now());
    if (age > Duration() && age < kUnrecordedAfter) WatchLater(kUnrecordedAfter - age);
  });
}

void UnrecordedShow::OnTaken(const RecordFrame& frame) {
  if (frame.lane < 2 && !watching_) WatchLater(kUnrecordedAfter);
  if (!active_) return;
  const DeviceTime now = parts_.clock->Now();
  if (!IsTroubled(now)) {
    // It waits unseen: when the trouble comes again, what waits is shown from its beginning.
    troubled_ = false;
    return;
  }
  if (!troubled_) return Watch();
  troubled_at_ = now;
  ShowAccepted(frame);
}

bool UnrecordedShow::TakeNumber(const RecordKey& key) {
  return numbers_.Take(parts_.ledger->IndexOf(key.origin), key.lane, key.origin_seq,
                       parts_.ledger->Next(key.origin, key.lane));
}

uint64_t UnrecordedShow::Next(const OriginId& origin, uint32_t lane) const {
  return std::max(parts_.ledger->Next(origin, lane),
                  numbers_.LastOf(parts_.ledger->IndexOf(origin), lane) + 1);
}

void UnrecordedShow::PassOver(const RecordKey& key) {
  if (!active_) return;
  ShowWaiting();
  TakeNumber(key);
}

bool UnrecordedShow::Show(const RecordHeader& header, absl::string_view bytes,
                          const CommitQueue::Marks& marks) {
  if (!active_) return false;
  // What cannot be taken is trouble, and comes behind what was taken and waits.
  troubled_at_ = parts_.clock->Now();
  ShowWaiting();
  if (!TakeNumber(header.key())) return false;
  RecordFrame frame;
  frame.origin_seq = header.origin_seq;
  frame.origin_index = parts_.ledger->IndexOf(header.origin);
  frame.trace = marks.trace;
  frame.kind = header.kind;
  frame.lane = static_cast<uint8_t>(header.lane);
  frame.provisional = marks.provisional;
  frame.late = marks.late;
  ShowFrame(std::move(frame), bytes);
  return true;
}

void UnrecordedShow::ShowAccepted(const RecordFrame& frame) {
  if (!numbers_.TakeAccepted(frame.origin_index, frame.lane, frame.origin_seq)) return;
  const absl::string_view record = frame.record();
  ShowFrame(frame, record.substr(0, record.size() - kStampBytes));
}

void UnrecordedShow::ShowWaiting() {
  if (std::exchange(troubled_, true)) return;
  parts_.commits->VisitUncommitted([this](const RecordFrame& frame) { ShowAccepted(frame); });
}

void UnrecordedShow::ShowFrame(RecordFrame frame, absl::string_view origin_bytes) {
  shown_at_ = parts_.hub_time->NowNotBefore(shown_at_);
  std::string stamped(origin_bytes);
  AppendStamp({parts_.commits->committed().epoch, 0, shown_at_, true}, &stamped);
  std::string framed;
  AppendFrame(stamped, &framed);
  frame.header_bytes = static_cast<uint8_t>(framed.size() - stamped.size());
  frame.bytes = SharedBytes(std::move(framed));
  frame.seq = 0;
  frame.recorded_unix_ns = shown_at_.nanoseconds();
  // What is late is folded, and no picture of now.
  if (!frame.late || frame.lane < 2) {
    ++shown_count_;
    parts_.metrics->Count(metric::kRecordsShownUnrecorded, "", 1);
  }
  if (frame.lane < 2) {
    parts_.metrics->Count(metric::kUnrecordedNotKept, "", ring_.Add(frame));
  }
  host_.show(frame);
}

}  // namespace remora::hub
