#pragma once

// gRPC's messages out of the pieces in which they come, for one follower: records as they are
// whole, so that of a batch only what lies across two pieces is copied.

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/bench/load/follower.h"
#include "tests/bench/load/frame_joiner.h"

namespace remora::bench {

class MessagePieces {
 public:
  static constexpr size_t kPrefixBytes = 5;

  MessagePieces(Follower* follower, Tally* tally) : follower_(follower), tally_(tally) {}

  static std::string PrefixOf(size_t message_bytes) {
    std::string prefix(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) {
      prefix.push_back(static_cast<char>(message_bytes >> shift));
    }
    return prefix;
  }

  void Take(absl::string_view piece) {
    while (!piece.empty()) {
      if (left_ == 0) {
        TakePrefix(&piece);
        continue;
      }
      const absl::string_view part = piece.substr(0, left_);
      piece.remove_prefix(part.size());
      if (first_) is_batch_ = part[0] == FrameJoiner::kTag;
      first_ = false;
      left_ -= part.size();
      if (is_batch_) {
        frames_.Take(part, [this](absl::string_view record) { follower_->OnRecord(record); });
      } else {
        control_.append(part.data(), part.size());
      }
      if (left_ == 0) End();
    }
  }

 private:
  void TakePrefix(absl::string_view* piece) {
    const absl::string_view part = piece->substr(0, kPrefixBytes - prefix_.size());
    prefix_.append(part.data(), part.size());
    piece->remove_prefix(part.size());
    if (prefix_.size() < kPrefixBytes) return;
    for (size_t i = 1; i < kPrefixBytes; ++i) {
      left_ = left_ << 8 | static_cast<uint8_t>(prefix_[i]);
    }
    prefix_.clear();
    first_ = true;
  }

  void End() {
    if (is_batch_) {
      if (!frames_.done()) ++tally_->unreadable;
      frames_ = FrameJoiner();
      follower_->OnBatchEnd();
    } else {
      follower_->OnDown(control_);
      control_.clear();
    }
  }

  Follower* const follower_;
  Tally* const tally_;
  std::string prefix_;
  size_t left_ = 0;  // of the message that is coming
  bool first_ = true;
  bool is_batch_ = false;
  FrameJoiner frames_;
  std::string control_;
};

}  // namespace remora::bench
