#include "reader-client/cc/app/output.h"

#include "gtest/gtest.h"

namespace remora::reader {
namespace {

Table Example() {
  Table table({"theatre", "alerts"});
  table.AddRow({"OR 1", 0});
  table.AddRow({"Ö\n2", nullptr});
  return table;
}

TEST(Table, AlignsColumnsAndKeepsALineALine) {
  EXPECT_EQ(Example().ToText(OutputFormat::kTable), "theatre  alerts\nOR 1     0\nÖ?2      -\n");
}

TEST(Table, GivesAnObjectALineAndAnArray) {
  EXPECT_EQ(Example().ToText(OutputFormat::kNdjson),
            "{\"theatre\":\"OR 1\",\"alerts\":0}\n{\"theatre\":\"Ö\\n2\",\"alerts\":null}\n");
  EXPECT_EQ(nlohmann::json::parse(Example().ToText(OutputFormat::kJson)).size(), 2u);
}

TEST(Printable, HostileTerminalSequencesBecomeQuestionMarks) {
  EXPECT_EQ(Printable("a\x1b]0;x\x07"
                      "b\xc2\x9b"
                      "31m"),
            "a?]0;x?b?31m");
  EXPECT_EQ(Printable("µV ±"), "µV ±");
}

TEST(ExitCode, FollowsTheContractWithScripts) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), 1);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("")), 3);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("")), 3);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), 5);
  EXPECT_EQ(ExitCodeOf(absl::DataLossError("")), 6);
}

}  // namespace
}  // namespace remora::reader
