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
  has_page_ = false;
  part_ = FeedPage();
  rest_ = {};
  if (next_seq_ > to_seq_) {
    has_page_ = true;  // an empty last one
    wake_();
    return;
  }
  feed_->ReadJournal(next_seq_, to_seq_, lanes_.control(), lanes_.bulk(), kHistoryPageBytes,
                     [this, alive = alive_](absl::StatusOr<FeedPage> part) {
                       if (*alive) OnPart(std::move(part));
                     });
}

void History::OnPart(absl::StatusOr<FeedPage> part) {
  // What cannot be read ends the answer, which says so: the follower may ask again.
  status_.Update(part.status());
  part_ = part.ok() ? std::move(*part) : FeedPage();
  next_seq_ = part_.next_seq;
  rest_ = part_.frames.view();
  SkipUnwanted();
  if (rest_.empty() && next_seq_ != 0 && status_.ok()) return Read();
  has_page_ = true;
  wake_();
}

void History::SkipUnwanted() {
  while (!rest_.empty()) {
    absl::string_view after = rest_;
    const absl::StatusOr<absl::string_view> record = TakeFrame(&after);
    const absl::StatusOr<StampedRecord> stamped =
        record.ok() ? WalkStamped(*record) : absl::StatusOr<StampedRecord>(record.status());
    if (!stamped.ok()) {
      status_.Update(stamped.status());
      rest_ = {};
      return;
    }
    if (lanes_.wanted[stamped->header.lane]) return;
    rest_ = after;
  }
}

std::string History::TakePage() {
  std::string out;
  AppendVarintField(v1::HistoryPage::kRequestIdFieldNumber, request_id_, &out);
  const size_t most = out.size() + page_bytes_();
  for (bool first = true; !rest_.empty(); first = false) {
    absl::string_view after = rest_;
    const absl::StatusOr<absl::string_view> record = TakeFrame(&after);
    if (!first && out.size() + record->size() > most) break;
    AppendBytesField(v1::HistoryPage::kRecordsFieldNumber, *record, &out);
    rest_ = after;
    SkipUnwanted();
  }
  done_ = rest_.empty() && (next_seq_ == 0 || next_seq_ > to_seq_ || !status_.ok());
  AppendVarintField(v1::HistoryPage::kLastFieldNumber, done_ ? 1 : 0, &out);
  if (done_ && !status_.ok()) {
    AppendBytesField(v1::HistoryPage::kErrorFieldNumber, status_.message(), &out);
  }
  if (rest_.empty() && !done_) Read();
  return out;
}

}  // namespace remora::hub
