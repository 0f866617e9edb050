#pragma once

// One HistoryRequest being answered: pages of records of a range, read from the journal one at a
// time, when the page before has been written. Beside the live path: served after everything else.
// Sequence-bound to the hub; owned by its session's Delivery.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/fanout/case_feed.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

class History {
 public:
  History(std::unique_ptr<CaseFeed> feed, const v1::HistoryRequest& request, LaneSet lanes,
          std::function<size_t()> page_bytes, std::function<void()> wake);
  ~History();

  // A page can be written.
  bool HasPage() const { return has_page_; }
  // One encoded v1::HistoryPage; reads on unless it was the last one.
  std::string TakePage();
  bool done() const { return done_; }
  const CaseFeed& feed() const { return *feed_; }

 private:
  void Read();
  void OnPage(absl::StatusOr<FeedPage> page);

  std::unique_ptr<CaseFeed> feed_;
  const uint32_t request_id_;
  const LaneSet lanes_;
  // What the next page may have.
  const std::function<size_t()> page_bytes_;
  const std::function<void()> wake_;
  uint64_t next_seq_;
  const uint64_t to_seq_;
  absl::Status status_;
  FeedPage page_;
  bool has_page_ = false;
  bool done_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
