// How messages come to a feed's source. One implementation speaks ZeroMQ (zmq_transport.h); tests
// have one without sockets (testing/fake_transport.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"

namespace remora::agent::feed {

struct Arrival {
  size_t device = 0;  // which address
  // On the machine's monotonic clock; what a device's clock is learnt from, so it is taken when the
  // message arrives and not when somebody asks for it.
  DeviceTime arrived;
  // Of one message. Empty: `notice` says something of the connection.
  std::vector<std::string> frames;
  std::string notice;  // one sentence for a person, without the address
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Addresses, in the order in which devices are counted.
  virtual const std::vector<std::string>& addresses() const = 0;
  // The next message that has arrived, in each device's order; waits for one until `wait` is over
  // (not at all for zero). Nothing: none came.
  virtual std::optional<Arrival> Receive(Duration wait) = 0;
  // After Receive gave nothing: nothing else has arrived. False: more may lie where it could not be
  // taken from while too much waited here, so nobody is late for it.
  virtual bool all_received() const = 0;
};

}  // namespace remora::agent::feed
