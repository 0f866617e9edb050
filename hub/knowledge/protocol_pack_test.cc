#include "hub/knowledge/protocol_pack.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace remora::hub {
namespace {

v1::ProtocolPack Shipped() {
  const auto files = MakePosixFileSystem();
  const auto pack = LoadProtocolPack(
      *files, std::string(std::getenv("REMORA_SOURCE_DIR")) + "/hub/knowledge/bass_sbns.protocols");
  EXPECT_TRUE(pack.ok()) << pack.status();
  return pack.value_or(v1::ProtocolPack());
}

// Without white space and bullets.
std::string Bare(const std::string& text) {
  std::string bare;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "•") == 0) {
      i += 2;
    } else if (text[i] != ' ' && text[i] != '\n' && text[i] != '\r' && text[i] != '\t') {
      bare += text[i];
    }
  }
  return bare;
}

// The document from the first protocol's title to its end, character by character: nothing left
// out, nothing added, nothing in another order.
TEST(ProtocolPack, IsTheDocumentWordForWord) {
  const char* folder = std::getenv("REMORA_DATA");
  const std::string path = std::string(folder == nullptr ? "../shared/data" : folder) +
                           "/../design/sources/000_9b8f7057a3c1b90a.txt";
  const auto files = MakePosixFileSystem();
  const auto document = files->ReadWhole(path, 1'000'000);
  if (!document.ok()) GTEST_SKIP() << "no document: " << document.status();
  const v1::ProtocolPack pack = Shipped();
  const std::string bare = Bare(*document);
  std::string steps;
  for (const v1::ResponseProtocol& protocol : pack.protocol()) {
    steps += protocol.title();
    for (const v1::ResponseStep& step : protocol.step()) steps += step.text();
  }
  const size_t at = bare.find(Bare(pack.protocol(0).title()));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(Bare(steps), bare.substr(at));
}

TEST(ProtocolPack, KeepsTheThreeListsApart) {
  const v1::ProtocolPack pack = Shipped();
  ASSERT_EQ(pack.protocol_size(), 3);
  std::vector<std::string> has_wake_up, has_dexamethasone, has_relaxant, has_supine, has_depth;
  for (const v1::ResponseProtocol& protocol : pack.protocol()) {
    for (const v1::ResponseStep& step : protocol.step()) {
      const auto note = [&](const char* word, std::vector<std::string>* list) {
        if (step.text().find(word) != std::string::npos) list->push_back(protocol.key());
      };
      if (step.kind() == v1::RESPONSE_STEP_KIND_WAKE_UP_TEST) has_wake_up.push_back(protocol.key());
      note("dexamethasone", &has_dexamethasone);
      note("relaxants", &has_relaxant);
      note("supine", &has_supine);
      note("lightening", &has_depth);
    }
  }
  EXPECT_EQ(has_wake_up, (std::vector<std::string>{"A", "C"}));
  EXPECT_EQ(has_dexamethasone, (std::vector<std::string>{"B"}));
  EXPECT_EQ(has_relaxant, (std::vector<std::string>{"A", "C"}));
  EXPECT_EQ(has_supine, (std::vector<std::string>{"A"}));
  EXPECT_EQ(has_depth, (std::vector<std::string>{"C"}));
}

TEST(ProtocolPack, PausesForFiveToFifteenMinutesAndDecidesByThreeFactors) {
  const v1::ResponseProtocol b = Shipped().protocol(1);
  EXPECT_EQ(b.step(0).kind(), v1::RESPONSE_STEP_KIND_PAUSE);
  EXPECT_EQ(b.step(0).reassess_after_seconds(), 5 * 60);
  EXPECT_EQ(b.step(0).limit_after_seconds(), 15 * 60);
  const v1::ResponseStep decision = b.step(3);
  EXPECT_EQ(decision.kind(), v1::RESPONSE_STEP_KIND_DECISION);
  ASSERT_EQ(decision.factor_size(), 3);
  for (const std::string& factor : decision.factor()) {
    EXPECT_NE(decision.text().find(factor), std::string::npos) << factor;
  }
}

