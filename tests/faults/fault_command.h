#pragma once

// What a link can be told, as text: by a test, a line on the control socket, a script.
//
//   [on LINK] COMMAND [up|down] [for TIME]
//
//   delay 80 ms | jitter 20 ms | rate 64 kbit/s | rate none | buffer 64 KiB | bucket 1500 B
//   cut [rst|fin]    connections end, new ones are refused
//   drop [rst|fin]   connections end, new ones are welcome
//   refuse           connections go on, new ones are refused
//   stall            nothing goes through and nothing is lost, as in a partition that heals
//   swallow          what is sent is lost, as to a host that is gone; such connections end with
//   `pass` reorder          the next connection waits until a later one has had an answer pass all
//   of these end, but for the shape reset            `pass`, and no shape
//
// up (from who connects to the target) or down: that direction only, of shape, stall and swallow.
// `for` undoes the command after that time. TIME: 5 s, 20 ms, 10 min. Immutable values.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/faults/bottleneck.h"

namespace remora::testing {

struct FaultCommand {
  enum class Action {
    kDelay,
    kJitter,
    kRate,
    kBuffer,
    kBucket,
    kCut,
    kDrop,
    kRefuse,
    kStall,
    kSwallow,
    kReorder,
    kPass,
    kReset
  };
  std::string link;  // empty: all
  Action action = Action::kPass;
  bool up = true;
  bool down = true;
  bool reset = true;    // of cut and drop: with RST, else with FIN
  Duration time;        // of delay and jitter
  uint64_t number = 0;  // bits per second, bytes
  Duration lasts;       // zero: until told otherwise

  // Of the commands that change a link's shape: this one's part of it.
  void ApplyTo(LinkShape* shape) const;
  // The same command with the value that this shape has.
  FaultCommand Restoring(const LinkShape& shape) const;
  bool is_shape() const { return action <= Action::kBucket; }
};

absl::StatusOr<FaultCommand> ParseFaultCommand(absl::string_view text);

// "at TIME COMMAND", one a line or separated by semicolons; a line may be a comment (#).
struct FaultStatement {
  Duration at;
  FaultCommand command;
};
// In the order of their times.
absl::StatusOr<std::vector<FaultStatement>> ParseFaultScript(absl::string_view text);

}  // namespace remora::testing
