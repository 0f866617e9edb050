#include "acquisition-agent/sources/feed/conformance.h"

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

Finding Make(std::string what, bool holds, std::string figure, std::string advice) {
  return {holds ? Verdict::kPass : Verdict::kFail, std::move(what), std::move(figure),
          holds ? "" : std::move(advice)};
}

Finding Skip(std::string what, std::string why, std::string advice) {
  return {Verdict::kSkip, std::move(what), std::move(why), std::move(advice)};
}

}  // namespace

void ConformanceJudge::TakeSession(const wire::Envelope& envelope) {
  if (envelope.session_id() == session_id_) {
    if (envelope.seq() <= last_seq_) {
      ++repeated_;
      return;
    }
    lost_ += envelope.seq() - last_seq_ - 1;
    clock_back_ += envelope.sent_ns() < last_sent_ns_ ? 1 : 0;
  } else {
    session_id_ = envelope.session_id();
    ++sessions_;
    clock_.Reset();
    ways_.clear();
    groups_.assign(groups_.size(), Group());
    told_ns_.reset();
  }
  last_seq_ = envelope.seq();
  last_sent_ns_ = envelope.sent_ns();
}

void ConformanceJudge::OnMessage(const std::vector<std::string>& frames, int64_t arrived_ns) {
  const absl::StatusOr<wire::Envelope> envelope = DecodeMessage(frames);
  if (!envelope.ok()) {
    if (refused_++ == 0) first_refusal_ = std::string(envelope.status().message());
    return;
  }
  if (messages_++ == 0) first_arrived_ns_ = arrived_ns;
  TakeSession(*envelope);
  const int64_t sent_ns = envelope->sent_ns();
  clock_.Add(sent_ns, arrived_ns);
  if (ways_.size() < kMaxDelays) ways_.emplace_back(sent_ns, arrived_ns);
  switch (envelope->body_case()) {
    case wire::Envelope::kDescribe:
      return TakeDescribe(envelope->describe(), arrived_ns);
    case wire::Envelope::kSamples:
      return TakeSamples(envelope->samples(), sent_ns);
    case wire::Envelope::kHeartbeat:
      return TakeHeartbeat(envelope->heartbeat(), sent_ns, arrived_ns);
    case wire::Envelope::kEnd:
    case wire::Envelope::BODY_NOT_SET:
      return;
    default:
      return TakeTime(EventTimeOf(*envelope), sent_ns, envelope->has_trigger());
  }
}

void ConformanceJudge::TakeDescribe(const wire::Describe& describe, int64_t arrived_ns) {
  const int64_t since_ns = arrived_ns - described_ns_.value_or(first_arrived_ns_);
  longest_without_description_ns_ = std::max(longest_without_description_ns_, since_ns);
  described_ns_ = arrived_ns;
  if (describe_ && !SameSignals(*describe_, describe)) description_changed_ = true;
  describe_ = describe;
  groups_.resize(static_cast<size_t>(describe.rate_groups_size()));
}

void ConformanceJudge::TakeSamples(const wire::Samples& samples, int64_t sent_ns) {
  // Before the description nobody can say what they are.
  if (!describe_) return;
  if (const absl::Status fits = CheckBlock(samples, *describe_); !fits.ok()) {
    if (refused_++ == 0) first_refusal_ = std::string(fits.message());
    return;
  }
  Group& group = groups_[samples.rate_group_index()];
  const double rate_hz =
      describe_->rate_groups(static_cast<int>(samples.rate_group_index())).sample_rate_hz();
  const uint64_t first = samples.first_sample_index();
  const int64_t length_ns =
      std::llround(static_cast<double>(samples.samples_count()) * 1e9 / rate_hz);
  if (!group.began) {
    group.began = true;
    group.first_index = first;
    group.first_ns = samples.first_sample_ns();
  } else if (first < group.next_index) {
    ++group.repeated;
    return;
  } else {
    group.missing += first - group.next_index;
    const double expected_ns = static_cast<double>(first - group.last_index) * 1e9 / rate_hz;
    const double seam_ns =
        std::fabs(static_cast<double>(samples.first_sample_ns() - group.last_ns) - expected_ns);
    group.worst_seam_ns =
        std::max(group.worst_seam_ns, static_cast<int64_t>(std::min(seam_ns, 1e15)));
  }
  ++group.blocks;
  group.next_index = first + samples.samples_count();
  group.last_index = first;
  group.last_ns = samples.first_sample_ns();
  group.longest_ns = std::max(group.longest_ns, length_ns);
  const int64_t end_ns = samples.first_sample_ns() + length_ns;
  if (told_ns_ && end_ns < *told_ns_) ++out_of_order_;
  told_ns_ = std::max(told_ns_.value_or(end_ns), end_ns);
  // When its last sample was taken, a sample before its end, it may go.
  const int64_t age_ns = sent_ns - end_ns;
  least_age_ns_ = std::min(least_age_ns_, age_ns);
  most_age_ns_ = std::max(most_age_ns_, age_ns);
  future_blocks_ += age_ns < -std::llround(1e9 / rate_hz) - kMaxSeamNs ? 1 : 0;
}

