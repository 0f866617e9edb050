#include <cstdio>

#include "absl/strings/str_join.h"
#include "common/link/limits.h"
#include "tests/bench/load/publisher.h"

namespace remora::bench {
namespace {

constexpr uint32_t kEventLane = 1;
constexpr uint32_t kBlockLane = 5;

std::string HelloOf(int topic) {
  v1::Up up;
  up.mutable_hello()->set_minimum_version(kMinimumVersion);
  up.mutable_hello()->set_maximum_version(kMaximumVersion);
  up.mutable_hello()->set_origin(AgentOriginOf(topic).ToString());
  up.mutable_hello()->set_software("remora-bench-load");
  return up.SerializeAsString();
}

}  // namespace

Agent::Agent(const LoadOptions& options, int topic, const BlockShape& shape, ControlPage* page,
             PublishTally* tally)
    : options_(options),
      topic_(topic),
      page_(page),
      tally_(tally),
      blocks_(topic, shape),
      sent_ns_(kRemembered),
      stream_(
          options.grpc, TlsRootsText(options), TokenOfAgent(options, topic),
          {[this](absl::Span<const absl::string_view> down) { OnDown(absl::StrJoin(down, "")); },
           [this](const std::string& why) {
             if (page_->phase == Phase::kDone) return;
             std::fprintf(stderr, "an agent's session ended: %s\n", why.c_str());
             ++tally_->refused;
           }}) {}

void Agent::Start() {
  stream_.Open();
  stream_.Send(HelloOf(topic_));
}

void Agent::SendBlock() {
  const int64_t now = NowNs();
  frame_.clear();
  blocks_.AppendFrame(now, &frame_);
  sent_ns_[blocks_.last_origin_seq() % kRemembered].store(now, std::memory_order_relaxed);
  if (topic_ == 0) page_->last_sent = blocks_.last_origin_seq();
  stream_.SendRecords(frame_);
}

void Agent::SendAlert() { stream_.SendRecords(BlockMaker::AlertFrame(topic_, ++alerts_, NowNs())); }

void Agent::OnDown(absl::string_view bytes) {
  if (bytes.empty() || bytes[0] == '\x0a') return;  // it follows nothing
  v1::Down down;
  if (!down.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    ++tally_->refused;
    return;
  }
  switch (down.control_case()) {
    case v1::Down::kWelcome: {
      v1::Up up;
      up.mutable_join()->set_case_id(CaseOf(topic_).ToString());
      up.mutable_join()->set_theatre(TheatreOf(topic_));
      stream_.Send(up.SerializeAsString());
      break;
    }
    case v1::Down::kJoined:
      if (!joined_) {
        joined_ = true;
        stream_.SendRecords(BlockMaker::OpeningFrame(topic_, NowNs()));
      } else if (open_) {
        ++tally_->rejoined;
      }
      break;
    case v1::Down::kAcknowledge:
      OnAcknowledge(down.acknowledge());
      break;
    case v1::Down::kRefused:
      std::fprintf(stderr, "agent %d is refused: %s\n", topic_, down.refused().text().c_str());
      ++tally_->refused;
      break;
    case v1::Down::kRecordRefused:
      std::fprintf(stderr, "a record is refused: %s\n", down.record_refused().text().c_str());
      ++tally_->refused;
      break;
    default:
      break;
  }
}

void Agent::OnAcknowledge(const v1::Acknowledge& acknowledge) {
  const int64_t now = NowNs();
  uint64_t last = acknowledged_;
  for (const v1::LaneRanges& lane : acknowledge.held()) {
    if (lane.lane() == kEventLane) open_ = true;
    if (lane.lane() != kBlockLane) continue;
    for (const v1::SeqRange& range : lane.ranges()) {
      if (range.first() <= last + 1 && range.last() > last) last = range.last();
    }
  }
  for (uint64_t seq = acknowledged_ + 1; seq <= last; ++seq) {
    const int64_t sent = sent_ns_[seq % kRemembered].load(std::memory_order_relaxed);
    if (sent >= page_->measured_from_ns && sent < page_->measured_to_ns) {
      tally_->acknowledgement.Add(now - sent);
    }
  }
  acknowledged_ = last;
}

}  // namespace remora::bench
