#include "common/record_seal.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/testing/sample_records.h"

namespace remora {
namespace {

RecordSigner Signer(uint8_t byte = 1) {
  RecordSigner::Seed seed;
  seed.fill(byte);
  return RecordSigner(seed);
}

v1::SignedHead Head() {
  v1::SignedHead head;
  head.set_epoch(3);
  head.set_seq(41);
  head.set_chain(std::string(32, 'c'));
  head.set_at_unix_ns(1'700'000'000'000'000'000);
  head.set_state_digest(std::string(32, 's'));
  head.set_fold_version(1);
  return head;
}

v1::Certificate Certificate() {
  v1::Certificate certificate;
  certificate.set_certificate_index(1);
  certificate.set_epoch(3);
  certificate.set_seq(41);
  certificate.set_record_count(41);
  certificate.set_chain(std::string(32, 'c'));
  certificate.set_state_digest(std::string(32, 's'));
  v1::OriginLaneHead* head = certificate.add_heads();
  head->set_origin(OriginIdForTest().ToString());
  head->set_lane(5);
  head->set_last_origin_seq(9);
  head->set_held_count(8);
  v1::NamedGap* gap = head->add_gaps();
  gap->set_first_origin_seq(4);
  gap->set_last_origin_seq(4);
  gap->set_cause(v1::NAMED_GAP_CAUSE_DATA_GAP);
  gap->mutable_data_gap()->set_origin_seq(2);
  return certificate;
}

// RFC 8032, 7.1, test 1: the seed and its public key.
TEST(RecordSealTest, KeysAreEd25519) {
  RecordSigner::Seed seed;
  const std::string bytes =
      absl::HexStringToBytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  std::copy(bytes.begin(), bytes.end(), seed.begin());
  const RecordSigner signer(seed);
  EXPECT_EQ(absl::BytesToHexString(signer.public_key()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(signer.key_id(), absl::BytesToHexString(Blake2b256(signer.public_key()).substr(0, 8)));
}

TEST(RecordSealTest, BytesOfAHeadAreThoseOfTheDocument) {
  v1::SignedHead head = Head();
  head.set_key_id("00");
  const std::string expected = std::string("remora head v1\0", 15) + std::string("\x10\0\0\0", 4) +
                               CaseIdForTest().ToString() + std::string("\x03\0\0\0", 4) +
                               std::string("\x29\0\0\0\0\0\0\0", 8) + std::string("\x20\0\0\0", 4) +
                               std::string(32, 'c') + absl::HexStringToBytes("00002a36fe9c9717") +
                               std::string("\x20\0\0\0", 4) + std::string(32, 's') +
                               std::string("\x01\0\0\0", 4) + std::string("\x02\0\0\0", 4) + "00";
  EXPECT_EQ(absl::BytesToHexString(SignedBytes(CaseIdForTest(), head)),
            absl::BytesToHexString(expected));
}

TEST(RecordSealTest, AnyOtherHeadCaseOrKeyIsNotSigned) {
  v1::SignedHead head = Head();
  Signer().Sign(CaseIdForTest(), &head);
  const std::string key = Signer().public_key();
  ASSERT_TRUE(IsSigned(CaseIdForTest(), head, key));
  EXPECT_FALSE(IsSigned(CaseIdForTest(0x11), head, key));
  EXPECT_FALSE(IsSigned(CaseIdForTest(), head, Signer(2).public_key()));
  EXPECT_FALSE(IsSigned(CaseIdForTest(), head, "short"));
  const std::vector<std::function<void(v1::SignedHead*)>> changes = {
      [](auto* h) { h->set_epoch(4); },
      [](auto* h) { h->set_seq(42); },
      [](auto* h) { h->set_chain(std::string(32, 'd')); },
      [](auto* h) { h->set_at_unix_ns(1); },
      [](auto* h) { h->set_state_digest(""); },
      [](auto* h) { h->set_fold_version(2); },
      [](auto* h) { h->set_key_id("another"); },
      [](auto* h) { h->mutable_signature()->pop_back(); },
      [](auto* h) { (*h->mutable_signature())[5] ^= 1; }};
  for (size_t i = 0; i < changes.size(); ++i) {
    v1::SignedHead changed = head;
    changes[i](&changed);
    EXPECT_FALSE(IsSigned(CaseIdForTest(), changed, key)) << "change " << i;
  }
}

TEST(RecordSealTest, EveryFieldOfACertificateIsSigned) {
  v1::Certificate certificate = Certificate();
  Signer().Sign(CaseIdForTest(), &certificate);
  const std::string key = Signer().public_key();
  ASSERT_TRUE(IsSigned(CaseIdForTest(), certificate, key));
  using C = v1::Certificate;
  const std::vector<std::function<void(C*)>> changes = {
      [](C* c) { c->set_certificate_index(2); },
      [](C* c) { c->set_epoch(4); },
      [](C* c) { c->set_seq(42); },
      [](C* c) { c->set_chain("x"); },
      [](C* c) { c->set_at_unix_ns(1); },
      [](C* c) { c->set_complete(true); },
      [](C* c) { c->set_reason("r"); },
      [](C* c) { c->set_actor("a"); },
      [](C* c) { c->set_record_count(1); },
      [](C* c) { c->set_late_count(1); },
      [](C* c) { c->set_state_digest("x"); },
      [](C* c) { c->set_fold_version(2); },
      [](C* c) { c->set_key_id("x"); },
      [](C* c) { c->clear_heads(); },
      [](C* c) { c->mutable_heads(0)->set_origin("x"); },
      [](C* c) { c->mutable_heads(0)->set_lane(4); },
      [](C* c) { c->mutable_heads(0)->set_last_origin_seq(1); },
      [](C* c) { c->mutable_heads(0)->set_held_count(1); },
      [](C* c) { c->mutable_heads(0)->set_participant("x"); },
      [](C* c) { c->mutable_heads(0)->set_total_given(true); },
      [](C* c) { c->mutable_heads(0)->set_late_count(1); },
      [](C* c) { c->mutable_heads(0)->set_duplicate_count(1); },
      [](C* c) { c->mutable_heads(0)->clear_gaps(); },
      [](C* c) { c->mutable_heads(0)->mutable_gaps(0)->set_first_origin_seq(3); },
      [](C* c) { c->mutable_heads(0)->mutable_gaps(0)->set_last_origin_seq(5); },
      [](C* c) { c->mutable_heads(0)->mutable_gaps(0)->set_cause(v1::NAMED_GAP_CAUSE_MISSING); },
      [](C* c) { c->mutable_heads(0)->mutable_gaps(0)->clear_data_gap(); },
      [](C* c) { c->mutable_heads(0)->mutable_gaps(0)->mutable_data_gap()->set_lane(1); }};
  for (size_t i = 0; i < changes.size(); ++i) {
    C changed = certificate;
    changes[i](&changed);
    EXPECT_FALSE(IsSigned(CaseIdForTest(), changed, key)) << "change " << i;
  }
}

}  // namespace
}  // namespace remora
