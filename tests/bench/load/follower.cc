#include "tests/bench/load/follower.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_join.h"
#include "common/link/limits.h"
#include "common/record_codec.h"
#include "tests/bench/load/block_maker.h"
#include "tests/bench/load/frame_joiner.h"

namespace remora::bench {
namespace {

constexpr uint32_t kFollowId = 1;
constexpr uint32_t kAlertLane = 0;
constexpr uint32_t kBlockLane = 5;

void Raise(std::atomic<int64_t>* largest, int64_t value) {
  int64_t was = largest->load();
  while (was < value && !largest->compare_exchange_weak(was, value)) {
  }
}

}  // namespace

void Tally::Print() const {
  const auto count = [](const std::atomic<uint64_t>& value) {
    return static_cast<unsigned long long>(value.load());
  };
  const auto milliseconds = [](const std::atomic<int64_t>& ns) {
    return ns < 0 ? -1 : static_cast<double>(ns) / 1e6;
  };
  std::printf(
      "{\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
      "\"p99_after_us\":%.1f,\"alerts\":%llu,\"alert_p50_us\":%.1f,\"alert_p95_us\":%.1f,"
      "\"alert_p99_us\":%.1f,",
      latency.Quantile(.5), latency.Quantile(.9), latency.Quantile(.99), latency.Quantile(.999),
      latency.Quantile(1), latency_after.Quantile(.99),
      static_cast<unsigned long long>(alert_latency.count()), alert_latency.Quantile(.5),
      alert_latency.Quantile(.95), alert_latency.Quantile(.99));
  std::printf(
      "\"holes\":%llu,\"reader_holes\":%llu,\"told\":%llu,\"duplicates\":%llu,\"others\":%llu,"
      "\"batches\":%llu,\"unreadable\":%llu,\"ended\":%llu,\"first_age_ms\":%.1f,"
      "\"first_age_after_gap_ms\":%.1f,\"whole_ms\":%.1f}\n",
      count(holes), count(reader_holes), count(told), count(duplicates), count(others),
      count(batches), count(unreadable), count(ended), milliseconds(first_age_ns),
      milliseconds(first_age_after_gap_ns), milliseconds(whole_ns));
}

Follower::Follower(const LoadOptions& options, int index, ControlPage* page, Tally* tally)
    : options_(options), index_(index), page_(page), tally_(tally) {
  if (leaves()) cursor_.emplace(FollowRequest());
}

std::string Follower::Hello() const {
  v1::Up up;
  up.mutable_hello()->set_minimum_version(kMinimumVersion);
  up.mutable_hello()->set_maximum_version(kMaximumVersion);
  up.mutable_hello()->set_origin(FollowerOriginOf(index_).ToString());
  up.mutable_hello()->set_software("remora-bench-load");
  return up.SerializeAsString();
}

v1::Follow Follower::FollowRequest() const {
  v1::Follow follow;
  follow.set_follow_id(kFollowId);
  follow.set_case_id(CaseOf(options_.topic_of(index_)).ToString());
  follow.set_delivery(options_.live() ? v1::DELIVERY_LIVE : v1::DELIVERY_COMPLETE);
  if (cursor_ && cursor_->has_place()) *follow.mutable_cursor() = cursor_->ToProto();
  return follow;
}

void Follower::OnDown(absl::Span<const absl::string_view> pieces) {
  if (pieces.empty() || pieces[0].empty() || pieces[0][0] != FrameJoiner::kTag) {
    return OnControl(pieces.size() == 1 ? pieces[0] : absl::StrJoin(pieces, ""));
  }
  FrameJoiner frames;
  for (const absl::string_view piece : pieces) {
    frames.Take(piece, [this](absl::string_view record) { OnRecord(record); });
  }
  if (!frames.done()) ++tally_->unreadable;
  OnBatchEnd();
}

void Follower::OnRecord(absl::string_view record) {
  BlockSeen seen;
  if (!ReadHeader(record, &seen)) {
    tally_->unreadable.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (seen.lane >= 2) shown_bytes_ += record.size();
  if (cursor_) {
    const auto stamped = WalkStamped(record);
    const SharedBytes kept{std::string(record)};
    if (stamped.ok()) cursor_->Take(*stamped, kept.view(), kept);
  }
  if (seen.lane == kAlertLane && IsMeasured(seen.captured_ns)) {
    tally_->alert_latency.Add(NowNs() - seen.captured_ns);
  }
  if (seen.lane != kBlockLane) {
    tally_->others.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (seen.origin_seq <= newest_) {
    tally_->duplicates.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (newest_ == 0) {
    page_->followers_ready.fetch_add(1);
  } else if (seen.origin_seq != newest_ + 1) {
    const uint64_t missed = seen.origin_seq - newest_ - 1;
    tally_->holes.fetch_add(missed, std::memory_order_relaxed);
    if (!stalls()) tally_->reader_holes.fetch_add(missed, std::memory_order_relaxed);
  }
  newest_ = seen.origin_seq;
  Measure(seen);
}

bool Follower::IsMeasured(int64_t captured_ns) const {
  return !stalls() && captured_ns >= page_->measured_from_ns.load(std::memory_order_relaxed) &&
         captured_ns < page_->measured_to_ns.load(std::memory_order_relaxed);
}

void Follower::Measure(const BlockSeen& seen) {
  const int64_t now = NowNs();
  if (IsMeasured(seen.captured_ns)) {
    tally_->latency.Add(now - seen.captured_ns);
    ++measured_in_batch_;
  } else if (!stalls() && page_->phase.load(std::memory_order_relaxed) == Phase::kResumed) {
    tally_->latency_after.Add(now - seen.captured_ns);
  }
  if (to_catch_up_ != 0 && newest_ >= to_catch_up_) {
    Raise(&tally_->whole_ns, now - came_back_ns_);
    to_catch_up_ = 0;
  }
  if (stalls() && page_->phase.load(std::memory_order_relaxed) == Phase::kResumed) {
    if (std::exchange(first_after_resume_, false)) {
      Raise(&tally_->first_age_ns, now - seen.captured_ns);
    }
    if (gap_told_since_resume_ && std::exchange(first_after_gap_, false)) {
      Raise(&tally_->first_age_after_gap_ns, now - seen.captured_ns);
    }
  }
}

void Follower::ComeBack() {
  came_back_ns_ = NowNs();
  to_catch_up_ = page_->last_sent;
  shown_bytes_ = reported_bytes_ = 0;
  answer_due_ = false;
  question_ = 0;
  waiting_up_.clear();
}

void Follower::OnBatchEnd() {
  tally_->batches.fetch_add(1, std::memory_order_relaxed);
  if (measured_in_batch_ > 0) {
    page_->measured.fetch_add(measured_in_batch_, std::memory_order_relaxed);
    page_->last_ns.store(NowNs(), std::memory_order_relaxed);
    measured_in_batch_ = 0;
  }
  page_->newest[index_].store(newest_, std::memory_order_release);
}

void Follower::OnGap(const v1::Gap& gap) {
  if (gap.lane() != kBlockLane) return;
  tally_->told += gap.count();
  if (page_->phase.load() == Phase::kResumed) gap_told_since_resume_ = true;
}

void Follower::OnControl(absl::string_view bytes) {
  v1::Down down;
  if (!down.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    ++tally_->unreadable;
    return;
  }
  if (down.has_welcome()) {
    ++tally_->welcomed;
    v1::Up up;
    *up.mutable_follow() = FollowRequest();
    waiting_up_ = up.SerializeAsString();
  } else if (down.has_refused()) {
    std::fprintf(stderr, "follower %d is refused: %s\n", index_, down.refused().text().c_str());
    ++tally_->ended;
  } else if (down.has_heartbeat()) {
    answer_due_ = true;
    if (down.heartbeat().question_id() != 0) question_ = down.heartbeat().question_id();
  } else if (down.has_gap()) {
    OnGap(down.gap());
  }
}

std::string Follower::NextUp(int64_t now_ns) {
  if (!waiting_up_.empty()) return std::exchange(waiting_up_, "");
  const Duration wait =
      shown_bytes_ - reported_bytes_ >= kShownBytes ? kShownInterval : kLatestShown;
  const bool due =
      shown_bytes_ != reported_bytes_ && now_ns - reported_at_ns_ >= wait.nanoseconds();
  if (!due && !std::exchange(answer_due_, false)) return "";
  answer_due_ = false;
  reported_bytes_ = shown_bytes_;
  reported_at_ns_ = now_ns;
  v1::Up up;
  up.mutable_shown()->set_bulk_bytes_total(shown_bytes_);
  up.mutable_shown()->set_answered_question_id(question_);
  return up.SerializeAsString();
}

}  // namespace remora::bench
