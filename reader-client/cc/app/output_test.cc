#include "reader-client/cc/app/output.h"

#include <unistd.h>

#include <csignal>

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

// What a sequence writes to a file.
std::string Written(OutputFormat format, const std::vector<std::string>& results) {
  std::FILE* const file = std::tmpfile();
  ResultSequence sequence(file, format);
  for (const std::string& result : results) EXPECT_TRUE(sequence.Add(result).ok());
  EXPECT_TRUE(sequence.Finish().ok());
  std::string text(static_cast<size_t>(std::ftell(file)), ' ');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

TEST(ResultSequence, JsonIsOneDocumentAlsoWhenItIsEmpty) {
  EXPECT_EQ(nlohmann::json::parse(Written(OutputFormat::kJson, {"{\"seq\":1}\n", "{}"})).size(),
            2u);
  EXPECT_EQ(nlohmann::json::parse(Written(OutputFormat::kJson, {})).size(), 0u);
}

TEST(ResultSequence, OtherFormatsAreALineAResult) {
  EXPECT_EQ(Written(OutputFormat::kNdjson, {"{\"seq\":1}\n", "{}"}), "{\"seq\":1}\n{}\n");
  EXPECT_EQ(Written(OutputFormat::kTable, {"1  alert"}), "1  alert\n");
}

// The end of a pipe that a program writes to, and whether somebody reads the other.
class Pipe {
 public:
  Pipe() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(pipe(ends_), 0);
    out_ = fdopen(ends_[1], "w");
  }
  ~Pipe() { std::fclose(out_); }
  void StopReading() { close(ends_[0]); }
  std::FILE* out() { return out_; }

 private:
  int ends_[2];
  std::FILE* out_;
};

TEST(ResultSequence, SaysThatNobodyReadsAnyMore) {
  Pipe pipe;
  ResultSequence sequence(pipe.out(), OutputFormat::kNdjson);
  EXPECT_TRUE(sequence.Add("{}").ok());
  EXPECT_FALSE(IsReaderGone(pipe.out()));
  pipe.StopReading();
  EXPECT_TRUE(IsReaderGone(pipe.out()));
  EXPECT_TRUE(absl::IsCancelled(sequence.Add("{}")));
}

TEST(ResultSequence, SaysThatTheDiskIsFull) {
  std::FILE* const full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  ResultSequence sequence(full, OutputFormat::kNdjson);
  EXPECT_TRUE(absl::IsResourceExhausted(sequence.Add("{}")));
  std::fclose(full);
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
  EXPECT_EQ(ExitCodeOf(absl::AbortedError("")), 7);
}

}  // namespace
}  // namespace remora::reader
