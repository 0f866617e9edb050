// A transport without sockets: messages arrive when the test's clock has come to their time.
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "acquisition-agent/sources/feed/testing/device.h"
#include "acquisition-agent/sources/feed/transport.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"

namespace remora::agent::feed {

class FakeTransport : public Transport {
 public:
  // `clock` outlives it; true time 0 is now.
  FakeTransport(FakeClock& clock, size_t devices) : clock_(clock), start_(clock.Now()) {
    for (size_t i = 0; i < devices; ++i) addresses_.push_back("fake://" + std::to_string(i));
    last_ns_.resize(devices);
  }

  // Arrives `delay_ns` after it was sent, and never before what the device sent earlier.
  void Deliver(size_t device, const Sent& sent, int64_t delay_ns) {
    DeliverFrames(device, EncodeMessage(sent.envelope), sent.true_ns + delay_ns);
  }
  void DeliverFrames(size_t device, std::vector<std::string> frames, int64_t true_ns) {
    last_ns_[device] = std::max(last_ns_[device], true_ns);
    Put(device, last_ns_[device], std::move(frames), "");
  }
  void Notice(size_t device, std::string text, int64_t true_ns) {
    Put(device, true_ns, {}, std::move(text));
  }

  const std::vector<std::string>& addresses() const override { return addresses_; }
  // From then until then nothing is given out, as if too much waited, and all_received is false.
  void HoldBack(int64_t from_ns, int64_t until_ns) {
    held_from_ns_ = from_ns;
    held_until_ns_ = until_ns;
  }
  bool all_received() const override { return !held(); }
  // Waiting moves the clock.
  std::optional<Arrival> Receive(Duration wait) override {
    const int64_t now_ns = (clock_.Now() - start_).nanoseconds();
    if (waiting_.empty() || held() || waiting_.front().first > now_ns + wait.nanoseconds()) {
      clock_.Advance(wait);
      return std::nullopt;
    }
    clock_.Advance(Duration::Nanoseconds(std::max<int64_t>(0, waiting_.front().first - now_ns)));
    Arrival arrival = std::move(waiting_.front().second);
    waiting_.pop_front();
    return arrival;
  }

 private:
  bool held() const {
    const int64_t now_ns = (clock_.Now() - start_).nanoseconds();
    return now_ns >= held_from_ns_ && now_ns < held_until_ns_;
  }
  void Put(size_t device, int64_t true_ns, std::vector<std::string> frames, std::string notice) {
    const DeviceTime arrived = start_ + Duration::Nanoseconds(true_ns);
    auto place = waiting_.end();
    while (place != waiting_.begin() && std::prev(place)->first > true_ns) --place;
    waiting_.insert(place,
                    {true_ns, Arrival{device, arrived, std::move(frames), std::move(notice)}});
  }

  FakeClock& clock_;
  const DeviceTime start_;
  std::vector<std::string> addresses_;
  std::vector<int64_t> last_ns_;
  int64_t held_from_ns_ = 0;
  int64_t held_until_ns_ = 0;
  std::deque<std::pair<int64_t, Arrival>> waiting_;
};

// Delays of a network: a least one, and on top of it what an exponential distribution gives.
class Jitter {
 public:
  Jitter(uint64_t seed, double least_ms, double mean_ms)
      : random_(MakeSeededRandom(seed)), least_ms_(least_ms), mean_ms_(mean_ms) {}
  int64_t Draw() {
    const double more_ms = -mean_ms_ * std::log(1 - random_->Uniform());
    return static_cast<int64_t>((least_ms_ + more_ms) * 1e6);
  }

 private:
  std::unique_ptr<Random> random_;
  double least_ms_;
  double mean_ms_;
};

}  // namespace remora::agent::feed
