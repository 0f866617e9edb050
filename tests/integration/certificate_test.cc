// A case from its source to its certificate, with real processes: closed by its agent when the hub
// has everything, exported, proved offline; and one bit more or less is found.

#include <fstream>
#include <iterator>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/rig.h"

namespace remora::testing {
namespace {

class CertificateTest : public ::testing::Test {
 protected:
  // The public key that the hub prints.
  std::string HubKey() const {
    const Finished printed =
        RunToEnd("remora-hub", {"--journal", rig_.journal_path(), "--print-record-key"});
    EXPECT_EQ(printed.exit_code, 0) << printed.errors;
    const size_t space = printed.output.find(' ');
    return printed.output.substr(space + 1, 64);
  }
  Finished Verify(const std::string& what, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"verify", what, "--output", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return rig_.Remora("reader", arguments);
  }

  Rig rig_{1};
};

TEST_F(CertificateTest, CaseIsClosedProvedOfflineAndAFlippedBitIsFound) {
  ASSERT_TRUE(rig_.StartHub().ok());
  rig_.StartAgent(1, "sim:cord?seconds=60&seed=2",
                  SourcePath("acquisition-agent/plans/scoliosis.plan"), {"--speed", "20"});
  const absl::StatusOr<int> ended = rig_.agent(1).Wait(Duration::Seconds(120));
  ASSERT_TRUE(ended.ok()) << rig_.agent(1).Log();
  ASSERT_EQ(*ended, 0) << rig_.agent(1).Log();

  const std::string file = rig_.Path("case.record");
  const Finished exported =
      rig_.Remora("reader", {"export", "OR 1", "--format", "record", "--file", file});
  ASSERT_EQ(exported.exit_code, 0) << exported.errors;
  const std::string key = HubKey();
  for (const Finished& proved : {Verify("OR 1"), Verify(file), Verify(file, {"--key", key})}) {
    ASSERT_EQ(proved.exit_code, 0) << proved.output << proved.errors;
    const nlohmann::json said = nlohmann::json::parse(proved.output);
    EXPECT_TRUE(said["ok"].get<bool>());
    EXPECT_TRUE(said["complete"].get<bool>()) << proved.output;
    EXPECT_EQ(said["certificates"].get<int>(), 1) << proved.output;
    EXPECT_EQ(said["missing"].get<int>(), 0);
    EXPECT_GT(said["certified_up_to"].get<int>(), 100);
  }
  EXPECT_EQ(Verify(file, {"--key", std::string(64, '1')}).exit_code, 6);

  std::ifstream in(file, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  bytes[bytes.size() / 2] ^= 4;
  const std::string changed = rig_.Path("changed.record");
  std::ofstream(changed, std::ios::binary) << bytes;
  const Finished found = Verify(changed, {"--key", key});
  EXPECT_EQ(found.exit_code, 6) << found.output;
  EXPECT_FALSE(nlohmann::json::parse(found.output)["findings"].empty());
}

}  // namespace
}  // namespace remora::testing
