#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/link/grpc_dialer.h"
#include "common/link/participant_link.h"
#include "common/random.h"
#include "common/thread_executor.h"
#include "tests/bench/load/followers.h"

namespace remora::bench {
namespace {

constexpr int64_t kTickNs = 5'000'000;

class SdkFollower final : public LinkObserver {
 public:
  SdkFollower(const LoadOptions& options, int index, ControlPage* page, Tally* tally,
              Executor& executor, const Clock& clock, Random& random)
      : follower_(options, index, page, tally) {
    GrpcDialerOptions dialing;
    dialing.address = options.grpc;
    dialing.token = TokenOfFollower(options, index);
    dialing.reads_live = options.live();
    dialer_ = *MakeGrpcDialer(dialing, executor);
    LinkOptions link;
    link.origin = FollowerOriginOf(index);
    link.software = "remora-bench-load";
    link_ = std::make_unique<ParticipantLink>(link, executor, clock, random, *dialer_, *this);
    (void)link_->AddFollow(follower_.FollowRequest());
    link_->Start();
  }

  // On the executor.
  void LeaveOrComeBack(bool leave) {
    if (!follower_.leaves()) return;
    if (leave) return link_->Stop();
    follower_.ComeBack();
    link_->Start();
  }

 private:
  void OnRecord(const DeliveredRecord& delivered) override {
    follower_.OnRecord(delivered.bytes);
    follower_.OnBatchEnd();
  }
  void OnGap(const v1::Gap& gap) override { follower_.OnGap(gap); }

  Follower follower_;
  std::unique_ptr<Dialer> dialer_;
  std::unique_ptr<ParticipantLink> link_;
};

}  // namespace

void FollowWithSdk(const LoadOptions& options, ControlPage* page, Tally* tally) {
  const auto clock = MakeSystemClock();
  const auto random = MakeSystemRandom();
  ThreadExecutor executor(*clock, "followers");
  std::vector<std::unique_ptr<SdkFollower>> followers;
  executor.Post([&] {
    for (int i = 0; i < options.subs; ++i) {
      followers.push_back(
          std::make_unique<SdkFollower>(options, i, page, tally, executor, *clock, *random));
    }
  });
  bool away = false;
  while (page->phase != Phase::kDone) {
    if (away != page->stalling) {
      away = !away;
      executor.Post([&followers, away] {
        for (const auto& follower : followers) follower->LeaveOrComeBack(away);
      });
    }
    SleepUntilNs(NowNs() + kTickNs);
  }
  tally->Print();
  std::fflush(stdout);
  _exit(0);
}

}  // namespace remora::bench
