#include "hub/fanout/history.h"

#include <algorithm>
#include <utility>

#include "common/record_codec.h"
#include "common/wire_writer.h"
#include "hub/fanout/limits.h"

namespace remora::hub {

History::History(std::unique_ptr<CaseFeed> feed, const v1::HistoryRequest& request, LaneSet lanes,
                 std::function<size_t()> page_bytes, std::function<void()> wake)
    : feed_(std::move(feed)),
      request_id_(request.request_id()),
      lanes_(lanes),
      page_bytes_(std::move(page_bytes)),
      wake_(std::move(wake)),
      next_seq_(std::max<uint64_t>(request.from_seq(), 1)),
      to_seq_(request.to_seq() == 0 ? feed_->head().seq
                                    : std::min(request.to_seq(), feed_->head().seq)) {
  Read();
}

History::~History() { *alive_ = false; }

void History::Read() {
  if (next_seq_ > to_seq_) {
    has_page_ = true;  // an empty last one
    page_ = FeedPage();
    wake_();
    return;
  }
  feed_->ReadJournal(next_seq_, to_seq_, lanes_.control(), lanes_.bulk(), page_bytes_(),
                     [this, alive = alive_](absl::StatusOr<FeedPage> page) {
                       if (*alive) OnPage(std::move(page));
                     });
}

void History::OnPage(absl::StatusOr<FeedPage> page) {
  // What cannot be read ends the answer, which says so: the follower may ask again.
  status_.Update(page.status());
  page_ = page.ok() ? std::move(*page) : FeedPage();
  has_page_ = true;
  wake_();
}

std::string History::TakePage() {
  std::string out;
  AppendVarintField(v1::HistoryPage::kRequestIdFieldNumber, request_id_, &out);
  absl::string_view rest = page_.frames.view();
  while (!rest.empty()) {
    absl::StatusOr<absl::string_view> record = TakeFrame(&rest);
    absl::StatusOr<StampedRecord> stamped =
        record.ok() ? WalkStamped(*record) : absl::StatusOr<StampedRecord>(record.status());
    if (!stamped.ok()) {
      status_.Update(stamped.status());
      break;
    }
    if (lanes_.wanted[stamped->header.lane]) {
      AppendBytesField(v1::HistoryPage::kRecordsFieldNumber, *record, &out);
    }
  }
  done_ = page_.next_seq == 0 || !status_.ok();
  AppendVarintField(v1::HistoryPage::kLastFieldNumber, done_ ? 1 : 0, &out);
  if (!status_.ok()) {
    AppendBytesField(v1::HistoryPage::kErrorFieldNumber, status_.message(), &out);
  }
  next_seq_ = page_.next_seq;
  page_ = FeedPage();
  has_page_ = false;
  if (!done_) Read();
  return out;
}

}  // namespace remora::hub
