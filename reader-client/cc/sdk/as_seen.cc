#include "reader-client/cc/sdk/as_seen.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace remora::reader {
namespace {

// Empty: a record that draws nothing.
std::string TraceOf(const v1::Record& record) {
  switch (record.body_case()) {
    case v1::Record::kSweep:
      return record.sweep().trace_id();
    case v1::Record::kEnvelope:
      return record.envelope().trace_id();
    case v1::Record::kSampleBlock:
      return record.sample_block().trace_id();
    default:
      return "";
  }
}

std::string ClockOf(const StampedRecord& stamped, uint64_t boot_id) {
  return absl::StrCat(stamped.header.origin.Hex(), "/", boot_id);
}

}  // namespace

void AsSeen::Show(const StampedRecord& stamped, const v1::Record& record) {
  const uint64_t seq = stamped.stamp.seq;
  head_seq_ = std::max(head_seq_, seq);
  if (record.has_clock_estimate()) {
    offsets_ns_[ClockOf(stamped, record.clock_estimate().boot_id())] =
        record.clock_estimate().offset_ns();
  } else if (stamped.header.lane <= 1 && !record.has_view_seen()) {
    news_ = true;
  }
  if (stamped.header.lane <= 1) {
    control_seq_ = std::max(control_seq_, seq);
    if (!stamped.stamp.unrecorded) {
      unrecorded_events_.erase(stamped.header.key());
    } else if (unrecorded_events_.size() < kMaxSeenUnrecorded) {
      unrecorded_events_.insert(stamped.header.key());
    }
  }
  const std::string trace = TraceOf(record);
  if (trace.empty()) return;
  const Shown shown{ToProto(stamped.header.key()), ClockOf(stamped, record.captured_at().boot_id()),
                    record.captured_at().monotonic_ns(), stamped.stamp.recorded_at.nanoseconds(),
                    stamped.stamp.unrecorded};
  // What comes late from a backlog is not what is before the reader's eyes.
  if (traces_.contains(trace) || traces_.size() < kMaxSeenTraces) Put(shown, &traces_[trace]);
  Put(shown, &acquired_);
  if (record.has_sweep() && !record.sweep().provisional() && Put(shown, &finished_)) news_ = true;
}

bool AsSeen::Put(const Shown& shown, std::optional<Shown>* newest) {
  if (*newest && !shown.IsNewerThan(**newest)) return false;
  *newest = shown;
  return true;
}

double AsSeen::AgeMs(const Shown& shown, const std::optional<BoundedHubTime>& hub_now) const {
  if (!hub_now) return -1;
  const auto offset = offsets_ns_.find(shown.clock);
  const int64_t made_ns =
      offset == offsets_ns_.end() ? shown.recorded_ns : shown.captured_ns + offset->second;
  return std::max(0.0, (hub_now->time - HubTime::FromNanoseconds(made_ns)).milliseconds());
}

std::optional<v1::ViewSeen> AsSeen::Take(DeviceTime now, const Link& link,
                                         const std::optional<BoundedHubTime>& hub_now) {
  news_ |= link.condition != told_link_;
  if (told_at_ && now - *told_at_ < (news_ ? kSeenAtMostEach : kSeenAtLeastEach)) {
    return std::nullopt;
  }
  told_at_ = now;
  told_link_ = link.condition;
  news_ = false;
  v1::ViewSeen view;
  view.set_screen_id(screen_id_);
  view.set_mode(mode_);
  view.set_control_seq(control_seq_);
  view.set_head_seq(head_seq_);
  view.set_link_age_ms(link.age.milliseconds());
  view.set_acquisition_age_ms(acquired_ ? AgeMs(*acquired_, hub_now) : -1);
  view.set_response_age_ms(finished_ ? AgeMs(*finished_, hub_now) : -1);
  view.set_link(link.condition);
  bool unrecorded = !unrecorded_events_.empty();
  for (const auto& [trace_id, shown] : traces_) {
    v1::SeenTrace& trace = *view.add_traces();
    trace.set_trace_id(trace_id);
    *trace.mutable_newest() = shown->newest;
    trace.set_age_ms(AgeMs(*shown, hub_now));
    unrecorded |= shown->unrecorded;
  }
  view.set_unrecorded(unrecorded);
  return view;
}

}  // namespace remora::reader
