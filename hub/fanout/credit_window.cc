#include "hub/fanout/credit_window.h"

#include <algorithm>

#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

constexpr size_t kRateSamples = 8;
constexpr size_t kRttSamples = 32;
constexpr size_t kMaxMarks = 256;

}  // namespace

size_t CreditWindow::Window() const {
  if (rates_bytes_per_second_.size() < kRateSamples || round_trips_.empty()) {
    return kBulkWindowBytes;
  }
  const Duration round_trip = *std::min_element(round_trips_.begin(), round_trips_.end());
  const double window = Rate() * (round_trip + kBulkWindowSlack).seconds();
  return static_cast<size_t>(std::clamp(window, static_cast<double>(kMinBulkWindowBytes),
                                        static_cast<double>(kBulkWindowBytes)));
}

double CreditWindow::Rate() const {
  return *std::max_element(rates_bytes_per_second_.begin(), rates_bytes_per_second_.end());
}

void CreditWindow::OnSent(size_t bytes, DeviceTime now) {
  if (in_flight() == 0) shown_at_ = now;  // an idle time is no slow one
  sent_total_ += bytes;
  if (marks_.size() >= kMaxMarks) {
    marks_.back().sent_total = sent_total_;
  } else {
    marks_.push_back({sent_total_, in_flight(), now});
  }
  // Only a link that had its window full tells what it can carry.
  if (in_flight() + kMinBulkWindowBytes / 2 >= Window()) busy_since_shown_ = true;
}

void CreditWindow::OnShown(uint64_t bytes_total_untrusted, DeviceTime now) {
  const uint64_t shown = std::min(bytes_total_untrusted, sent_total_);
  if (shown <= shown_total_) return;
  const double seconds = (now - shown_at_).seconds();
  if (busy_since_shown_ && seconds > 0) {
    rates_bytes_per_second_.push_back(static_cast<double>(shown - shown_total_) / seconds);
    if (rates_bytes_per_second_.size() > kRateSamples) rates_bytes_per_second_.pop_front();
  }
  while (!marks_.empty() && marks_.front().sent_total <= shown) {
    const Mark& mark = marks_.front();
    if (!rates_bytes_per_second_.empty()) {
      const double ahead_seconds = static_cast<double>(mark.in_flight) / Rate();
      round_trips_.push_back(
          Duration::FromSeconds(std::max(0.0, (now - mark.at).seconds() - ahead_seconds)));
    }
    marks_.pop_front();
  }
  while (round_trips_.size() > kRttSamples) round_trips_.pop_front();
  shown_total_ = shown;
  shown_at_ = now;
  busy_since_shown_ = in_flight() + kMinBulkWindowBytes / 2 >= Window();
}

}  // namespace remora::hub