void ConformanceJudge::TakeTime(int64_t device_ns, int64_t sent_ns, bool is_trigger) {
  if (!is_trigger) {
    if (std::llabs(device_ns - sent_ns) > kMaxAwayNs) ++out_of_order_;
    return;
  }
  ++triggers_;
  if (std::llabs(device_ns - sent_ns) > kMaxAwayNs || (told_ns_ && device_ns < *told_ns_)) {
    ++wrong_triggers_;
  }
}

void ConformanceJudge::TakeHeartbeat(const wire::Heartbeat& heartbeat, int64_t sent_ns,
                                     int64_t arrived_ns) {
  ++heartbeats_;
  const int64_t since_ns = arrived_ns - heartbeat_ns_.value_or(first_arrived_ns_);
  longest_without_heartbeat_ns_ = std::max(longest_without_heartbeat_ns_, since_ns);
  heartbeat_ns_ = arrived_ns;
  if (!describe_) return;
  bool right = heartbeat.next_sample_index_size() == describe_->rate_groups_size();
  for (size_t i = 0; right && i < groups_.size(); ++i) {
    right = !groups_[i].began ||
            heartbeat.next_sample_index(static_cast<int>(i)) >= groups_[i].next_index;
  }
  if (!right) ++wrong_heartbeats_;
  const bool must_tell = describe_->tells_stimuli() && describe_->rate_groups_size() == 0;
  const int64_t told_ns = heartbeat.told_until_ns();
  if (told_ns > sent_ns || (must_tell && told_ns == 0)) ++wrong_told_;
}

Finding ConformanceJudge::Decoding() const {
  return Make("messages well-formed", refused_ == 0,
              absl::StrCat(refused_, " of ", messages_ + refused_, " refused"), first_refusal_);
}

Finding ConformanceJudge::Description(int64_t now_ns) const {
  const std::string what = "description complete";
  const int64_t longest_ns =
      std::max(longest_without_description_ns_, now_ns - described_ns_.value_or(first_arrived_ns_));
  if (!describe_) {
    return Make(what, false, absl::StrFormat("none in %.1f s", Milliseconds(longest_ns) / 1e3),
                "send Describe first in a session, and again each second");
  }
  const std::string figure = absl::StrFormat(
      "%s, firmware %s: %d channels in %d rate groups, version %d, at most %.1f s apart",
      NameOf(*describe_), describe_->firmware().empty() ? "not told" : describe_->firmware(),
      describe_->channels_size(), describe_->rate_groups_size(), describe_->protocol_version(),
      Milliseconds(longest_ns) / 1e3);
  if (description_changed_) {
    return Make(what, false, figure, "it changed while it was heard: begin a new session for that");
  }
  if (describe_->serial().empty() || describe_->firmware().empty()) {
    return Make(what, false, figure, "give serial and firmware: the record names them");
  }
  return Make(what, longest_ns <= kLongestSilenceNs, figure,
              "send it each second: who comes late waits for it");
}

