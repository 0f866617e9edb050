#pragma once

// What a hub signs of a record, and how anybody checks it: heads of the chain (SignedHead) and
// certificates. Ed25519 over bytes that docs/journal.md ("Signatures") and docs/certificate.md lay
// out; never over a message as protobuf happens to encode it. Thread-safe functions, immutable
// values.

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "remora/v1/link.pb.h"

namespace remora {

inline constexpr size_t kPublicKeyBytes = 32;
inline constexpr size_t kSignatureBytes = 64;
inline constexpr size_t kStateDigestBytes = 32;

std::string Blake2b256(absl::string_view bytes);
// The first 8 bytes of BLAKE2b-256 of the public key, in hexadecimal.
std::string KeyIdOf(absl::string_view public_key);

// A hub's secret key.
class RecordSigner {
 public:
  using Seed = std::array<uint8_t, 32>;
  explicit RecordSigner(const Seed& seed);

  const std::string& public_key() const { return public_key_; }
  const std::string& key_id() const { return key_id_; }
  // Fill in `key_id` and `signature`; everything else is set.
  void Sign(const CaseId& case_id, v1::SignedHead* head) const;
  void Sign(const CaseId& case_id, v1::Certificate* certificate) const;

 private:
  std::string SignatureOf(const std::string& bytes) const;

  std::array<uint8_t, 64> secret_key_;
  std::string public_key_;
  std::string key_id_;
};

// Whether `public_key` has signed exactly this.
bool IsSigned(const CaseId& case_id, const v1::SignedHead& head, absl::string_view public_key);
bool IsSigned(const CaseId& case_id, const v1::Certificate& certificate,
              absl::string_view public_key);

// What is signed.
std::string SignedBytes(const CaseId& case_id, const v1::SignedHead& head);
std::string SignedBytes(const CaseId& case_id, const v1::Certificate& certificate);

}  // namespace remora
