// Cases that are over leave the hub, with real processes: closed, archived, proved, purged; and an
// agent that comes back with one of them.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/integration/rig.h"

namespace remora::testing {
namespace {

namespace fs = std::filesystem;

const Duration kPatience = Duration::Seconds(90);

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() {
    rig_.hub_settings().more = {"--archive", rig_.Path("archive"), "--keep-closed", "1s"};
  }
  // A case from its source to its certificate.
  void RunCase() {
    rig_.StartAgent(1, "sim:cord?seconds=60&seed=2",
                    SourcePath("acquisition-agent/plans/scoliosis.plan"),
                    {"--speed", "20", "--new-case"});
    const absl::StatusOr<int> ended = rig_.agent(1).Wait(Duration::Seconds(120));
    ASSERT_TRUE(ended.ok()) << rig_.agent(1).Log();
    ASSERT_EQ(*ended, 0) << rig_.agent(1).Log();
  }
  // What the hub's log says of each case that was purged.
  std::vector<std::string> Purged() {
    std::vector<std::string> lines;
    for (absl::string_view line : absl::StrSplit(rig_.hub().Log(), '\n')) {
      if (line.find(" case-purged ") != absl::string_view::npos) lines.emplace_back(line);
    }
    return lines;
  }
  static std::string Field(const std::string& line, const std::string& name) {
    const size_t at = line.find(absl::StrCat(" ", name, "="));
    if (at == std::string::npos) return "";
    const size_t from = at + name.size() + 2;
    return line.substr(from, line.find(' ', from) - from);
  }
  fs::path Spool() const { return rig_.Path("agent-1.spool"); }
  uint64_t JournalBytes() const { return fs::file_size(rig_.journal_path()); }

  Rig rig_{1};
};

TEST_F(RetentionTest, CasesAreArchivedProvedAndPurgedAndWhoComesBackLateKeepsWhatItHas) {
  ASSERT_TRUE(rig_.StartHub().ok());
  RunCase();
  ASSERT_TRUE(Eventually(kPatience, [&] { return Purged().size() == 1; })) << rig_.hub().Log();
  const std::string line = Purged()[0];
  const std::string case_id = Field(line, "case");
  const std::string file = rig_.Path("archive/" + Field(line, "archive"));
  const Finished proved = rig_.Remora("reader", {"verify", file});
  EXPECT_EQ(proved.exit_code, 0) << proved.output << proved.errors;
  const Finished sum = RunToEnd("/usr/bin/sha256sum", {file});
  EXPECT_EQ(sum.output.substr(0, 64), Field(line, "sha256"));
  EXPECT_NE(rig_.Remora("reader", {"verify", case_id}).exit_code, 0) << "it is not on the hub";

  // As of an agent that ended before it had heard of the certificate.
  fs::path settled, waiting;
  for (const auto& entry : fs::directory_iterator(Spool())) {
    if (entry.path().filename().string().rfind("done-", 0) == 0) settled = entry.path();
  }
  ASSERT_FALSE(settled.empty());
  waiting = Spool() / ("case-" + settled.filename().string().substr(5));
  fs::rename(settled, waiting);
  ASSERT_EQ(*rig_.StopHub(), 0);
  const uint64_t after_one = JournalBytes();
  ASSERT_TRUE(rig_.StartHub().ok());
  RunCase();
  const std::string said = rig_.agent(1).Log();
  EXPECT_NE(said.find("stays in the spool: the case is archived as " + Field(line, "archive")),
            std::string::npos)
      << said;
  EXPECT_EQ(said.find("ALARM the hub refuses"), std::string::npos) << said;
  EXPECT_TRUE(fs::exists(waiting)) << "nothing of it is given up";
  RunCase();
  ASSERT_TRUE(Eventually(kPatience, [&] { return Purged().size() == 2; })) << rig_.hub().Log();
  for (const std::string& purged : Purged()) {
    EXPECT_EQ(rig_.Remora("reader", {"verify", rig_.Path("archive/" + Field(purged, "archive"))})
                  .exit_code,
              0);
  }
  ASSERT_EQ(*rig_.StopHub(), 0);
  // The second was written into pages of the first; of the third some came before the second left.
  EXPECT_LT(JournalBytes(), after_one + after_one * 3 / 2);
}

}  // namespace
}  // namespace remora::testing
