#include "common/verify/record_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/origin_seq.h"
#include "common/record_seal.h"
#include "common/testing/fake_file_system.h"
#include "common/testing/record_writer.h"
#include "common/testing/sample_records.h"
#include "common/verify/record_file.h"

namespace remora {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

const RecordSigner& Signer() {
  static const auto& signer = *new RecordSigner(RecordSigner::Seed{7, 7, 7});
  return signer;
}

// A case as a hub would have it: an agent's records, signed heads, a certificate. It keeps its own
// count of everything, so that it does not lean on what it tests.
class SignedCase {
 public:
  void Agent(const v1::Record& body) { Append(agent_.Write(body)); }
  void AgentAs(uint64_t origin_seq, const v1::Record& body) {
    const std::string bytes = agent_.WriteAs(origin_seq, body);
    agent_.set_next(WalkRecord(bytes)->lane, origin_seq + 1);
    Append(bytes);
  }
  void Head() {
    v1::Record body;
    Fill(body.mutable_signed_head());
    Append(hub_.Write(body));
  }
  // What the agent made, by its own books.
  void Total() {
    v1::Record body;
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      const uint64_t last = lane == 1 ? agent_.next(lane) : agent_.next(lane) - 1;
      v1::LaneTotal* total = body.mutable_publisher_total()->add_lanes();
      total->set_lane(lane);
      total->set_last_origin_seq(last);
    }
    Agent(body);
  }
  void Close(const v1::Record& step = LifecycleBody(v1::CASE_TRANSITION_CLOSED)) {
    Agent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
    Total();
    Agent(step);
  }
  // `edit` runs before it is signed.
  void Certify(const std::function<void(v1::Certificate*)>& edit = [](auto*) {}) {
    v1::Record body;
    v1::Certificate* certificate = body.mutable_certificate();
    certificate->set_certificate_index(1);
    certificate->set_complete(true);
    certificate->set_record_count(records.size());
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      AddHead(agent_origin, "agent-1", lane, certificate);
      AddHead(hub_origin, "", lane, certificate);
    }
    edit(certificate);
    Fill(certificate);
    Append(hub_.Write(body));
  }
  RecordKey LastOfAgent(uint32_t lane) const { return agent_.LastKey(lane); }

  const CaseId case_id = CaseIdForTest();
  const OriginId agent_origin = OriginIdForTest(0x0a);
  const OriginId hub_origin = OriginIdForTest(0x0b);
  std::vector<std::string> records;

 private:
  template <typename Seal>
  void Fill(Seal* seal) {
    seal->set_seq(records.size());
    seal->set_epoch(1);
    seal->set_chain(std::string(chain_.begin(), chain_.end()));
    seal->set_at_unix_ns(static_cast<int64_t>(records.size()));
    seal->set_state_digest(Blake2b256(fold_.EncodeCheckpoint()));
    seal->set_fold_version(kFoldVersion);
    Signer().Sign(case_id, seal);
  }
  void AddHead(const OriginId& origin, const std::string& name, uint32_t lane,
               v1::Certificate* certificate) {
    SeqRanges held;
    for (const std::string& record : records) {
      const RecordHeader header = WalkStamped(record)->header;
      if (header.origin == origin && header.lane == lane) held.Insert(header.origin_seq);
    }
    if (held.empty()) return;
    v1::OriginLaneHead* head = certificate->add_heads();
    head->set_origin(origin.ToString());
    head->set_participant(name);
    head->set_lane(lane);
    head->set_held_count(held.count());
    head->set_last_origin_seq(held.largest());
    head->set_total_given(!name.empty());
  }
  void Append(const std::string& bytes) {
    const uint64_t seq = records.size() + 1;
    const FoldedRecord folded = StampedForFold(bytes, seq, static_cast<int64_t>(seq));
    fold_.Apply(folded);
    records.emplace_back(folded.bytes.view());
    chain_ = ExtendChain(chain_, records.back());
  }

  RecordWriter agent_{case_id, agent_origin};
  RecordWriter hub_{case_id, hub_origin};
  CaseFold fold_{case_id};
  ChainHead chain_{};
};

