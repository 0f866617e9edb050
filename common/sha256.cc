#include "common/sha256.h"

#include <sodium.h>

namespace remora {

struct Sha256::State {
  crypto_hash_sha256_state sodium;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { crypto_hash_sha256_init(&state_->sodium); }
Sha256::~Sha256() = default;

void Sha256::Add(absl::string_view bytes) {
  crypto_hash_sha256_update(&state_->sodium, reinterpret_cast<const uint8_t*>(bytes.data()),
                            bytes.size());
}

Sha256::Sum Sha256::Finish() {
  Sum sum;
  crypto_hash_sha256_final(&state_->sodium, sum.data());
  return sum;
}

}  // namespace remora
