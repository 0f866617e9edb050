#pragma once

// One HistoryRequest being answered: pages of records of a range. The journal is read a part at a
// time, when what was read before has been written; what nobody asked for fills no page. Beside the
// live path: served after everything else. Sequence-bound to the hub; owned by its session's
// Delivery.

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
  void OnPart(absl::StatusOr<FeedPage> part);
  // The next record that was asked for is in front, or the part is at its end.
  void SkipUnwanted();

  std::unique_ptr<CaseFeed> feed_;
  const uint32_t request_id_;
  const LaneSet lanes_;
  // What the next page may have; it has at least one record.
  const std::function<size_t()> page_bytes_;
  const std::function<void()> wake_;
  uint64_t next_seq_;
  const uint64_t to_seq_;
  absl::Status status_;
  FeedPage part_;
  // Of the part, what was not written yet.
  absl::string_view rest_;
  bool has_page_ = false;
  bool done_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