VerifyReport VerifyRecords(const std::vector<std::string>& records,
                           const std::string& key = Signer().public_key()) {
  RecordVerifier verifier(CaseIdForTest(), {key});
  for (const std::string& record : records) verifier.Take(record);
  return verifier.Finish();
}

SignedCase Whole() {
  SignedCase made;
  made.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  made.Agent(AlertBody("SEP -64 %"));
  made.Agent(BlockBody("EMG/L", 0, 8));
  made.Head();
  made.Agent(MeasurementBody("SEP/R", 40, v1::MEASUREMENT_STATE_RED));
  made.Agent(BlockBody("EMG/L", 8, 8));
  made.Close();
  made.Head();
  made.Certify();
  return made;
}

TEST(RecordVerifierTest, WholeRecordIsProvedUpToItsCertificate) {
  const SignedCase made = Whole();
  const VerifyReport report = VerifyRecords(made.records);
  EXPECT_THAT(report.findings, testing::IsEmpty());
  EXPECT_EQ(report.record_count, made.records.size());
  EXPECT_EQ(report.proved_seq, made.records.size() - 1);
  EXPECT_EQ(report.certified_seq, made.records.size() - 1);
  EXPECT_EQ(report.signed_heads, 2u);
  EXPECT_EQ(report.certificate_index, 1u);
  EXPECT_TRUE(report.complete);
  EXPECT_THAT(report.key_ids, testing::ElementsAre(Signer().key_id()));
}

TEST(RecordVerifierTest, WhatIsBehindTheLastSignatureIsNotProved) {
  SignedCase made;
  made.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  made.Head();
  made.Agent(AlertBody("SEP -64 %"));
  const VerifyReport report = VerifyRecords(made.records);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.proved_seq, 1u);
}

TEST(RecordVerifierTest, AnotherKeyProvesNothing) {
  const VerifyReport report =
      VerifyRecords(Whole().records, RecordSigner(RecordSigner::Seed{1}).public_key());
  EXPECT_THAT(report.findings, Contains(HasSubstr("not trusted")));
  EXPECT_EQ(report.proved_seq, 0u);
}