TEST(ProtocolPack, IsProposedByThePhase) {
  const v1::ProtocolPack pack = Shipped();
  const struct {
    v1::Phase phase;
    const char* key;  // nullptr: none
  } cases[] = {
      {v1::PHASE_PLANNED, nullptr},     {v1::PHASE_PRE_POSITION, "A"},
      {v1::PHASE_POSITIONING, "A"},     {v1::PHASE_EXPOSURE, "A"},
      {v1::PHASE_INSTRUMENTATION, "A"}, {v1::PHASE_NEURAL_MANIPULATION, "B"},
      {v1::PHASE_CORRECTION, "C"},      {v1::PHASE_CLAMP, nullptr},
      {v1::PHASE_RESECTION, nullptr},   {v1::PHASE_CLOSURE, nullptr},
      {v1::PHASE_UNSPECIFIED, nullptr},
  };
  for (const auto& one : cases) {
    const ProtocolProposal proposal = ProposeProtocol(pack, one.phase, /*is_spinal=*/true);
    EXPECT_EQ(proposal.protocol == nullptr, one.key == nullptr) << v1::Phase_Name(one.phase);
    if (proposal.protocol != nullptr && one.key != nullptr) {
      EXPECT_EQ(proposal.protocol->key(), one.key);
    } else {
      EXPECT_NE(proposal.reason.find("no protocol in this source for this phase"),
                std::string::npos);
    }
  }
}

TEST(ProtocolPack, OfNoSpinalProcedureIsNone) {
  const ProtocolProposal proposal =
      ProposeProtocol(Shipped(), v1::PHASE_CORRECTION, /*is_spinal=*/false);
  EXPECT_EQ(proposal.protocol, nullptr);
  EXPECT_NE(proposal.reason.find("spinal"), std::string::npos);
}

constexpr char kSmall[] = R"(
  name: "n" version: "1" source: "s"
  protocol { key: "A" title: "t" phase: PHASE_EXPOSURE
    step { key: "A1" text: "x" kind: RESPONSE_STEP_KIND_PLAIN }
    step { key: "A2" text: "y" kind: RESPONSE_STEP_KIND_PAUSE
      reassess_after_seconds: 1 limit_after_seconds: 2 } }
  protocol { key: "B" title: "u" phase: PHASE_CLOSURE
    step { key: "B1" text: "z" kind: RESPONSE_STEP_KIND_DECISION factor: "f" } }
)";

TEST(ProtocolPack, HostilePacksAreRefusedWithWhatIsWrong) {
  ASSERT_TRUE(ParseProtocolPack(kSmall, "p").ok());
  const struct {
    const char* from;
    const char* to;
    const char* says;
  } cases[] = {
      {"version: \"1\"", "", "name, version and source"},
      {"key: \"B\"", "key: \"A\"", "once"},
      {"key: \"A2\"", "key: \"A1\"", "once"},
      {"text: \"x\"", "", "A1: text"},
      {"kind: RESPONSE_STEP_KIND_PLAIN", "", "A1: kind"},
      {"PHASE_CLOSURE", "PHASE_EXPOSURE", "another protocol's"},
      {"limit_after_seconds: 2", "limit_after_seconds: 1", "A2: a pause"},
      {"factor: \"f\"", "", "B1: a decision"},
      {"title: \"t\"", "", "A: a protocol needs a title"},
      {"protocol { key: \"B\"", "protocol [ key: \"B\"", "p:"},
  };
  for (const auto& one : cases) {
    std::string text = kSmall;
    const size_t at = text.find(one.from);
    ASSERT_NE(at, std::string::npos) << one.from;
    text.replace(at, std::string(one.from).size(), one.to);
    const absl::Status status = ParseProtocolPack(text, "p").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << one.says;
    EXPECT_NE(std::string(status.message()).find(one.says), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace remora::hub
