#include "hub/fanout/credit_window.h"

#include <algorithm>

#include "common/limits.h"
#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

constexpr size_t kRateSamples = 8;
constexpr size_t kRoundTripSamples = 16;
constexpr size_t kMaxMarks = 256;
// A sample of less is the round trip's more than the rate's.
constexpr uint64_t kJudgedBytes = 2 * 1024;
// Windows from here on belong to links on which followers report often by themselves.
constexpr size_t kSmallWindowBytes = 64 * 1024;
// A batch that found nothing on its way tells more of the link than those of a stream that has less
// to send than the link carries; a small window asks for it so often.
constexpr Duration kLoneBatchQuestion = Duration::Seconds(5);

}  // namespace

CreditWindow::CreditWindow(Duration slack) : slack_(slack), window_(kFirstBulkWindowBytes) {}

bool CreditWindow::Allows(size_t record_bytes, size_t taken) const {
  const size_t used = in_flight() + taken;
  // A record larger than the whole window goes alone.
  if (used == 0 || used + record_bytes <= window_) return true;
  // One may stand across the edge where whole records are coarse against the window, else a long
  // way would carry one record a round trip for ever: the second, or any when the way is most of
  // it.
  return used < window_ && (used <= kMaxBlockBytes || round_trip_ > slack_ * 2);
}

size_t CreditWindow::write_bytes() const {
  if (rate_ == 0) return kMaxBatchBytes;
  const double bytes = rate_ * kBulkWriteTime.seconds();
  return static_cast<size_t>(std::clamp(bytes, static_cast<double>(kMinBulkWindowBytes),
                                        static_cast<double>(kMaxBulkWriteBytes)));
}

void CreditWindow::OnSent(size_t bytes, DeviceTime now) {
  if (in_flight() == 0) {
    shown_at_ = now;  // an idle time is no slow one
    was_full_ = false;
  }
  sent_total_ += bytes;
  const bool full = in_flight() + kMaxBlockBytes > window_;
  was_full_ |= full;
  if (marks_.size() >= kMaxMarks) {
    marks_.back().sent_total = sent_total_;
    return;
  }
  marks_.push_back({sent_total_, shown_total_, shown_at_, full || rates_.empty()});
}

void CreditWindow::OnShown(uint64_t bytes_total_untrusted, DeviceTime now) {
  if (idle_question_) {
    idle_question_ = false;
    // One that says more is no answer: of a follower that was not asked, or does not listen.
    if (bytes_total_untrusted == idle_total_) AddRoundTrip(now - idle_asked_at_);
  }
  const uint64_t shown = std::min(bytes_total_untrusted, sent_total_);
  if (shown <= shown_total_) return;
  shown_total_ = shown;
  bool found = false;
  Mark newest;
  while (!marks_.empty() && marks_.front().sent_total <= shown) {
    newest = marks_.front();
    found = true;
    marks_.pop_front();
  }
  if (found) AddSample(newest, now);
  shown_at_ = now;
}

void CreditWindow::AddSample(const Mark& mark, DeviceTime now) {
  const double seconds = std::max(now - mark.shown_at, kLeastSampleTime).seconds();
  const uint64_t bytes = shown_total_ - mark.shown_total;
  const double rate = static_cast<double>(bytes) / seconds;
  const bool counts = mark.busy && (rates_.empty() || bytes >= kJudgedBytes);
  if (!counts && rate <= rate_) return;
  rates_.push_back(rate);
  if (rates_.size() > kRateSamples) rates_.pop_front();
  if (bytes >= kJudgedBytes) ++judged_;
  rate_ = *std::max_element(rates_.begin(), rates_.end());
  UpdateWindow();
}

void CreditWindow::AddRoundTrip(Duration round_trip) {
  round_trips_.push_back(round_trip);
  if (round_trips_.size() > kRoundTripSamples) round_trips_.pop_front();
  round_trip_ = *std::min_element(round_trips_.begin(), round_trips_.end());
  UpdateWindow();
}

void CreditWindow::UpdateWindow() {
  if (rate_ == 0) return;
  const double window = rate_ * (round_trip_ + slack_).seconds();
  window_ = static_cast<size_t>(std::clamp(window, static_cast<double>(kMinBulkWindowBytes),
                                           static_cast<double>(kMaxBulkWindowBytes)));
}

bool CreditWindow::IsQuestionDue(bool blocked, DeviceTime now) const {
  if (!asked_) return true;
  const uint64_t since = sent_total_ - std::max(asked_total_, shown_total_);
  if (since == 0) return false;
  const bool small = window_ < kSmallWindowBytes;
  if (small && marks_.size() == 1 && now - asked_at_ >= kLoneBatchQuestion) return true;
  if (blocked || rates_.empty()) return true;
  // Of a window that was full a quarter: whole records are coarse against it.
  return small && (was_full_ ? since + kMaxBlockBytes > window_ / 4 : since > window_ / 4 * 3);
}

void CreditWindow::OnAsked(DeviceTime now) {
  if (in_flight() == 0) {
    idle_question_ = true;
    idle_asked_at_ = now;
    idle_total_ = sent_total_;
  }
  asked_ = true;
  asked_at_ = now;
  asked_total_ = sent_total_;
}

}  // namespace remora::hub