TEST(RecordVerifierTest, HostileEachRecordDeletedDoubledOrMovedIsFoundAndNamed) {
  const std::vector<std::string> whole = Whole().records;
  for (size_t i = 0; i + 1 < whole.size(); ++i) {
    std::vector<std::string> records = whole;
    records.erase(records.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_THAT(VerifyRecords(records).findings,
                Contains(HasSubstr(absl::StrCat("record ", i + 1, ": not there"))));
    records = whole;
    records.insert(records.begin() + static_cast<ptrdiff_t>(i), whole[i]);
    EXPECT_THAT(
        VerifyRecords(records).findings,
        Contains(AllOf(HasSubstr(absl::StrCat("record ", i + 1)), HasSubstr("out of its place"))));
    records = whole;
    std::swap(records[i], records[i + 1]);
    EXPECT_THAT(VerifyRecords(records).findings,
                Contains(HasSubstr(absl::StrCat("record ", i + 1))));
  }
}

// Who can write the journal can stamp anew; only the signatures stop him.
TEST(RecordVerifierTest, HostileRecordsThatWereStampedAnewAreFoundByTheNextSignature) {
  const std::vector<std::string> whole = Whole().records;
  for (size_t removed = 0; removed < 3; ++removed) {
    std::vector<std::string> records;
    for (size_t i = 0; i < whole.size(); ++i) {
      if (i == removed) continue;
      const StampedRecord stamped = *WalkStamped(whole[i]);
      records.emplace_back(StampedForFold(std::string(stamped.origin_bytes), records.size() + 1,
                                          static_cast<int64_t>(records.size() + 1))
                               .bytes.view());
    }
    const VerifyReport report = VerifyRecords(records);
    EXPECT_THAT(report.findings, Contains(HasSubstr("signed head at record 3")));
    EXPECT_EQ(report.proved_seq, 0u);
  }
}

TEST(RecordVerifierTest, DamageIsNamedBetweenTheSignaturesAroundIt) {
  std::vector<std::string> records = Whole().records;
  records[5][records[5].size() - kStampBytes - 1] ^= 1;  // a sample behind the first head
  const VerifyReport report = VerifyRecords(records);
  EXPECT_THAT(report.findings, Contains(HasSubstr("records 4 to 9 are not what was signed")));
  EXPECT_EQ(report.findings.size(), 1u) << "what comes after is judged by itself";
  EXPECT_EQ(report.proved_seq, 3u);
}

TEST(RecordVerifierTest, HostileCertificatesThatDoNotFitTheRecordAreFound) {
  using C = v1::Certificate;
  // Of one number more than there is.
  const auto add_gap = [](C* c, v1::NamedGapCause cause) {
    v1::OriginLaneHead* head = c->mutable_heads(0);
    head->set_last_origin_seq(head->last_origin_seq() + 1);
    v1::NamedGap* gap = head->add_gaps();
    gap->set_first_origin_seq(head->last_origin_seq());
    gap->set_last_origin_seq(head->last_origin_seq());
    gap->set_cause(cause);
    return gap;
  };
  const std::vector<std::pair<std::function<void(C*)>, const char*>> lies = {
      {[](C* c) { c->set_record_count(3); }, "it counts 3 records"},
      {[](C* c) { c->set_certificate_index(2); }, "comes after certificate 0"},
      {[](C* c) { c->set_late_count(4); }, "late annex of 4"},
      {[](C* c) { c->mutable_heads()->RemoveLast(); }, "its origins hold"},
      {[](C* c) { *c->add_heads() = c->heads(0); }, "named twice"},
      {[](C* c) { c->mutable_heads(0)->set_held_count(9); }, "it certifies 9 records"},
      {[](C* c) { c->mutable_heads(0)->set_last_origin_seq(9); }, "its gaps are not the numbers"},
      {[](C* c) { c->mutable_heads(0)->set_late_count(1); }, "records came late"},
      {[](C* c) {
         v1::OriginSeqRange* late = c->mutable_heads(0)->add_late();
         late->set_first_origin_seq(1);
         late->set_last_origin_seq(1);
       },
       "its list of late records is not of those"},
      {[](C* c) { c->mutable_heads(0)->add_late(); }, "a list of late records that is none"},
      {[&](C* c) {
         add_gap(c, v1::NAMED_GAP_CAUSE_MISSING)->set_last_origin_seq(UINT64_MAX);
         c->mutable_heads(0)->set_last_origin_seq(UINT64_MAX);
       },
       "no number can be 18446744073709551615"},
      {[&](C* c) {
         add_gap(c, v1::NAMED_GAP_CAUSE_MISSING)->set_last_origin_seq(kMaxOriginSeq + 1);
       },
       "a gap that is none"},
      {[&](C* c) { add_gap(c, v1::NAMED_GAP_CAUSE_MISSING); },
       "complete, and 1 records are missing"},
      {[&](C* c) {
         v1::OriginLaneHead* head = c->mutable_heads(0);
         v1::NamedGap* gap = add_gap(c, v1::NAMED_GAP_CAUSE_DATA_GAP);
         gap->mutable_data_gap()->set_origin(head->origin());
         gap->mutable_data_gap()->set_lane(1);
         gap->mutable_data_gap()->set_origin_seq(1);
       },
       "a DataGap that does not say so"}};
  for (const auto& [edit, finding] : lies) {
    SignedCase made;
    made.Agent(AlertBody("SEP -64 %"));
    made.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
    made.Close();
    made.Certify(edit);
    const VerifyReport report = VerifyRecords(made.records);
    EXPECT_THAT(report.findings, Contains(HasSubstr(finding)));
    EXPECT_EQ(report.certified_seq, 0u) << finding;
  }
}

v1::Record Told(uint64_t first, uint64_t last, const std::string& origin = "") {
  v1::Record told;
  told.mutable_data_gap()->set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
  told.mutable_data_gap()->set_origin(origin);
  told.mutable_data_gap()->set_lane(5);
  told.mutable_data_gap()->set_first_origin_seq(first);
  told.mutable_data_gap()->set_last_origin_seq(last);
  return told;
}

TEST(RecordVerifierTest, GapsThatTheirOriginToldAreProvedByItsRecord) {
  SignedCase made;
  made.AgentAs(1, BlockBody("EMG/L", 0, 8));
  made.AgentAs(4, BlockBody("EMG/L", 24, 8));
  made.Agent(Told(2, 3, made.agent_origin.ToString()));
  const RecordKey teller = made.LastOfAgent(1);
  made.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  made.Close();
  made.Certify([&](v1::Certificate* certificate) {
    for (v1::OriginLaneHead& head : *certificate->mutable_heads()) {
      if (head.lane() != 5) continue;
      v1::NamedGap* gap = head.add_gaps();
      gap->set_first_origin_seq(2);
      gap->set_last_origin_seq(3);
      gap->set_cause(v1::NAMED_GAP_CAUSE_DATA_GAP);
      *gap->mutable_data_gap() = ToProto(teller);
    }
  });
  const VerifyReport report = VerifyRecords(made.records);
  EXPECT_THAT(report.findings, testing::IsEmpty());
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.Total().missing, 0u);
  EXPECT_EQ(report.lanes[5].given_up, 2u);
  EXPECT_EQ(report.lanes[5].held, 2u);
}

