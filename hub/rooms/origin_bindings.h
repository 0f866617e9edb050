#pragma once

// Which participant an origin belongs to: bound at the first hello that names it, so that nobody
// can write in another's name. After a start of the hub those that the journal holds records of
// are bound again. Kept for the newest kMaxBoundOrigins. Sequence-bound to the hub.

#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/ids.h"

namespace remora::hub {

class OriginBindings {
 public:
  // False: it is bound to another participant. An origin of the hub itself is bound to "", which is
  // nobody's name.
  bool Bind(const OriginId& origin, const std::string& participant);

 private:
  absl::flat_hash_map<OriginId, std::string> owners_;
  std::deque<OriginId> oldest_first_;
};

}  // namespace remora::hub
