#include "common/record_seal.h"

#include <sodium/core.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_sign.h>

#include "absl/strings/escaping.h"
#include "common/check.h"

namespace remora {
namespace {

static_assert(kPublicKeyBytes == crypto_sign_PUBLICKEYBYTES &&
              kSignatureBytes == crypto_sign_BYTES);

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Numbers little endian; what may have any length has it in front, so that no two values make the
// same bytes.
class SignedText {
 public:
  explicit SignedText(absl::string_view context) : text_(context) { text_.push_back('\0'); }
  SignedText& U8(bool value) { return Number(value ? 1 : 0, 1); }
  SignedText& U32(uint64_t value) { return Number(value, 4); }
  SignedText& U64(uint64_t value) { return Number(value, 8); }
  SignedText& Text(absl::string_view value) {
    U32(value.size());
    text_.append(value.data(), value.size());
    return *this;
  }
  std::string Take() { return std::move(text_); }

 private:
  SignedText& Number(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text_.push_back(static_cast<char>(value >> (8 * i)));
    return *this;
  }
  std::string text_;
};

void Append(const v1::OriginLaneHead& head, SignedText* out) {
  out->Text(head.origin()).U32(head.lane()).U64(head.last_origin_seq()).U64(head.held_count());
  out->Text(head.participant()).U8(head.total_given());
  out->U64(head.late_count()).U64(head.duplicate_count()).U32(head.gaps_size());
  for (const v1::NamedGap& gap : head.gaps()) {
    out->U64(gap.first_origin_seq()).U64(gap.last_origin_seq()).U32(gap.cause());
    out->U8(gap.has_data_gap()).Text(gap.data_gap().origin());
    out->U32(gap.data_gap().lane()).U64(gap.data_gap().origin_seq());
  }
}

bool Verify(const std::string& bytes, absl::string_view signature, absl::string_view public_key) {
  return signature.size() == kSignatureBytes && public_key.size() == kPublicKeyBytes &&
         crypto_sign_verify_detached(Bytes(signature), Bytes(bytes), bytes.size(),
                                     Bytes(public_key)) == 0;
}

}  // namespace

std::string Blake2b256(absl::string_view bytes) {
  std::string digest(32, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(), Bytes(bytes),
                     bytes.size(), nullptr, 0);
  return digest;
}

std::string KeyIdOf(absl::string_view public_key) {
  return absl::BytesToHexString(Blake2b256(public_key).substr(0, 8));
}

RecordSigner::RecordSigner(const Seed& seed) : public_key_(kPublicKeyBytes, '\0') {
  REMORA_CHECK(sodium_init() >= 0, "libsodium cannot start");
  crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(public_key_.data()), secret_key_.data(),
                           seed.data());
  key_id_ = KeyIdOf(public_key_);
}

std::string RecordSigner::SignatureOf(const std::string& bytes) const {
  std::string signature(kSignatureBytes, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, Bytes(bytes),
                       bytes.size(), secret_key_.data());
  return signature;
}

void RecordSigner::Sign(const CaseId& case_id, v1::SignedHead* head) const {
  head->set_key_id(key_id_);
  head->set_signature(SignatureOf(SignedBytes(case_id, *head)));
}

void RecordSigner::Sign(const CaseId& case_id, v1::Certificate* certificate) const {
  certificate->set_key_id(key_id_);
  certificate->set_signature(SignatureOf(SignedBytes(case_id, *certificate)));
}

bool IsSigned(const CaseId& case_id, const v1::SignedHead& head, absl::string_view public_key) {
  return Verify(SignedBytes(case_id, head), head.signature(), public_key);
}

bool IsSigned(const CaseId& case_id, const v1::Certificate& certificate,
              absl::string_view public_key) {
  return Verify(SignedBytes(case_id, certificate), certificate.signature(), public_key);
}

std::string SignedBytes(const CaseId& case_id, const v1::SignedHead& head) {
  SignedText out("remora head v1");
  out.Text(case_id.bytes()).U32(head.epoch()).U64(head.seq()).Text(head.chain());
  out.U64(static_cast<uint64_t>(head.at_unix_ns()));
  out.Text(head.state_digest()).U32(head.fold_version()).Text(head.key_id());
  return out.Take();
}

std::string SignedBytes(const CaseId& case_id, const v1::Certificate& certificate) {
  SignedText out("remora certificate v1");
  out.Text(case_id.bytes()).U32(certificate.certificate_index());
  out.U32(certificate.epoch()).U64(certificate.seq()).Text(certificate.chain());
  out.U64(static_cast<uint64_t>(certificate.at_unix_ns())).U8(certificate.complete());
  out.Text(certificate.reason()).Text(certificate.actor());
  out.U64(certificate.record_count()).U64(certificate.late_count());
  out.Text(certificate.state_digest()).U32(certificate.fold_version()).Text(certificate.key_id());
  out.U32(certificate.heads_size());
  for (const v1::OriginLaneHead& head : certificate.heads()) Append(head, &out);
  return out.Take();
}

}  // namespace remora
