// Where records go that the analysis makes. The one who implements it (the app) numbers, encodes
// and keeps them.
#pragma once

#include <cstdint>

#include "common/ids.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // Takes a record of which only the body is set, made when the source's time was `at_ns`. Returns
  // its id, which other records may name from then on. `record` may be moved from.
  virtual RecordKey Put(v1::Record* record, int64_t at_ns) = 0;
};

}  // namespace remora::agent
