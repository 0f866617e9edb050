#include "tests/bench/load/publisher.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <utility>

namespace remora::bench {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
// How long everybody may take to come, and how long nothing may move at the end: a disk that stalls
// is not a loss.
constexpr int64_t kReadyTimeoutNs = 60 * kSecondNs;
constexpr int64_t kIdleNs = 10 * kSecondNs;
constexpr int64_t kProbeIntervalNs = 50'000'000;
constexpr int64_t kSettleNs = 300'000'000;
// A full window is looked at again after this.
constexpr int64_t kWindowWaitNs = 30'000;

struct Usage {
  double hub = 0, follow = 0, publish = 0;
  int64_t at_ns = 0;
};

class PublishRun {
 public:
  PublishRun(const LoadOptions& options, ControlPage* page) : options_(options), page_(page) {
    const BlockShape* shape = new BlockShape(BlockShape::Fit(options.size));
    for (int topic = 0; topic < options.topics; ++topic) {
      agents_.push_back(std::make_unique<Agent>(options, topic, *shape, page, &tally_));
      followers_of_.emplace_back();
    }
    for (int i = 0; i < options.subs; ++i) {
      if (!options.stalls(i)) followers_of_[options.topic_of(i)].push_back(i);
    }
  }

  bool Prepare();
  void Measure();
  void Print() const;

 private:
  bool AwaitUntil(int64_t timeout_ns, const char* what, const std::function<bool()>& condition);
  void SendFor(double seconds);
  void SendWithinWindow(int64_t end_ns);
  void SendAtRate(int64_t start_ns, int64_t end_ns);
  void AwaitDeliveries();
  // The block of this theatre that all its followers have; the last on disk where it has none.
  uint64_t SlowestOf(int topic) const;
  Usage Now() const {
    return {CpuSeconds(options_.hub_pid), CpuSeconds(options_.follow_pid), CpuSeconds(getpid()),
            NowNs()};
  }
  uint64_t Sent() const {
    uint64_t sent = 0;
    for (const auto& agent : agents_) sent += agent->sent();
    return sent;
  }
  uint64_t Owed() const {
    uint64_t owed = 0;
    for (size_t t = 0; t < agents_.size(); ++t) {
      owed += agents_[t]->sent() * followers_of_[t].size();
    }
    return owed;
  }

