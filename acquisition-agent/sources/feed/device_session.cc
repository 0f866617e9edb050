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
namespace {

double Milliseconds(int64_t ns) { return static_cast<double>(ns) / 1e6; }

std::string IdentityOf(const wire::Describe& describe) {
  return absl::StrCat(NameOf(describe), ", firmware ",
                      describe.firmware().empty() ? "not told" : describe.firmware());
}

}  // namespace

void DeviceSession::BeginSession(uint64_t session_id, int64_t arrived_ns, absl::string_view why,
                                 std::vector<Item>* out) {
  if (session_id != session_id_) previous_session_id_ = session_id_;
  session_id_ = session_id;
  last_seq_ = 0;
  dropped_ = Dropped();
  ++counts_.sessions;
  LearnAnew(arrived_ns, why, out);
  state_ = State::kUnknown;
}

void DeviceSession::LearnAnew(int64_t arrived_ns, absl::string_view why, std::vector<Item>* out) {
  for (BlockTimes& group : groups_) group.BeginAnew(why);
  clock_.Reset();
  blocks_end_device_ns_.reset();
  if (!settling_.empty()) {
    counts_.lost += settling_.size();
    lost_untold_ += settling_.size();
    TellLost(arrived_ns, out);
  }
  settling_.clear();
  settling_bytes_ = 0;
  settling_since_ns_ = arrived_ns;
}

bool DeviceSession::Drop(const wire::Envelope& envelope) {
  ++counts_.duplicates;
  const bool goes_on =
      dropped_.session_id == envelope.session_id() && envelope.seq() > dropped_.seq;
  dropped_ = {envelope.session_id(), envelope.seq(), goes_on ? dropped_.in_a_row + 1 : 1};
  // Who begins says first what it is.
  const bool at_start = envelope.session_id() == session_id_ && envelope.seq() == 1 &&
                        last_seq_ > 1 && envelope.has_describe();
  return at_start || dropped_.in_a_row >= kRestartMessages;
}

bool DeviceSession::TakeNumber(const wire::Envelope& envelope, int64_t arrived_ns,
                               std::vector<Item>* out) {
  const bool of_previous =
      previous_session_id_ != 0 && envelope.session_id() == previous_session_id_;
  const bool other = envelope.session_id() != session_id_;
  if (of_previous || (!other && envelope.seq() <= last_seq_)) {
    const uint64_t before = last_seq_;
    if (!Drop(envelope)) return false;
    const int dropped = dropped_.in_a_row - 1;
    BeginSession(envelope.session_id(), arrived_ns,
                 absl::StrCat(name_, " counts its messages anew"), out);
    Remark(RemarkKind::kSession,
           absl::StrCat("counts its messages anew, from ", envelope.seq(), " and not from ", before,
                        ", without a new session_id (", dropped,
                        " were dropped as sent before); taken for a restart"),
           arrived_ns, out);
  } else if (other) {
    BeginSession(envelope.session_id(), arrived_ns, absl::StrCat(name_, " was restarted"), out);
  } else if (envelope.seq() > last_seq_ + 1) {
    const uint64_t missing = envelope.seq() - last_seq_ - 1;
    counts_.lost += missing;
    lost_untold_ += missing;
    TellLost(arrived_ns, out);
  }
  last_seq_ = envelope.seq();
  dropped_.in_a_row = 0;
  return true;
}

