#pragma once

// What a session was sent that its follower does not report by bytes: pages of history, and lanes
// 0-1 of complete follows. Behind each write of it goes a question; the answer says that it came.
//
//   OnSent(900) --> question 7 --> OnSent(400) --> question 8 ... answered 7: 900 have come
//
// A follower that has never answered is not waited for: nothing is counted. Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <deque>

namespace remora::hub {

class UnreportedBytes {
 public:
  // The follower gives back questions.
  bool answers() const { return answers_; }
  void OnSent(uint64_t bytes) { sent_ += bytes; }
  // Something was sent behind the last question.
  bool IsQuestionDue() const { return sent_ > asked_; }
  // The next question's number.
  uint32_t Ask() {
    asked_ = sent_;
    ++question_;
    // Of more than these the newest stands for all: what came is known a little later.
    if (asked_for_.size() < kMaxAsked) asked_for_.push_back({});
    asked_for_.back() = {question_, sent_};
    return question_;
  }
  // One that was not asked is ignored.
  void OnAnswered(uint32_t question_untrusted) {
    if (question_untrusted == 0 || question_untrusted > question_) return;
    answers_ = true;
    for (; !asked_for_.empty() && asked_for_.front().question <= question_untrusted;
         asked_for_.pop_front()) {
      came_ = asked_for_.front().sent;
    }
  }
  // So many bytes have come.
  uint64_t came() const { return came_; }

 private:
  static constexpr size_t kMaxAsked = 256;
  struct Asked {
    uint32_t question = 0;
    uint64_t sent = 0;
  };
  std::deque<Asked> asked_for_;
  uint32_t question_ = 0;
  uint64_t sent_ = 0;
  uint64_t asked_ = 0;
  uint64_t came_ = 0;
  bool answers_ = false;
};

}  // namespace remora::hub
