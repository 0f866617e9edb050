#include "hub/fanout/complete_follow.h"

#include <utility>

namespace remora::hub {

CompleteFollow::CompleteFollow(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow,
                               LaneSet lanes, std::function<void()> wake)
    : feed_(std::move(feed)),
      follow_id_(follow.follow_id()),
      lanes_(lanes),
      wake_(std::move(wake)) {
  if (!follow.has_cursor()) {
    tail_ = std::make_unique<RecordTail>(*feed_, lanes_, std::array<uint64_t, kLaneCount>{}, wake_);
    return;
  }
  check_ = std::make_unique<CursorCheck>(*feed_, follow.cursor(),
                                         [this](const absl::Status& status) { OnChecked(status); });
  check_->Start();
}

CompleteFollow::~CompleteFollow() = default;

void CompleteFollow::OnChecked(const absl::Status& status) {
  status_ = status;
  if (status_.ok()) {
    tail_ = std::make_unique<RecordTail>(*feed_, lanes_, check_->after(), wake_);
  }
  wake_();
}

size_t CompleteFollow::Take(size_t max_bytes, bool first, std::vector<SharedBytes>* slices,
                            size_t* count) {
  return tail_ == nullptr ? 0 : tail_->Take(max_bytes, first, slices, count);
}

absl::Status CompleteFollow::status() const {
  return status_.ok() && tail_ != nullptr ? tail_->status() : status_;
}

}  // namespace remora::hub