  const LoadOptions& options_;
  ControlPage* const page_;
  PublishTally tally_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::vector<std::vector<int>> followers_of_;  // that read, by theatre
  LatencyHistogram lag_;                        // how late the publisher itself was
  Usage before_, after_;
  uint64_t sent_ = 0, owed_ = 0;
  double send_seconds_ = 0;
  int64_t alert_due_ns_ = 0;
  double hub_mib_before_ = 0, hub_mib_ = 0;
};

bool PublishRun::AwaitUntil(int64_t timeout_ns, const char* what,
                            const std::function<bool()>& condition) {
  const int64_t end = NowNs() + timeout_ns;
  while (!condition()) {
    if (NowNs() > end) {
      std::fprintf(stderr, "not in time: %s\n", what);
      return false;
    }
    SleepUntilNs(NowNs() + 2'000'000);
  }
  return true;
}

bool PublishRun::Prepare() {
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  page_->measured_from_ns = std::numeric_limits<int64_t>::max();
  page_->measured_to_ns = std::numeric_limits<int64_t>::max();
  size_t started = 0;
  if (!AwaitUntil(kReadyTimeoutNs, "all cases open", [&] {
        const auto open = static_cast<size_t>(std::count_if(
            agents_.begin(), agents_.end(), [](const auto& agent) { return agent->open(); }));
        while (started < agents_.size() && started < open + kMaxOpening) {
          agents_[started++]->Start();
        }
        return open == agents_.size();
      })) {
    return false;
  }
  page_->phase = Phase::kOpen;
  int64_t probed = 0;
  if (!AwaitUntil(kReadyTimeoutNs, "all followers had a block", [&] {
        if (page_->followers_ready == options_.subs) return true;
        if (NowNs() - probed > kProbeIntervalNs) {
          for (const auto& agent : agents_) agent->SendBlock();
          probed = NowNs();
        }
        return false;
      })) {
    return false;
  }
  AwaitDeliveries();
  SleepUntilNs(NowNs() + kSettleNs);
  page_->phase = Phase::kRunning;
  return true;
}

uint64_t PublishRun::SlowestOf(int topic) const {
  if (followers_of_[topic].empty()) return agents_[topic]->acknowledged();
  uint64_t slowest = std::numeric_limits<uint64_t>::max();
  for (const int follower : followers_of_[topic]) {
    slowest = std::min(slowest, page_->newest[follower].load(std::memory_order_acquire));
  }
  return slowest;
}

void PublishRun::SendWithinWindow(int64_t end_ns) {
  const auto window = static_cast<uint64_t>(options_.window);
  while (NowNs() < end_ns) {
    bool sent = false;
    for (int topic = 0; topic < options_.topics; ++topic) {
      Agent& agent = *agents_[topic];
      for (uint64_t limit = SlowestOf(topic) + window; agent.sent() < limit; sent = true) {
        agent.SendBlock();
      }
    }
    if (!sent) SleepUntilNs(NowNs() + kWindowWaitNs);
  }
}

// Every theatre at the rate, each at a moment of its own in the period.
void PublishRun::SendAtRate(int64_t start_ns, int64_t end_ns) {
  const double period = 1e9 / options_.rate;
  for (int64_t round = 0;; ++round) {
    for (int topic = 0; topic < options_.topics; ++topic) {
      // Multiples of the golden ratio are spread evenly, and in no order.
      const double part = static_cast<double>(topic) / options_.topics;
      const int64_t due =
          start_ns + static_cast<int64_t>((static_cast<double>(round) + part) * period);
      if (due >= end_ns) return;
      if (due > NowNs()) SleepUntilNs(due);
      if (page_->measured_from_ns <= due) lag_.Add(NowNs() - due);
      if (options_.alerts > 0 && due >= alert_due_ns_) {
        alert_due_ns_ = due + static_cast<int64_t>(1e9 / options_.alerts);
        for (const auto& agent : agents_) agent->SendAlert();
      }
      agents_[topic]->SendBlock();
    }
  }
}

void PublishRun::SendFor(double seconds) {
  const int64_t start = NowNs();
  const int64_t end = start + static_cast<int64_t>(seconds * 1e9);
  if (options_.rate > 0) {
    SendAtRate(start, end);
  } else {
    SendWithinWindow(end);
  }
}

void PublishRun::AwaitDeliveries() {
  uint64_t before = 0;
  int64_t moved = NowNs();
  for (;;) {
    bool all = true;
    uint64_t sum = 0;
    for (int topic = 0; topic < options_.topics; ++topic) {
      all = all && SlowestOf(topic) >= agents_[topic]->sent() &&
            agents_[topic]->acknowledged() >= agents_[topic]->sent();
      sum += agents_[topic]->acknowledged();
      for (const int follower : followers_of_[topic]) sum += page_->newest[follower];
    }
    if (all) return;
    if (std::exchange(before, sum) != sum) moved = NowNs();
    if (NowNs() - moved > kIdleNs) return;
    SleepUntilNs(NowNs() + 2'000'000);
  }
}

void PublishRun::Measure() {
  SendFor(options_.warm);
  const uint64_t sent = Sent();
  const uint64_t owed = Owed();
  hub_mib_before_ = StatusMib(options_.hub_pid, "VmRSS:");
  before_ = Now();
  page_->measured_from_ns = before_.at_ns;
  page_->stalling = options_.stall > 0 || options_.leave > 0;
  SendFor(options_.secs);
  sent_ = Sent() - sent;
  owed_ = Owed() - owed;
  page_->measured_to_ns = NowNs();
  send_seconds_ = static_cast<double>(NowNs() - before_.at_ns) * 1e-9;
  if (options_.resume <= 0) AwaitDeliveries();
  after_ = Now();
  hub_mib_ = StatusMib(options_.hub_pid, "VmRSS:");
  if (options_.resume > 0) {
    page_->phase = Phase::kResumed;
    page_->stalling = false;
    SendFor(options_.resume);
    AwaitDeliveries();
  }
}

void PublishRun::Print() const {
  const LatencyHistogram& acknowledgement = tally_.acknowledgement;
  // Without followers, what is measured is what comes to the disk.
  const uint64_t got = options_.subs > 0 ? page_->measured.load() : acknowledgement.count();
  const int64_t last = options_.subs > 0 ? page_->last_ns.load() : after_.at_ns;
  std::printf(
      "{\"sent\":%llu,\"owed\":%llu,\"got\":%llu,\"span_s\":%.4f,\"send_s\":%.4f,"
      "\"cpu_hub\":%.4f,\"cpu_sub\":%.4f,\"cpu_pub\":%.4f,\"lag_p99_us\":%.1f,"
      "\"acknowledged\":%llu,\"ack_p50_us\":%.1f,\"ack_p99_us\":%.1f,\"refused\":%llu,"
      "\"rejoined\":%llu,\"hub_rss_before_mib\":%.1f,\"hub_rss_mib\":%.1f,\"hub_peak_mib\":%.1f}\n",
      static_cast<unsigned long long>(sent_),
      static_cast<unsigned long long>(options_.subs > 0 ? owed_ : sent_),
      static_cast<unsigned long long>(got), static_cast<double>(last - before_.at_ns) * 1e-9,
      send_seconds_, after_.hub - before_.hub, after_.follow - before_.follow,
      after_.publish - before_.publish, lag_.Quantile(.99),
      static_cast<unsigned long long>(acknowledgement.count()), acknowledgement.Quantile(.5),
      acknowledgement.Quantile(.99), static_cast<unsigned long long>(tally_.refused),
      static_cast<unsigned long long>(tally_.rejoined), hub_mib_before_, hub_mib_,
      StatusMib(options_.hub_pid, "VmHWM:"));
}

}  // namespace

int Publish(const LoadOptions& options, ControlPage* page) {
  PublishRun run(options, page);
  const bool ready = run.Prepare();
  if (ready) {
    run.Measure();
    run.Print();
    std::fflush(stdout);
  }
  page->phase = Phase::kDone;
  _exit(ready ? 0 : 1);  // sessions and their threads go with the process
}

}  // namespace remora::bench
