#pragma once

#include <memory>

#include "absl/status/status.h"
#include "hub/participants/hub_core.h"
#include "hub/participants/session.h"

namespace remora::hub {

// The core behind the transports, which may turn before it could start.
class StartedCore final : public SessionHost {
 public:
  explicit StartedCore(HubCore& core) : core_(core) {}
  absl::Status Start() {
    const absl::Status status = core_.Start();
    started_ = status.ok();
    return status;
  }
  std::unique_ptr<Session> Open(const Identity& identity, Peer* peer) override {
    return core_.Open(identity, peer);
  }
  void EndOfDrain() override {
    if (started_) core_.EndOfDrain();
  }

 private:
  HubCore& core_;
  bool started_ = false;
};

}  // namespace remora::hub
