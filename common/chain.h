#pragma once

// The hash chain over a case's records (docs/journal.md, "The chain"). Pure functions.
//
//   h_0 = 32 zero bytes
//   h_n = BLAKE2b-256(h_{n-1} || BLAKE2b-256(bytes of record n, with its stamp))

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace remora {

using ChainHead = std::array<uint8_t, 32>;

// The chain after one more record, in `seq` order over all lanes.
ChainHead ExtendChain(const ChainHead& previous, absl::string_view stamped_bytes);

}  // namespace remora
