#pragma once

// When records were made, in the hub's time: by the newest ClockEstimate of their origin, and never
// after they were recorded. After an outage or a disk failure a backlog is recorded in one moment;
// how old a response is does not depend on that. Part of the fold. Thread-compatible value.

#include <cstdint>
#include <map>
#include <string>

#include "common/fold/record_shelf.h"
#include "common/ids.h"
#include "remora/v1/record.pb.h"

namespace remora {

// When a record was made, as it says itself, and when it was recorded.
struct MadeAt {
  OriginId origin;
  uint64_t boot_id = 0;
  int64_t monotonic_ns = 0;
  bool captured = false;  // it says when
  int64_t recorded_unix_ns = 0;
};
MadeAt MadeAtOf(const v1::Record& record, int64_t recorded_unix_ns);

class OriginClocks {
 public:
  void Put(const OriginId& origin, const v1::ClockEstimate& estimate);
  // Only of origins (in hexadecimal) that are on the shelf.
  void KeepOnly(const RecordShelf& shelf);
  // When it was recorded, where its origin's clock is not known.
  int64_t HubUnixNs(const MadeAt& made) const;

 private:
  std::map<std::string, v1::ClockEstimate> newest_;  // by the origin in hexadecimal
};

}  // namespace remora
