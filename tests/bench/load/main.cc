// Load for tests/bench/run: the publishers or the followers of one run, against a hub that runs.

#include <absl/synchronization/mutex.h>
#include <google/protobuf/stubs/logging.h>

#include "tests/bench/load/followers.h"
#include "tests/bench/load/publisher.h"

int main(int argc, char** argv) {
  using namespace remora::bench;
  // Debian's Abseil looks for lock cycles in every absl::Mutex of gRPC, which costs more than what
  // is measured.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  static LoadOptions options;
  if (!options.Parse(argc, argv)) return 2;
  ControlPage* page = MapControlPage(options.control);
  if (options.role == "publish") return Publish(options, page);
  if (options.subs > kMaxFollowers) return 2;
  while (page->phase == Phase::kStarting) SleepUntilNs(NowNs() + 5'000'000);
  static Tally tally;
  if (options.over == "websocket") {
    FollowOverWebSocket(options, page, &tally);
  } else if (options.client == "lean") {
    FollowOverLeanGrpc(options, page, &tally);
  } else if (options.client == "sdk") {
    FollowWithSdk(options, page, &tally);
  } else {
    FollowOverGrpc(options, page, &tally);
  }
  return 0;
}
