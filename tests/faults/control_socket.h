#pragma once

// Lines in, a line out for each, on a Unix socket. Sequence-bound by its owner.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/faults/sockets.h"

namespace remora::testing {

class ControlSocket {
 public:
  static absl::StatusOr<std::unique_ptr<ControlSocket>> Make(Poll& poll, const std::string& path);
  ~ControlSocket();

  struct Line {
    uint64_t peer = 0;
    std::string text;
  };
  // The whole lines that are there. Who sends too long a one, or does not read the answers, is cut.
  std::vector<Line> TakeLines();
  void Answer(const Line& line, const std::string& text);

 private:
  struct Peer {
    Descriptor socket;
    Readiness ready;
    uint64_t watch = 0;
    std::string input;
  };
  explicit ControlSocket(Poll& poll) : poll_(poll) {}
  // False: the peer is gone.
  bool Read(Peer& peer, std::vector<Line>* lines);

  Poll& poll_;
  Descriptor listener_;
  Readiness acceptable_;
  uint64_t listener_watch_ = 0;
  std::map<uint64_t, std::unique_ptr<Peer>> peers_;
};

}  // namespace remora::testing
