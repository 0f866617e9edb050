#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "tests/bench/load/followers.h"
#include "tests/bench/load/session_stream.h"

namespace remora::bench {
namespace {

// How often it is looked at what followers have to report.
constexpr int64_t kTickNs = 5'000'000;

class GrpcFollower {
 public:
  GrpcFollower(const LoadOptions& options, int index, ControlPage* page, Tally* tally)
      : page_(page),
        follower_(options, index, page, tally),
        address_(options.grpc),
        tls_roots_(TlsRootsText(options)),
        token_(TokenOfFollower(options, index)),
        tally_(tally) {}

  void Start() {
    sessions_.push_back(std::make_unique<SessionStream>(
        address_, tls_roots_, token_,
        SessionStream::Handlers{[this](absl::Span<const absl::string_view> down) { OnDown(down); },
                                [this](const std::string& why) { OnEnd(why); }}));
    stream_ = sessions_.back().get();
    stream_.load()->Open();
    stream_.load()->Send(follower_.Hello());
  }

  void Tick(int64_t now_ns) {
    if (follower_.stalls() && page_->stalling != stalling_) {
      stalling_ = page_->stalling.load();
      if (follower_.leaves()) {
        LeaveOrComeBack();
      } else if (stalling_) {
        stream_.load()->PauseReading();
      } else {
        stream_.load()->ResumeReading();
      }
    }
    if (!stalling_) SendDue(now_ns);
  }

 private:
  void LeaveOrComeBack() {
    if (stalling_) return stream_.load()->Cancel();
    {
      MutexLock lock(&mutex_);
      follower_.ComeBack();
    }
    Start();
  }
  void OnDown(absl::Span<const absl::string_view> down) {
    {
      MutexLock lock(&mutex_);
      follower_.OnDown(down);
    }
    SendDue(NowNs());
  }
  void SendDue(int64_t now_ns) {
    std::string up;
    {
      MutexLock lock(&mutex_);
      up = follower_.NextUp(now_ns);
    }
    if (!up.empty()) stream_.load()->Send(std::move(up));
  }
  void OnEnd(const std::string& why) {
    if (page_->phase == Phase::kDone || follower_.leaves()) return;
    std::fprintf(stderr, "a follower's session ended: %s\n", why.c_str());
    ++tally_->ended;
  }

  ControlPage* const page_;
  Mutex mutex_;
  Follower follower_;  // what changes of it is guarded by mutex_
  const std::string address_, tls_roots_, token_;
  Tally* const tally_;
  std::vector<std::unique_ptr<SessionStream>> sessions_;  // those that ended, too
  std::atomic<SessionStream*> stream_{nullptr};           // the last of them
  std::atomic<bool> stalling_{false};
};

}  // namespace

void FollowOverGrpc(const LoadOptions& options, ControlPage* page, Tally* tally) {
  std::vector<std::unique_ptr<GrpcFollower>> followers;
  for (int i = 0; i < options.subs; ++i) {
    followers.push_back(std::make_unique<GrpcFollower>(options, i, page, tally));
    followers.back()->Start();
    while (i - tally->welcomed >= kMaxOpening && page->phase != Phase::kDone) {
      SleepUntilNs(NowNs() + kTickNs);
    }
  }
  while (page->phase != Phase::kDone) {
    const int64_t now = NowNs();
    for (const auto& follower : followers) follower->Tick(now);
    SleepUntilNs(now + kTickNs);
  }
  tally->Print();
  std::fflush(stdout);
  _exit(0);  // sessions and their threads go with the process
}

}  // namespace remora::bench
