#pragma once

// Seals what a journal row holds with the case's key. Digests and the chain are over plaintext, so
// they do not depend on it. Thread-safe.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"

namespace remora::hub {

class PayloadCipher {
 public:
  virtual ~PayloadCipher() = default;
  // `place` (a row's class and first seq) is authenticated with the bytes: a row cannot be moved.
  virtual std::string Seal(const CaseId& case_id, absl::string_view place,
                           absl::string_view plain) = 0;
  // DataLoss when it was not sealed so.
  virtual absl::StatusOr<std::string> Open(const CaseId& case_id, absl::string_view place,
                                           absl::string_view sealed) = 0;
};

// Leaves bytes as they are: until cases have keys.
class NullCipher final : public PayloadCipher {
 public:
  std::string Seal(const CaseId&, absl::string_view, absl::string_view plain) override {
    return std::string(plain);
  }
  absl::StatusOr<std::string> Open(const CaseId&, absl::string_view,
                                   absl::string_view sealed) override {
    return std::string(sealed);
  }
};

}  // namespace remora::hub
