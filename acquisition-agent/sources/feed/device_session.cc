#include "acquisition-agent/sources/feed/device_session.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/sources/feed/description.h"
#include "acquisition-agent/sources/feed/event_items.h"
#include "acquisition-agent/sources/feed/limits.h"

namespace remora::agent::feed {

void DeviceSession::BeginSession(uint64_t session_id, int64_t arrived_ns, absl::string_view why) {
  if (session_id != session_id_) {
    previous_session_id_ = session_id_;
    session_id_ = session_id;
    last_seq_ = 0;
    ++counts_.sessions;
  }
  gap_cause_ = std::string(why);
  for (Group& group : groups_) group.next_index.reset();
  clock_.Reset();
  settling_.clear();
  settling_since_ns_ = arrived_ns;
  state_ = State::kUnknown;
}

bool DeviceSession::TakeNumber(const wire::Envelope& envelope, std::vector<Item>* out) {
  if (envelope.session_id() == previous_session_id_ && previous_session_id_ != 0) {
    ++counts_.duplicates;
    return false;
  }
  if (envelope.session_id() != session_id_) {
    BeginSession(envelope.session_id(), *last_arrived_ns_, absl::StrCat(name_, " was restarted"));
  } else if (envelope.seq() <= last_seq_) {
    ++counts_.duplicates;
    return false;
  } else if (envelope.seq() > last_seq_ + 1) {
    const uint64_t missing = envelope.seq() - last_seq_ - 1;
    counts_.lost += missing;
    lost_untold_ += missing;
    TellLost(*last_arrived_ns_, out);
  }
  last_seq_ = envelope.seq();
  return true;
}

void DeviceSession::OnMessage(wire::Envelope envelope, int64_t arrived_ns, std::vector<Item>* out) {
  ++counts_.messages;
  last_arrived_ns_ = arrived_ns;
  if (!TakeNumber(envelope, out)) return;
  const bool went_back = clock_.known() && envelope.sent_ns() < last_sent_ns_;
  last_sent_ns_ = envelope.sent_ns();
  bool stepped = went_back;
  if (!stepped) {
    stepped = clock_.Add(envelope.sent_ns(), arrived_ns) == DeviceClock::Outcome::kStepped;
  }
  if (stepped) {
    ++counts_.clock_steps;
    const State before = state_;
    BeginSession(session_id_, arrived_ns, absl::StrCat("the clock of ", name_, " has stepped"));
    // What it has described still holds.
    state_ = before == State::kRunning ? State::kSettling : before;
    clock_.Add(envelope.sent_ns(), arrived_ns);
  }
  if (lost_untold_ > 0) TellLost(arrived_ns, out);
  if (envelope.has_describe()) TakeDescribe(envelope.describe(), arrived_ns, out);
  if (state_ == State::kSettling) {
    settling_.push_back(std::move(envelope));
    if (settling_.size() > kMaxSettlingMessages) {
      settling_.pop_front();
      ++counts_.lost;
      ++lost_untold_;
    }
    if (arrived_ns - settling_since_ns_ < kSettleNs) return;
    clock_.Settle();
    state_ = State::kRunning;
    for (const wire::Envelope& kept : std::exchange(settling_, {})) Use(kept, arrived_ns, out);
    return;
  }
  if (state_ == State::kRunning) Use(envelope, arrived_ns, out);
}

void DeviceSession::OnRefused(const absl::Status& why, int64_t arrived_ns, std::vector<Item>* out) {
  ++counts_.refused;
  last_arrived_ns_ = arrived_ns;
  Remark(why.message(), arrived_ns, out);
}

void DeviceSession::TakeDescribe(const wire::Describe& describe, int64_t arrived_ns,
                                 std::vector<Item>* out) {
  if (!signals_) {
    signals_ = describe;
    name_ = NameOf(describe);
    groups_.resize(static_cast<size_t>(describe.rate_groups_size()));
  }
  if (!SameSignals(*signals_, describe)) {
    if (state_ != State::kOther) {
      remarked_ns_.reset();
      Remark(
          "now describes other channels, rates or scales than when the source was opened. "
          "Nothing of it is used until it is set as before; or stop the agent and begin a new "
          "case",
          arrived_ns, out);
      BeginSession(session_id_, arrived_ns,
                   absl::StrCat(name_, " was set to other channels or rates"));
    }
    state_ = State::kOther;
    return;
  }
  if (state_ == State::kUnknown || state_ == State::kOther) {
    state_ = State::kSettling;
    settling_since_ns_ = arrived_ns;
  }
}

void DeviceSession::Use(const wire::Envelope& envelope, int64_t arrived_ns,
                        std::vector<Item>* out) {
  switch (envelope.body_case()) {
    case wire::Envelope::kSamples:
      return UseSamples(envelope.samples(), envelope.sent_ns(), arrived_ns, out);
    case wire::Envelope::kHeartbeat:
      if (envelope.heartbeat().told_until_ns() != 0 &&
          envelope.heartbeat().told_until_ns() <= envelope.sent_ns()) {
        told_until_ns_ =
            std::max(told_until_ns_, clock_.ToAgent(envelope.heartbeat().told_until_ns()));
      }
      return;
    case wire::Envelope::kEnd:
      out->push_back(SourceEvent{
          told_until_ns_, 0,
          absl::StrCat(name_, " has ended",
                       envelope.end().reason().empty() ? "" : ": " + envelope.end().reason())});
      return;
    case wire::Envelope::kDescribe:
    case wire::Envelope::BODY_NOT_SET:
      return;
    default:
      return UseEvent(envelope, arrived_ns, out);
  }
}

void DeviceSession::UseEvent(const wire::Envelope& envelope, int64_t arrived_ns,
                             std::vector<Item>* out) {
  const int64_t device_ns = EventTimeOf(envelope);
  if (std::llabs(device_ns - envelope.sent_ns()) > kMaxAwayNs) {
    ++counts_.refused;
    return Remark("a stimulus or value whose time is more than 10 s from when it was sent",
                  arrived_ns, out);
  }
  const int64_t time_ns = clock_.ToAgent(device_ns);
  // From before the source was opened.
  if (time_ns < 0) return;
  out->push_back(MakeEventItem(envelope, time_ns, name_));
}

void DeviceSession::UseSamples(const wire::Samples& samples, int64_t sent_ns, int64_t arrived_ns,
                               std::vector<Item>* out) {
  if (const absl::Status fits = CheckBlock(samples, *signals_); !fits.ok()) {
    ++counts_.refused;
    return Remark(fits.message(), arrived_ns, out);
  }
  if (std::llabs(samples.first_sample_ns() - sent_ns) > kMaxAwayNs) {
    ++counts_.refused;
    return Remark("samples whose time is more than 10 s from when they were sent", arrived_ns, out);
  }
  Group& group = groups_[samples.rate_group_index()];
  const uint64_t first = samples.first_sample_index();
  const uint64_t count = samples.samples_count();
  if (group.next_index && first < *group.next_index) {
    if (first + count <= *group.next_index) {
      ++counts_.duplicates;
    } else {
      ++counts_.refused;
      Remark("samples that were sent before, and others, in one block", arrived_ns, out);
    }
    return;
  }
  const double rate_hz =
      signals_->rate_groups(static_cast<int>(samples.rate_group_index())).sample_rate_hz();
  const int64_t start_ns = clock_.ToAgent(samples.first_sample_ns());
  const int64_t end_ns = clock_.ToAgent(samples.first_sample_ns() +
                                        std::llround(static_cast<double>(count) * 1e9 / rate_hz));
  // From before the source was opened.
  if (!group.end_ns && start_ns < 0) return;
  const std::optional<int64_t> begin_ns = Seam(&group, rate_hz, first, start_ns, end_ns, out);
  if (!begin_ns) return;
  group.next_index = first + count;
  SampleBlock block;
  block.rate_group = static_cast<int>(samples.rate_group_index());
  block.sample_rate_hz = rate_hz;
  block.first_sample_index = static_cast<int64_t>(first);
  block.start_time_ns = *begin_ns;
  // Where times are drawn together, no block becomes shorter than half of it.
  block.end_time_ns = std::max(end_ns, *begin_ns + std::max<int64_t>((end_ns - start_ns) / 2, 1));
  block.samples_per_channel = static_cast<int32_t>(count);
  block.samples = UnpackSamples(samples, *signals_);
  group.end_ns = block.end_time_ns;
  told_until_ns_ = std::max(told_until_ns_, block.end_time_ns);
  out->push_back(std::move(block));
}

std::optional<int64_t> DeviceSession::Seam(Group* group, double rate_hz, uint64_t first,
                                           int64_t start_ns, int64_t end_ns,
                                           std::vector<Item>* out) {
  if (!group->end_ns) return start_ns;
  const int64_t before_ns = *group->end_ns;
  const auto gap_to = [&](int64_t to_ns, std::string cause) {
    Gap gap;
    gap.from_ns = before_ns;
    gap.to_ns = to_ns;
    gap.cause = std::move(cause);
    gap.rate_group = static_cast<int>(group - groups_.data());
    out->push_back(std::move(gap));
    group->catching_up = false;
    return to_ns;
  };
  const double from_end_ms = static_cast<double>(start_ns - before_ns) / 1e6;
  if (!group->next_index) {
    // Two clocks of one device may differ by what each is uncertain by: no sample comes twice.
    if (start_ns < before_ns) return std::nullopt;
    return gap_to(start_ns, absl::StrFormat("%s: no samples for %.1f ms", gap_cause_, from_end_ms));
  }
  if (const uint64_t missing = first - *group->next_index; missing > 0) {
    // By their number: to the sample, whatever the clock's uncertainty.
    const double missing_ns = static_cast<double>(missing) * 1e9 / rate_hz;
    const int64_t to_ns = missing_ns < static_cast<double>(kMaxTimeNs)
                              ? before_ns + std::llround(missing_ns)
                              : kMaxTimeNs;
    const bool agree = std::llabs(start_ns - to_ns) <= kMaxSeamNs;
    return gap_to(std::max(before_ns, agree ? to_ns : start_ns),
                  absl::StrFormat("%s: %d samples of each channel (%.1f ms at %g Hz) were lost on "
                                  "the way%s",
                                  name_, missing, missing_ns / 1e6, rate_hz,
                                  agree ? "" : ", and its clock does not agree"));
  }
  if (start_ns - before_ns > kMaxSeamNs && !group->catching_up) {
    return gap_to(start_ns, absl::StrFormat("%s: its clock went ahead by %.1f ms between two "
                                            "samples that follow each other",
                                            name_, from_end_ms));
  }
  if (before_ns - start_ns > kMaxSeamNs && !group->catching_up) {
    Gap gap;
    gap.kind = Gap::Kind::kTimeJumpedBack;
    gap.from_ns = before_ns;
    gap.to_ns = before_ns;
    gap.clock_step_ns = start_ns - before_ns;
    gap.rate_group = static_cast<int>(group - groups_.data());
    gap.cause = absl::StrFormat(
        "%s: its clock went back by %.1f ms between two samples that "
        "follow each other",
        name_, -from_end_ms);
    out->push_back(std::move(gap));
    group->catching_up = true;
  } else if (end_ns >= before_ns && before_ns - start_ns <= kMaxSeamNs) {
    group->catching_up = false;
  }
  return before_ns;
}

void DeviceSession::Remark(absl::string_view text, int64_t arrived_ns, std::vector<Item>* out) {
  if (remarked_ns_ && arrived_ns - *remarked_ns_ < kRemarkIntervalNs) return;
  remarked_ns_ = arrived_ns;
  out->push_back(SourceEvent{told_until_ns_, 0, absl::StrCat(name_, ": ", text)});
}

void DeviceSession::TellLost(int64_t arrived_ns, std::vector<Item>* out) {
  if (lost_told_ns_ && arrived_ns - *lost_told_ns_ < kRemarkIntervalNs) return;
  lost_told_ns_ = arrived_ns;
  out->push_back(SourceEvent{
      told_until_ns_, 0,
      absl::StrCat(name_, ": ", lost_untold_, lost_untold_ == 1 ? " message was" : " messages were",
                   " lost on the way; stimuli and values may be among them")});
  lost_untold_ = 0;
}

}  // namespace remora::agent::feed