// A gap in lane 5 of the agent, which holds 1 and 9 there.
void NameGap(v1::Certificate* certificate, uint64_t first, uint64_t last, v1::NamedGapCause cause) {
  for (v1::OriginLaneHead& head : *certificate->mutable_heads()) {
    if (head.lane() != 5) continue;
    v1::NamedGap* gap = head.add_gaps();
    gap->set_first_origin_seq(first);
    gap->set_last_origin_seq(last);
    gap->set_cause(cause);
  }
}

TEST(RecordVerifierTest, NeighbouringGapsAreProvedByAllWhoTellOfThem) {
  for (const bool all_told : {true, false}) {
    SignedCase made;
    made.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
    made.AgentAs(1, BlockBody("EMG/L", 0, 8));
    made.AgentAs(9, BlockBody("EMG/L", 24, 8));
    made.Agent(Told(2, 4));
    made.Agent(Told(5, all_told ? 8 : 7));
    made.Close();
    made.Certify([](auto* c) { NameGap(c, 2, 8, v1::NAMED_GAP_CAUSE_DATA_GAP); });
    EXPECT_EQ(VerifyRecords(made.records).ok(), all_told);
  }
}

// How a hub closes a case that holds blocks 1 and 9, what it certifies then, and how it is found.
struct Lie {
  std::function<void(SignedCase*)> close;
  std::function<void(v1::Certificate*)> edit;
  const char* finding;
};

void Closes(SignedCase* made) { made->Close(); }

void ClosesWithGaps(SignedCase* made) {
  v1::Record step = LifecycleBody(v1::CASE_TRANSITION_CLOSED, "", "the disk broke");
  step.mutable_case_lifecycle()->set_with_gaps(true);
  step.mutable_case_lifecycle()->set_actor("Ines Ruiz");
  made->Close(step);
}

std::function<void(v1::Certificate*)> Gap(v1::NamedGapCause cause) {
  return [cause](v1::Certificate* c) {
    NameGap(c, 2, 8, cause);
    c->set_complete(false);
  };
}

