#include "common/head_witness.h"

#include <gtest/gtest.h>

#include "common/record_seal.h"
#include "common/testing/sample_records.h"

namespace remora {
namespace {

HeadWitness Sample() {
  HeadWitness witness;
  witness.case_id = CaseIdForTest();
  witness.head.set_seq(41);
  witness.head.set_chain(std::string(32, 'c'));
  RecordSigner(RecordSigner::Seed{1}).Sign(witness.case_id, &witness.head);
  return witness;
}

TEST(HeadWitness, ComesBackAsItWas) {
  const auto read = DecodeWitness(EncodeWitness(Sample()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->case_id, Sample().case_id);
  EXPECT_TRUE(
      IsSigned(read->case_id, read->head, RecordSigner(RecordSigner::Seed{1}).public_key()));
  EXPECT_EQ(read->head.seq(), 41u);
}

TEST(HeadWitness, HostileCutOrChangedIsNoneOrNotSigned) {
  const std::string whole = EncodeWitness(Sample());
  const std::string key = RecordSigner(RecordSigner::Seed{1}).public_key();
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(DecodeWitness(whole.substr(0, i)).ok()) << "cut at " << i;
    std::string changed = whole;
    changed[i] = changed[i] == '0' ? '1' : '0';
    const auto read = DecodeWitness(changed);
    if (read.ok()) {
      EXPECT_FALSE(IsSigned(read->case_id, read->head, key)) << i;
    }
  }
}

}  // namespace
}  // namespace remora
