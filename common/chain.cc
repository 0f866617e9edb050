#include "common/chain.h"

#include <sodium/crypto_generichash.h>

#include <cstring>

namespace remora {

ChainHead ExtendChain(const ChainHead& previous, absl::string_view stamped_bytes) {
  std::array<uint8_t, 64> link;
  std::memcpy(link.data(), previous.data(), previous.size());
  crypto_generichash(link.data() + 32, 32, reinterpret_cast<const uint8_t*>(stamped_bytes.data()),
                     stamped_bytes.size(), nullptr, 0);
  ChainHead next;
  crypto_generichash(next.data(), next.size(), link.data(), link.size(), nullptr, 0);
  return next;
}

}  // namespace remora