std::vector<Lie> Lies() {
  return {{[](SignedCase* made) { made->Total(); }, [](auto*) {}, "of a case that is open"},
          {Closes, Gap(v1::NAMED_GAP_CAUSE_UNSPECIFIED), "a gap without a cause"},
          {Closes, Gap(static_cast<v1::NamedGapCause>(9)), "a gap without a cause"},
          {[](SignedCase* made) {
             made->Agent(Told(2, 8, std::string(16, 'x')));
             made->Close();
           },
           Gap(v1::NAMED_GAP_CAUSE_DATA_GAP), "a DataGap that does not say so"},
          {[](SignedCase* made) {
             made->Agent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
             made->Agent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
           },
           Gap(v1::NAMED_GAP_CAUSE_REFUSED), "no total of its publisher counts"},
          {[](SignedCase* made) {
             made->Close();
             made->Agent(LifecycleBody(v1::CASE_TRANSITION_REOPENED, "", "bleeding"));
             made->Agent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
             made->Agent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
           },
           Gap(v1::NAMED_GAP_CAUSE_REFUSED), "no total of its publisher counts"},
          {Closes,
           [](v1::Certificate* c) {
             NameGap(c, 2, 8, v1::NAMED_GAP_CAUSE_REFUSED);
             for (v1::OriginLaneHead& head : *c->mutable_heads()) head.set_total_given(false);
           },
           "agent-1 has not said what it made"},
          {[](SignedCase* made) {
             v1::Record more;
             v1::LaneTotal* total = more.mutable_publisher_total()->add_lanes();
             total->set_lane(5);
             total->set_last_origin_seq(12);
             made->Agent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
             made->Agent(more);
             made->Agent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
           },
           Gap(v1::NAMED_GAP_CAUSE_REFUSED), "its publisher has made 12"},
          {ClosesWithGaps, Gap(v1::NAMED_GAP_CAUSE_MISSING), "reason or actor are not those"},
          {ClosesWithGaps,
           [](v1::Certificate* c) {
             Gap(v1::NAMED_GAP_CAUSE_MISSING)(c);
             c->set_reason("the disk broke");
             c->set_actor("Somebody else");
           },
           "reason or actor are not those"}};
}

TEST(RecordVerifierTest, HostileHubThatBreaksItsOwnRulesIsFound) {
  for (const Lie& lie : Lies()) {
    SignedCase made;
    made.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
    made.AgentAs(1, BlockBody("EMG/L", 0, 8));
    made.AgentAs(9, BlockBody("EMG/L", 24, 8));
    lie.close(&made);
    made.Certify(lie.edit);
    EXPECT_THAT(VerifyRecords(made.records).findings, Contains(HasSubstr(lie.finding)));
  }
}

TEST(RecordVerifierTest, HostileNumberThatNoRecordMayHaveIsFound) {
  std::vector<std::string> records = Whole().records;
  RecordWriter writer(CaseIdForTest(), OriginIdForTest(0x0a));
  std::string bytes = writer.WriteAs(UINT64_MAX, BlockBody("EMG/L", 0, 8));
  AppendStamp({1, records.size() + 1, HubTime::FromNanoseconds(99), false}, &bytes);
  records.push_back(bytes);
  EXPECT_THAT(VerifyRecords(records).findings, Contains(HasSubstr("origin_seq must be at most")));
}

TEST(RecordVerifierTest, ClosedCaseIsWholeOnlyWithItsCertificateAndNothingBehindIt) {
  SignedCase made;
  made.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  made.Head();
  EXPECT_TRUE(VerifyRecords(made.records).IsWhole()) << "it is open";
  made.Close();
  made.Head();
  EXPECT_FALSE(VerifyRecords(made.records).IsWhole()) << "cut before its certificate";
  made.Certify();
  EXPECT_TRUE(VerifyRecords(made.records).IsWhole());
  EXPECT_EQ(VerifyRecords(made.records).unsigned_count, 0u);
  made.Agent(AlertBody("forged"));
  EXPECT_FALSE(VerifyRecords(made.records).IsWhole()) << "added to";
  EXPECT_EQ(VerifyRecords(made.records).unsigned_count, 1u);
  made.Head();
  EXPECT_TRUE(VerifyRecords(made.records).IsWhole());
}

