#pragma once

// Which participant an origin belongs to: bound at the first hello that names it, so that nobody
// can write in another's name. Kept since the hub's start, for the newest kMaxBoundOrigins.
// Sequence-bound to the hub.

#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/ids.h"

namespace remora::hub {

class OriginBindings {
 public:
  // False: it is bound to another participant.
  bool Bind(const OriginId& origin, const std::string& participant);

 private:
  absl::flat_hash_map<OriginId, std::string> owners_;
  std::deque<OriginId> oldest_first_;
};

}  // namespace remora::hub