void DeviceSession::TakeClock(const wire::Envelope& envelope, int64_t arrived_ns,
                              std::vector<Item>* out) {
  const int64_t sent_ns = envelope.sent_ns();
  const int64_t back_ns = clock_.known() ? last_sent_ns_ - sent_ns : 0;
  if (back_ns > 0 && back_ns <= kClockStepNs) {
    Remark(RemarkKind::kSentTimes,
           absl::StrFormat("sent_ns went back by %.3f ms: it must never decrease",
                           Milliseconds(back_ns)),
           arrived_ns, out);
  }
  last_sent_ns_ = back_ns > 0 && back_ns <= kClockStepNs ? last_sent_ns_ : sent_ns;
  const int64_t expected_ns = clock_.ToAgent(sent_ns);
  const bool stepped =
      back_ns > kClockStepNs || clock_.Add(sent_ns, arrived_ns) == DeviceClock::Outcome::kStepped;
  if (!stepped) return;
  ++counts_.clock_steps;
  LearnAnew(arrived_ns, absl::StrCat("the clock of ", name_, " has stepped"), out);
  // What it has described still holds.
  if (state_ == State::kRunning) state_ = State::kSettling;
  clock_.Add(sent_ns, arrived_ns);
  Remark(RemarkKind::kClock,
         absl::StrFormat("its clock has stepped by %.1f ms; it is learnt anew",
                         Milliseconds(expected_ns - arrived_ns)),
         arrived_ns, out);
}

void DeviceSession::OnMessage(wire::Envelope envelope, int64_t arrived_ns, std::vector<Item>* out) {
  ++counts_.messages;
  if (!TakeNumber(envelope, arrived_ns, out)) return;
  last_arrived_ns_ = arrived_ns;
  TakeClock(envelope, arrived_ns, out);
  if (lost_untold_ > 0) TellLost(arrived_ns, out);
  if (envelope.has_describe()) TakeDescribe(envelope.describe(), arrived_ns, out);
  if (state_ == State::kSettling) return Settle(std::move(envelope), arrived_ns, out);
  if (state_ == State::kRunning) Use(envelope, arrived_ns, out);
}

void DeviceSession::Settle(wire::Envelope envelope, int64_t arrived_ns, std::vector<Item>* out) {
  settling_bytes_ += envelope.ByteSizeLong();
  settling_.push_back(std::move(envelope));
  while (settling_.size() > kMaxSettlingMessages ||
         (settling_.size() > 1 && settling_bytes_ > kMaxSettlingBytes)) {
    settling_bytes_ -= settling_.front().ByteSizeLong();
    settling_.pop_front();
    ++counts_.lost;
    ++lost_untold_;
  }
  if (arrived_ns - settling_since_ns_ < kSettleNs) return;
  clock_.Settle();
  state_ = State::kRunning;
  settling_bytes_ = 0;
  for (const wire::Envelope& kept : std::exchange(settling_, {})) Use(kept, arrived_ns, out);
}

void DeviceSession::OnRefused(const absl::Status& why, int64_t arrived_ns, std::vector<Item>* out) {
  ++counts_.refused;
  last_arrived_ns_ = arrived_ns;
  Remark(RemarkKind::kRefused, why.message(), arrived_ns, out);
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
      Remark(RemarkKind::kSignals,
             "now describes other channels, rates or scales than when the source was opened. "
             "Nothing of it is used until it is set as before; or stop the agent and begin a new "
             "case",
             arrived_ns, out);
      LearnAnew(arrived_ns, absl::StrCat(name_, " was set to other channels or rates"), out);
    }
    state_ = State::kOther;
    return;
  }
  TakeIdentity(describe, arrived_ns, out);
  if (state_ == State::kRunning) TellBound(arrived_ns, out);
  if (state_ == State::kUnknown || state_ == State::kOther) {
    state_ = State::kSettling;
    settling_since_ns_ = arrived_ns;
  }
}

void DeviceSession::TakeIdentity(const wire::Describe& describe, int64_t arrived_ns,
                                 std::vector<Item>* out) {
  const std::string was = IdentityOf(*signals_);
  const std::string is = IdentityOf(describe);
  if (was == is) return;
  // What was not told now is told when it is described again.
  if (!Remark(RemarkKind::kIdentity,
              absl::StrCat("another device, or another firmware: ", is, "; before it was ", was),
              arrived_ns, out)) {
    return;
  }
  signals_->set_device(describe.device());
  signals_->set_serial(describe.serial());
  signals_->set_firmware(describe.firmware());
  name_ = NameOf(describe);
}

