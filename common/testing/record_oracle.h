#pragma once

// What must hold of any bytes whatever: if the walk takes them, then protobuf, given them with a
// stamp, sees exactly what the walk saw; and a body that is valid is no larger than its kind may
// be. Used by the fuzzer and by a seeded test.

#include <string>

#include "absl/strings/string_view.h"

namespace remora {

struct OracleVerdict {
  bool walked = false;     // WalkRecord took it
  bool validated = false;  // and ValidateBody too
  std::string wrong;       // empty unless the oracle disagrees
};
OracleVerdict CheckRecordOracle(absl::string_view bytes);

}  // namespace remora