TEST(RecordVerifierTest, WitnessIsOfThisRecordOrItIsFoundToBeAnother) {
  const auto head_at = [](const SignedCase& made, size_t index) {
    v1::Record record;
    EXPECT_TRUE(record.ParseFromString(made.records[index]));
    return HeadWitness{CaseIdForTest(), record.signed_head()};
  };
  const auto verify = [](const std::vector<std::string>& records, const HeadWitness& witness) {
    RecordVerifier verifier(CaseIdForTest(), {Signer().public_key()});
    verifier.AddWitness(witness);
    for (const std::string& record : records) verifier.Take(record);
    return verifier.Finish();
  };
  const SignedCase whole = Whole();
  const HeadWitness witness = head_at(whole, 3);
  EXPECT_TRUE(verify(whole.records, witness).ok());
  EXPECT_EQ(verify(whole.records, witness).witnessed_heads, 1u);
  // Who has the key writes it anew, with all its signatures.
  SignedCase anew;
  anew.Agent(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  anew.Agent(AlertBody("SEP -14 %"));
  anew.Agent(BlockBody("EMG/L", 0, 8));
  anew.Head();
  EXPECT_TRUE(VerifyRecords(anew.records).ok());
  EXPECT_THAT(verify(anew.records, witness).findings,
              Contains(HasSubstr("records 1 to 3 are not what a witness was shown")));
  EXPECT_THAT(verify({whole.records[0], whole.records[1]}, witness).findings,
              Contains(HasSubstr("the record ends at 2, and a witness was shown 3")));
  HeadWitness forged = witness;
  forged.head.set_seq(2);
  EXPECT_THAT(verify(whole.records, forged).findings, Contains(HasSubstr("not signed")));
  HeadWitness other = witness;
  other.case_id = CaseId::FromBytes(std::string(16, 'o'));
  EXPECT_THAT(verify(whole.records, other).findings, Contains(HasSubstr("another case")));
}

class RecordFileTest : public testing::Test {
 protected:
  RecordFileTest() {
    const SignedCase made = Whole();
    RecordFileEncoder encoder({made.case_id, {Signer().public_key()}});
    whole_ = encoder.head();
    for (const std::string& record : made.records) whole_ += encoder.Add(record);
    whole_ += encoder.End();
  }
  VerifyReport VerifyText(const std::string& text, const std::vector<std::string>& keys = {}) {
    if (files_.Exists("/case")) files_.Remove("/case").IgnoreError();
    EXPECT_TRUE((*files_.OpenAppend("/case"))->Append(text).ok());
    return *VerifyRecordFile(files_, "/case", keys);
  }

  FakeFileSystem files_;
  std::string whole_;
};

TEST_F(RecordFileTest, WholeFileProvesItself) {
  const VerifyReport report = VerifyText(whole_);
  EXPECT_THAT(report.findings, testing::IsEmpty());
  EXPECT_EQ(report.certificate_index, 1u);
  EXPECT_TRUE(VerifyText(whole_, {Signer().public_key()}).ok());
  EXPECT_FALSE(VerifyText(whole_, {RecordSigner(RecordSigner::Seed{1}).public_key()}).ok());
}

TEST_F(RecordFileTest, HostileOneBitFlippedInAnyByteIsFound) {
  for (size_t i = 0; i < whole_.size(); ++i) {
    std::string changed = whole_;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    EXPECT_FALSE(VerifyText(changed).ok()) << "byte " << i << " of " << whole_.size();
  }
}

TEST_F(RecordFileTest, HostileFileCutAtAnyByteIsFound) {
  for (size_t size = 0; size < whole_.size(); ++size) {
    EXPECT_FALSE(VerifyText(whole_.substr(0, size)).ok()) << "cut at " << size;
  }
}

TEST_F(RecordFileTest, HostileAnythingPutInAnywhereIsFound) {
  for (size_t i = 0; i <= whole_.size(); ++i) {
    std::string changed = whole_;
    changed.insert(i, 1, static_cast<char>(i * 37));
    EXPECT_FALSE(VerifyText(changed).ok()) << "at byte " << i;
  }
}

}  // namespace
}  // namespace remora