void DeviceSession::TellBound(int64_t arrived_ns, std::vector<Item>* out) {
  const int64_t bound_ns = clock_.BoundNs();
  if (bound_ns <= std::max(kMaxSeamNs, 2 * told_bound_ns_)) return;
  told_bound_ns_ = bound_ns;
  Remark(RemarkKind::kBound,
         absl::StrFormat("its times are only known within %.1f ms: no message of a second comes "
                         "quickly",
                         Milliseconds(bound_ns)),
         arrived_ns, out);
}

void DeviceSession::Use(const wire::Envelope& envelope, int64_t arrived_ns,
                        std::vector<Item>* out) {
  switch (envelope.body_case()) {
    case wire::Envelope::kSamples:
      return UseSamples(envelope.samples(), envelope.sent_ns(), arrived_ns, out);
    case wire::Envelope::kHeartbeat:
      return UseHeartbeat(envelope.heartbeat(), envelope.sent_ns(), arrived_ns, out);
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

void DeviceSession::UseHeartbeat(const wire::Heartbeat& heartbeat, int64_t sent_ns,
                                 int64_t arrived_ns, std::vector<Item>* out) {
  const int64_t told_ns = heartbeat.told_until_ns();
  if (told_ns > sent_ns) {
    Remark(RemarkKind::kToldUntil,
           "told_until_ns of a heartbeat is after sent_ns, and not used: the others wait "
           "for this device",
           arrived_ns, out);
    return;
  }
  if (told_ns != 0) {
    told_until_ns_ = std::max(told_until_ns_, clock_.ToAgent(told_ns));
  } else if (signals_->tells_stimuli() && signals_->rate_groups_size() == 0) {
    Remark(RemarkKind::kToldUntil,
           "heartbeats without told_until_ns: the others wait for this device", arrived_ns, out);
  }
}

void DeviceSession::UseEvent(const wire::Envelope& envelope, int64_t arrived_ns,
                             std::vector<Item>* out) {
  if ((envelope.has_vital() && !IsKnownKind(envelope.vital().kind())) ||
      (envelope.has_drug() && !IsKnownKind(envelope.drug().kind()))) {
    Remark(RemarkKind::kUnknown, "values of a kind that this version does not know are passed over",
           arrived_ns, out);
    return;
  }
  const int64_t device_ns = EventTimeOf(envelope);
  if (std::llabs(device_ns - envelope.sent_ns()) > kMaxAwayNs) {
    ++counts_.refused;
    Remark(RemarkKind::kRefused,
           "a stimulus or value whose time is more than 10 s from when it was sent", arrived_ns,
           out);
    return;
  }
  int64_t time_ns = clock_.ToAgent(device_ns);
  // What the device tells after a block is not inside it, though the block was drawn a little
  // longer than the device's times say.
  if (blocks_end_device_ns_ && device_ns >= *blocks_end_device_ns_ - kMaxSeamNs &&
      time_ns < blocks_end_ns_ && blocks_end_ns_ - time_ns <= kMaxWobbleNs) {
    time_ns = blocks_end_ns_;
  }
  // From before the source was opened.
  if (time_ns < 0) return;
  out->push_back(MakeEventItem(envelope, time_ns, name_));
}

void DeviceSession::UseSamples(const wire::Samples& samples, int64_t sent_ns, int64_t arrived_ns,
                               std::vector<Item>* out) {
  if (const absl::Status fits = CheckBlock(samples, *signals_); !fits.ok()) {
    ++counts_.refused;
    Remark(RemarkKind::kRefused, fits.message(), arrived_ns, out);
    return;
  }
  if (std::llabs(samples.first_sample_ns() - sent_ns) > kMaxAwayNs) {
    ++counts_.refused;
    Remark(RemarkKind::kRefused, "samples whose time is more than 10 s from when they were sent",
           arrived_ns, out);
    return;
  }
  BlockTimes& group = groups_[samples.rate_group_index()];
  const double rate_hz =
      signals_->rate_groups(static_cast<int>(samples.rate_group_index())).sample_rate_hz();
  const int64_t period_ns = std::llround(1e9 / rate_hz);
  const int64_t end_device_ns =
      samples.first_sample_ns() +
      std::llround(static_cast<double>(samples.samples_count()) * 1e9 / rate_hz);
  ToldBlock told;
  told.first = samples.first_sample_index();
  told.count = samples.samples_count();
  told.start_ns = clock_.ToAgent(samples.first_sample_ns());
  told.end_ns = std::max(told.start_ns + 1, clock_.ToAgent(end_device_ns));
  // From before the source was opened.
  if (!group.end_ns() && told.start_ns < 0) return;
  if (end_device_ns - sent_ns > period_ns + kMaxSeamNs) {
    Remark(RemarkKind::kFuture,
           absl::StrFormat("samples that end %.1f ms after they were sent: they wait for their "
                           "time",
                           Milliseconds(end_device_ns - sent_ns)),
           arrived_ns, out);
  }
  const BlockTimes::Placed placed = group.Place(told, rate_hz, name_);
  if (placed.outcome != BlockTimes::Outcome::kPlaced) {
    return TellLeftOut(placed.outcome, arrived_ns, out);
  }
  repeated_blocks_ = 0;
  const auto rate_group = static_cast<int>(samples.rate_group_index());
  if (placed.counts_anew) Remark(RemarkKind::kSession, placed.gap->cause, arrived_ns, out);
  if (placed.gap) {
    Gap gap = *placed.gap;
    gap.rate_group = rate_group;
    out->push_back(std::move(gap));
  }
  SampleBlock block;
  block.rate_group = rate_group;
  block.sample_rate_hz = rate_hz;
  block.first_sample_index = static_cast<int64_t>(told.first);
  block.start_time_ns = placed.start_ns;
  block.end_time_ns = placed.end_ns;
  block.samples_per_channel = static_cast<int32_t>(told.count);
  block.samples = UnpackSamples(samples, *signals_);
  blocks_end_device_ns_ = std::max(blocks_end_device_ns_.value_or(end_device_ns), end_device_ns);
  blocks_end_ns_ = std::max(blocks_end_ns_, block.end_time_ns);
  // A sample of a slow group ends long after it was sent, and others come before that.
  const int64_t told_ns = std::min(block.end_time_ns, clock_.ToAgent(sent_ns));
  told_until_ns_ = std::max(told_until_ns_, told_ns);
  out->push_back(std::move(block));
}

void DeviceSession::TellLeftOut(BlockTimes::Outcome outcome, int64_t arrived_ns,
                                std::vector<Item>* out) {
  if (outcome == BlockTimes::Outcome::kMixed) {
    ++counts_.refused;
    Remark(RemarkKind::kRefused, "samples that were sent before, and others, in one block",
           arrived_ns, out);
    return;
  }
  if (outcome == BlockTimes::Outcome::kOld) {
    Remark(RemarkKind::kRepeated, "samples are left out: others of the same time were told before",
           arrived_ns, out);
    return;
  }
  ++counts_.duplicates;
  if (++repeated_blocks_ < kRestartMessages) return;
  Remark(RemarkKind::kRepeated,
         absl::StrCat(repeated_blocks_,
                      " blocks of samples in a row are left out: by their indexes "
                      "and times they came before"),
         arrived_ns, out);
}

bool DeviceSession::Remark(RemarkKind kind, absl::string_view text, int64_t arrived_ns,
                           std::vector<Item>* out) {
  const std::optional<std::string> told = remarks_.Tell(kind, text, arrived_ns);
  if (told) out->push_back(SourceEvent{told_until_ns_, 0, absl::StrCat(name_, ": ", *told)});
  return told.has_value();
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