Finding ConformanceJudge::Sequence() const {
  const uint64_t sent = messages_ + lost_;
  return Make("sequence dense", lost_ == 0 && repeated_ == 0 && sessions_ <= 1,
              absl::StrCat(lost_, " of ", sent, " messages lost, ", repeated_, " sent twice, ",
                           sessions_, sessions_ == 1 ? " session" : " sessions"),
              "seq counts each message of a session by one; where ZeroMQ drops, raise ZMQ_SNDHWM, "
              "send less often, or mend the network");
}

Finding ConformanceJudge::ClockForward() const {
  return Make("device clock monotonic", clock_back_ == 0,
              absl::StrCat("went back ", clock_back_, " times"),
              "sent_ns must come from a clock that is never set (CLOCK_MONOTONIC)");
}

Finding ConformanceJudge::ClockDrift() const {
  const std::string what = "device clock drift";
  if (ways_.empty() || ways_.back().second - ways_.front().second < 2 * kSlopeFromNs) {
    return Skip(what, "heard for too short", "listen for 10 s or longer");
  }
  const double ppm = clock_.DriftPpm();
  return Make(what, std::fabs(ppm) <= kMaxRateErrorPpm,
              absl::StrFormat("%+.1f ppm against this machine, within %.2f ms", -ppm,
                              Milliseconds(clock_.BoundNs())),
              absl::StrCat("beyond ", kMaxRateErrorPpm,
                           " ppm: nanoseconds must be nanoseconds, of a quartz clock"));
}

Finding ConformanceJudge::Rate(size_t index) const {
  const Group& group = groups_[index];
  const double stated_hz = describe_->rate_groups(static_cast<int>(index)).sample_rate_hz();
  const std::string what = absl::StrFormat("sample rate %g Hz", stated_hz);
  const int64_t span_ns = group.last_ns - group.first_ns;
  if (!group.began || span_ns < kLeastRateNs) {
    return Skip(what, group.began ? "heard for too short" : "no samples came",
                group.began ? "listen for longer" : "start the acquisition");
  }
  const double measured_hz = static_cast<double>(group.last_index - group.first_index) * 1e9 /
                             static_cast<double>(span_ns);
  const double ppm = (measured_hz / stated_hz - 1) * 1e6;
  return Make(what, std::fabs(ppm) <= kMaxRateErrorPpm,
              absl::StrFormat("measured %.4f Hz in device time, %+.1f ppm", measured_hz, ppm),
              "state the rate as it is in device time, and take first_sample_ns from the sample "
              "counter");
}

Finding ConformanceJudge::Samples(size_t index) const {
  const Group& group = groups_[index];
  const std::string what = absl::StrFormat(
      "samples dense %g Hz", describe_->rate_groups(static_cast<int>(index)).sample_rate_hz());
  if (!group.began) return Skip(what, "no samples came", "start the acquisition");
  const bool dense = group.missing == 0 && group.repeated == 0;
  return Make(
      what, dense && group.worst_seam_ns <= kMaxSeamNs,
      absl::StrFormat("%d missing, %d blocks sent twice, times within %.3f ms of the counts",
                      group.missing, group.repeated, Milliseconds(group.worst_seam_ns)),
      dense ? "first_sample_ns must be first_sample_index / rate on one clock, to 1 ms"
            : "first_sample_index counts every sample, also those that were not sent");
}

Finding ConformanceJudge::Blocks() const {
  const std::string what = "block sizes";
  int64_t longest_ns = 0;
  uint64_t blocks = 0;
  for (const Group& group : groups_) {
    longest_ns = std::max(longest_ns, group.longest_ns);
    blocks += group.blocks;
  }
  if (blocks == 0) return Skip(what, "no samples came", "start the acquisition");
  return Make(what, longest_ns <= kLongestGoodBlockNs,
              absl::StrFormat("%d blocks, at most %.1f ms", blocks, Milliseconds(longest_ns)),
              "send blocks of 5 to 50 ms: what is seen is late by a block");
}

