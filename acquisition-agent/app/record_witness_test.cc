#include "acquisition-agent/app/record_witness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/head_witness.h"
#include "common/record_seal.h"
#include "common/testing/fake_file_system.h"
#include "common/testing/sample_records.h"

namespace remora::agent {
namespace {

using ::testing::HasSubstr;

class RecordWitnessTest : public testing::Test {
 protected:
  RecordWitnessTest() { EXPECT_TRUE(files_.CreateDirectoryDurably("/spool").ok()); }

  v1::SignedHead Head(uint64_t seq, char chain, const RecordSigner& signer) const {
    v1::SignedHead head;
    head.set_seq(seq);
    head.set_chain(std::string(32, chain));
    signer.Sign(CaseIdForTest(), &head);
    return head;
  }
  v1::SignedHead Head(uint64_t seq, char chain = 'a') const { return Head(seq, chain, signer_); }
  // The record at `seq` of lane 1.
  std::string Take(RecordWitness& witness, uint64_t seq,
                   const std::optional<v1::SignedHead>& head = std::nullopt) const {
    StampedRecord stamped;
    stamped.stamp.seq = seq;
    v1::Record record;
    if (head) *record.mutable_signed_head() = *head;
    return witness.OnRecord(stamped, record, signer_.public_key());
  }
  RecordWitness Open() { return RecordWitness(files_, "/spool", CaseIdForTest()); }

  FakeFileSystem files_;
  RecordSigner signer_{RecordSigner::Seed{3}};
};

TEST_F(RecordWitnessTest, KeepsTheNewestHeadThatTheHubHasSigned) {
  RecordWitness witness = Open();
  EXPECT_EQ(Take(witness, 1), "");
  EXPECT_EQ(Take(witness, 8, Head(7)), "");
  EXPECT_EQ(Take(witness, 20, Head(19, 'b')), "");
  EXPECT_EQ(Take(witness, 30, Head(29, 'c', RecordSigner(RecordSigner::Seed{4}))), "");
  ASSERT_TRUE(Open().kept().has_value());
  EXPECT_EQ(Open().kept()->seq(), 19u) << "another's signature witnesses nothing";
  const std::string path = "/spool/witness-" + CaseIdForTest().Hex();
  EXPECT_TRUE(DecodeWitness(*files_.ReadWhole(path, 4096)).ok());
}

TEST_F(RecordWitnessTest, SameRecordReadAgainIsNoNews) {
  {
    RecordWitness witness = Open();
    EXPECT_EQ(Take(witness, 8, Head(7)), "");
  }
  RecordWitness witness = Open();
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(Take(witness, 1), "");
    EXPECT_EQ(Take(witness, 8, Head(7)), "");
    EXPECT_EQ(Take(witness, 9), "");
    v1::CaseHead head;
    head.set_head_seq(9);
    EXPECT_EQ(witness.OnHead(head), "");
  }
}

TEST_F(RecordWitnessTest, HostileRecordThatWasWrittenAnewIsSaidOnceAndTheEvidenceStays) {
  const auto another = [this](RecordWitness& witness) { return Take(witness, 8, Head(7, 'x')); };
  const auto moved = [this](RecordWitness& witness) { return Take(witness, 9, Head(8, 'x')); };
  const auto gone = [this](RecordWitness& witness) { return Take(witness, 12); };
  const auto cut = [](RecordWitness& witness) {
    v1::CaseHead head;
    head.set_head_seq(7);
    return witness.OnHead(head);
  };
  {
    RecordWitness witness = Open();
    EXPECT_EQ(Take(witness, 8, Head(7)), "");
  }
  for (const std::function<std::string(RecordWitness&)>& contradict :
       std::initializer_list<std::function<std::string(RecordWitness&)>>{another, moved, gone,
                                                                         cut}) {
    RecordWitness witness = Open();
    EXPECT_EQ(Take(witness, 2), "");
    EXPECT_THAT(contradict(witness), HasSubstr("is not the one that it signed"));
    EXPECT_EQ(contradict(witness), "") << "said once";
    EXPECT_EQ(Take(witness, 40, Head(39, 'y')), "");
    EXPECT_EQ(Open().kept()->seq(), 7u);
    EXPECT_EQ(Open().kept()->chain(), std::string(32, 'a'));
  }
}

TEST_F(RecordWitnessTest, HostileDamagedFileCountsAsNone) {
  {
    RecordWitness witness = Open();
    EXPECT_EQ(Take(witness, 8, Head(7)), "");
  }
  const std::string path = "/spool/witness-" + CaseIdForTest().Hex();
  ASSERT_TRUE(files_.Remove(path).ok());
  ASSERT_TRUE((*files_.OpenAppend(path))->Append("remora-witness 1\n").ok());
  RecordWitness witness = Open();
  EXPECT_FALSE(witness.kept().has_value());
  EXPECT_EQ(Take(witness, 8, Head(7, 'z')), "");
  EXPECT_EQ(Open().kept()->chain(), std::string(32, 'z'));
}

}  // namespace
}  // namespace remora::agent
