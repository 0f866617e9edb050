#pragma once

// SHA-256, so that an archive's file can be compared with what `sha256sum` says. The record itself
// is hashed otherwise (chain.h). Thread-compatible.

#include <array>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"

namespace remora {

class Sha256 {
 public:
  using Sum = std::array<uint8_t, 32>;

  Sha256();
  ~Sha256();
  void Add(absl::string_view bytes);
  // Once, at the end.
  Sum Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace remora