Finding ConformanceJudge::Ages() const {
  const std::string what = "age of blocks";
  if (least_age_ns_ > most_age_ns_) return Skip(what, "no samples came", "start the acquisition");
  return Make(
      what, future_blocks_ == 0 && most_age_ns_ <= kMaxBlockAgeNs,
      absl::StrFormat("sent %.1f to %.1f ms after their ends, %d before their last sample",
                      Milliseconds(least_age_ns_), Milliseconds(most_age_ns_), future_blocks_),
      future_blocks_ > 0
          ? "a block is sent when its last sample was taken: first_sample_ns or sent_ns is "
            "of another clock"
          : absl::StrFormat("send a block at once: other devices wait %.1f s for it, and "
                            "then its samples are lost",
                            Milliseconds(kMaxWaitNs) / 1e3));
}

Finding ConformanceJudge::Order() const {
  return Make("order of times", out_of_order_ == 0,
              absl::StrCat(out_of_order_, " messages out of order"),
              "send blocks in the order of their ends, and values within 10 s of their time");
}

Finding ConformanceJudge::Triggers() const {
  const std::string what = "triggers in time";
  if (triggers_ == 0) {
    return Skip(what, "none came", "stimulate while you check (on a resistor, not on a person)");
  }
  return Make(
      what, wrong_triggers_ == 0,
      absl::StrCat(wrong_triggers_, " of ", triggers_,
                   " after the samples of their time, or more than 10 s away"),
      "send a Trigger before the block that ends after it; hold that block back if need be");
}

Finding ConformanceJudge::Heartbeats(int64_t now_ns) const {
  const int64_t longest_ns =
      std::max(longest_without_heartbeat_ns_, now_ns - heartbeat_ns_.value_or(first_arrived_ns_));
  const bool stimulator =
      describe_ && describe_->tells_stimuli() && describe_->rate_groups_size() == 0;
  const int64_t most_ns = stimulator ? kLongestStimulatorSilenceNs : kLongestSilenceNs;
  const std::string figure = absl::StrFormat(
      "%d, at most %.2f s apart, %d with wrong sample indexes, %d with a told_until_ns that says "
      "nothing",
      heartbeats_, Milliseconds(longest_ns) / 1e3, wrong_heartbeats_, wrong_told_);
  if (wrong_told_ > 0) {
    return Make("heartbeats on time", false, figure,
                "told_until_ns is at most sent_ns, and never 0 of a device that tells stimuli and "
                "has no samples: the others wait for it");
  }
  return Make("heartbeats on time", longest_ns <= most_ns && wrong_heartbeats_ == 0, figure,
              stimulator ? "a device that tells stimuli and has no samples sends one each 20 ms"
                         : "send one each second, with next_sample_index for every rate group");
}

Finding ConformanceJudge::Delays() const {
  if (ways_.size() < 10) return Skip("delays", "too few messages", "listen for longer");
  std::vector<int64_t> late;
  late.reserve(ways_.size());
  for (const auto& [sent_ns, arrived_ns] : ways_) {
    late.push_back(std::max<int64_t>(0, arrived_ns - clock_.ToAgent(sent_ns)));
  }
  std::sort(late.begin(), late.end());
  const int64_t p50_ns = late[late.size() / 2];
  const int64_t p99_ns = late[late.size() * 99 / 100];
  return Make("delays", p99_ns <= kMaxDelayP99Ns,
              absl::StrFormat("p50 %.2f ms, p99 %.2f ms beyond the quickest", Milliseconds(p50_ns),
                              Milliseconds(p99_ns)),
              "messages wait on their way: wire instead of radio, send at once, nothing else on "
              "that network");
}

std::vector<Finding> ConformanceJudge::Judge(int64_t now_ns) const {
  std::vector<Finding> findings = {Decoding()};
  if (!heard()) return findings;
  findings.push_back(Description(now_ns));
  findings.push_back(Sequence());
  findings.push_back(ClockForward());
  findings.push_back(ClockDrift());
  for (size_t group = 0; describe_ && group < groups_.size(); ++group) {
    findings.push_back(Rate(group));
    findings.push_back(Samples(group));
  }
  findings.push_back(Blocks());
  findings.push_back(Ages());
  findings.push_back(Order());
  findings.push_back(Triggers());
  findings.push_back(Heartbeats(now_ns));
  findings.push_back(Delays());
  return findings;
}

bool ConformanceJudge::Conforms(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& one) { return one.verdict == Verdict::kFail; });
}

}  // namespace remora::agent::feed
