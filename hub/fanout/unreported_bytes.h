#pragma once

// What a session was sent that its follower does not report by bytes: pages of history, and lanes
// 0-1 of complete follows. Behind it goes a question; the answer says that it came.
//
//   OnSent(900) --> question 7 --> OnSent(400) --> question 8 ... answered 7: 900 have come
//
// A follower that gives no question back (of version 1, say) is not waited for: after
// kReportPatience everything counts as come, and nothing more is counted until it answers.
// Thread-compatible.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

#include "common/time.h"
#include "hub/fanout/limits.h"

namespace remora::hub {

class UnreportedBytes {
 public:
  // `asks`: the follower is asked at all.
  explicit UnreportedBytes(bool asks) : counts_(asks) {}

  // What is sent counts until it has come.
  bool counts() const { return counts_; }
  void OnSent(uint64_t bytes, DeviceTime now) {
    if (!counts_ || bytes == 0) return;
    if (!since_) since_ = now;
    sent_ += bytes;
  }
  // Sent behind the last question.
  uint64_t unasked() const { return sent_ - asked_; }
  // The next question's number.
  uint32_t Ask() {
    asked_ = sent_;
    ++question_;
    if (asked_for_.size() < kMaxQuestions) asked_for_.push_back({});
    asked_for_.back() = {question_, sent_};
    return question_;
  }
  // One that was not asked is ignored.
  void OnAnswered(uint32_t question_untrusted) {
    if (question_untrusted == 0 || question_untrusted > question_) return;
    counts_ = answers_ = true;
    for (; !asked_for_.empty() && asked_for_.front().question <= question_untrusted;
         asked_for_.pop_front()) {
      came_ = std::max(came_, asked_for_.front().sent);
    }
  }
  // True: it has not answered for too long, and is given up.
  bool GiveUp(DeviceTime now) {
    if (!counts_ || answers_ || !since_ || now - *since_ < kReportPatience) return false;
    counts_ = false;
    came_ = sent_;
    return true;
  }
  // So many bytes have come.
  uint64_t came() const { return came_; }
  bool all_came() const { return came_ == sent_; }

 private:
  struct Asked {
    uint32_t question = 0;
    uint64_t sent = 0;
  };
  std::deque<Asked> asked_for_;
  uint32_t question_ = 0;
  uint64_t sent_ = 0;
  uint64_t asked_ = 0;
  uint64_t came_ = 0;
  std::optional<DeviceTime> since_;  // of the first
  bool counts_;
  bool answers_ = false;
};

}  // namespace remora::hub
