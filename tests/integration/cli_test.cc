// `remora` as scripts use it, against a hub that holds a case of ninety seconds: what it prints in
// each form, what it puts on record, and how it ends.

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/rig.h"

namespace remora::testing {
namespace {

using nlohmann::json;
using Arguments = std::vector<std::string>;

constexpr char kTrace[] = "SEP_LOWER/L/CPz-FPz";

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// Null where the text is not exactly one JSON document.
json Document(const std::string& text) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return document.is_discarded() ? json() : document;
}

class CliTest : public ::testing::Test {
 protected:
  // The case is made once: a minute of a cord's trouble at 20 times the speed, left open.
  static void SetUpTestSuite() {
    rig_ = new Rig(1);
    ASSERT_TRUE(rig_->StartHub().ok());
    rig_->StartAgent(1, "sim:cord?seconds=90&seed=2",
                     SourcePath("acquisition-agent/plans/scoliosis.plan"),
                     {"--speed", "20", "--keep-open"});
    const absl::StatusOr<int> ended = rig_->agent(1).Wait(Duration::Seconds(90));
    ASSERT_TRUE(ended.ok()) << rig_->agent(1).Log();
    ASSERT_EQ(*ended, 0) << rig_->agent(1).Log();
  }
  static void TearDownTestSuite() {
    delete rig_;
    rig_ = nullptr;
  }
  void SetUp() override { ASSERT_TRUE(rig_ != nullptr && rig_->hub().running()); }

  static Finished Reader(const Arguments& arguments) { return rig_->Remora("reader", arguments); }
  // The records of lanes 0 and 1 that are there now.
  static json Events() {
    return Document(
        Reader({"watch", "OR 1", "--until-head", "--lanes", "0,1", "--output", "json"}).output);
  }
  // The record on record that has this id.
  static json OnRecord(const std::string& id) {
    json found;
    Eventually(Duration::Seconds(5), [&] {
      for (const json& record : Events()) {
        if (record.value("id", "") == id) found = record;
      }
      return !found.is_null();
    });
    return found;
  }
  static std::string ShellCommand(const Arguments& arguments) {
    std::string command = ProgramPath("remora");
    for (const std::string& argument : rig_->RemoraArguments("reader", arguments)) {
      absl::StrAppend(&command, " '", argument, "'");
    }
    return command;
  }
  static uint64_t HeadSeq() {
    const json cases = Document(Reader({"cases", "--output", "json"}).output);
    return cases.is_array() && !cases.empty() ? cases[0]["records"].get<uint64_t>() : 0;
  }

  static inline Rig* rig_ = nullptr;
};

TEST_F(CliTest, CasesAreATableADocumentAndALineEach) {
  const Finished table = Reader({"cases"});
  EXPECT_EQ(table.exit_code, 0) << table.errors;
  ASSERT_EQ(Lines(table.output).size(), 2u);
  EXPECT_TRUE(absl::StartsWith(Lines(table.output)[0], "theatre"));
  const json document = Document(Reader({"cases", "--output", "json"}).output);
  ASSERT_EQ(document.size(), 1u);
  EXPECT_EQ(document[0]["theatre"], "OR 1");
  EXPECT_EQ(document[0]["stage"], "open");
  const std::vector<std::string> lines = Lines(Reader({"cases", "--output", "ndjson"}).output);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(Document(lines[0])["theatre"], "OR 1");
}

TEST_F(CliTest, WatchGivesTheSameRecordsInEachForm) {
  const Arguments watch = {"watch", "OR 1",    "--until-head", "--lanes",
                           "0,1",   "--count", "12",           "--output"};
  const auto run = [&](const char* form) {
    Arguments arguments = watch;
    arguments.push_back(form);
    const Finished finished = Reader(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    return finished.output;
  };
  const json document = Document(run("json"));
  ASSERT_TRUE(document.is_array());
  ASSERT_EQ(document.size(), 12u);
  const std::vector<std::string> lines = Lines(run("ndjson"));
  ASSERT_EQ(lines.size(), 12u);
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(Document(lines[i]), document[i]);
  EXPECT_EQ(Lines(run("table")).size(), 12u);
  const json raw = Document(
      Reader({"watch", "OR 1", "--until-head", "--count", "2", "--raw", "--output", "json"})
          .output);
  EXPECT_EQ(raw.size(), 2u);
}

TEST_F(CliTest, WatchClosesItsDocumentOnCtrlC) {
  for (const bool has_records : {true, false}) {
    const std::string out = rig_->Path(absl::StrCat("live-", has_records));
    Arguments arguments = {"watch", "OR 1", "--output", "json"};
    if (has_records) arguments.push_back("--from-start");
    Process watch("remora", rig_->RemoraArguments("reader", arguments), out, out + ".errors");
    if (has_records) {
      ASSERT_TRUE(Eventually(Duration::Seconds(10), [&] { return watch.Log().size() > 1000; }));
    } else {
      SleepFor(Duration::Seconds(1));
    }
    watch.Signal(SIGINT);
    const absl::StatusOr<int> ended = watch.Wait(Duration::Seconds(5));
    ASSERT_TRUE(ended.ok());
    EXPECT_EQ(*ended, 0);
    EXPECT_TRUE(Document(watch.Log()).is_array()) << watch.Log().substr(0, 200);
  }
}

TEST_F(CliTest, WatchEndsWhenNobodyReadsItAnyMore) {
  const std::string watch = ShellCommand({"watch", "OR 1", "--from-start", "--output", "ndjson"});
  const Finished finished =
      RunToEnd("/bin/bash", {"-c", absl::StrCat("set -o pipefail; ", watch, " | head -1")},
               Duration::Seconds(20));
  EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_EQ(Lines(finished.output).size(), 1u);
  // Also where no further record would make it write.
  const Finished quiet =
      RunToEnd("/bin/bash", {"-c", absl::StrCat(ShellCommand({"watch", "OR 1"}), " | true")},
               Duration::Seconds(20));
  EXPECT_EQ(quiet.exit_code, 0);
}

TEST_F(CliTest, APausedPagerGetsEveryRecordOnceAndInOrder) {
  const uint64_t head = HeadSeq();
  ASSERT_GT(head, 2000u) << "more than waits in the command";
  const std::string watch = ShellCommand(
      {"watch", "OR 1", "--from-start", "--count", absl::StrCat(head), "--output", "ndjson"});
  const Finished finished = RunToEnd(
      "/bin/bash", {"-c", absl::StrCat(watch, " | { sleep 3; cat; }")}, Duration::Seconds(60));
  EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  const std::vector<std::string> lines = Lines(finished.output);
  ASSERT_EQ(lines.size(), head);
  for (uint64_t i = 0; i < head; ++i) ASSERT_EQ(Document(lines[i])["seq"], i + 1);
}

TEST_F(CliTest, WatchSaysThatTheLinkIsStaleAndThatItIsBack) {
  const std::string out = rig_->Path("stale");
  Process watch("remora", rig_->RemoraArguments("reader", {"watch", "OR 1"}), out, out + ".errors");
  SleepFor(Duration::Seconds(1));
  rig_->hub().Signal(SIGSTOP);
  const auto said = [&](const char* words) {
    return [&, words] { return absl::StrContains(ReadAll(out + ".errors"), words); };
  };
  EXPECT_TRUE(Eventually(Duration::Seconds(8), said("STALE")));
  rig_->hub().Signal(SIGCONT);
  EXPECT_TRUE(Eventually(Duration::Seconds(8), said("back"))) << ReadAll(out + ".errors");
}

TEST_F(CliTest, WhatWasWatchedIsOnRecordAndSeenTellsIt) {
  const Finished watched = Reader({"watch", "OR 1", "--seconds", "2"});
  EXPECT_EQ(watched.exit_code, 0) << watched.errors;
  json views;
  EXPECT_TRUE(Eventually(Duration::Seconds(8), [&] {
    views = Document(Reader({"seen", "OR 1", "--output", "json"}).output);
    return views.is_array() && !views.empty();
  }));
  ASSERT_FALSE(views.empty());
  const json& last = views.back();
  EXPECT_EQ(last["mode"], "live") << last;
  EXPECT_EQ(last["link"], "live") << last;
  EXPECT_LT(std::stod(last["link_age_s"].get<std::string>()), 2);
  const Finished then = Reader(
      {"seen", "OR 1", "--at", last["at"].get<std::string>().substr(0, 19), "--output", "json"});
  EXPECT_EQ(then.exit_code, 0) << then.errors;
  EXPECT_TRUE(Document(then.output).is_array()) << then.output;
  EXPECT_EQ(Reader({"seen", "OR 1", "--at", "nine"}).exit_code, 2);
}

TEST_F(CliTest, WhatIsSaidAndRemarkedIsOnRecord) {
  const json said =
      Document(Reader({"say", "OR 1", "Release the rod?", "--urgent", "--output", "json"}).output);
  const json message = OnRecord(said["id"]);
  EXPECT_EQ(message["kind"], "message");
  EXPECT_EQ(message["body"]["text"], "Release the rod?");
  EXPECT_EQ(message["body"]["urgent"], true);
  const json remarked = Document(Reader({"annotate", "OR 1", "retractor in", "--trace", kTrace,
                                         "--at-ms", "38", "--output", "json"})
                                     .output);
  const json annotation = OnRecord(remarked["id"]);
  EXPECT_EQ(annotation["body"]["text"], "retractor in");
  EXPECT_EQ(annotation["body"]["trace_id"], kTrace);
}

TEST_F(CliTest, AckAcknowledgesWhatCallsOnceWithWhatWasSeen) {
  const Finished first = Reader({"ack", "OR 1", "--reason", "looking", "--output", "json"});
  ASSERT_EQ(first.exit_code, 0) << first.errors;
  const json acknowledged = Document(first.output);
  ASSERT_GE(acknowledged.size(), 1u);
  const json action = OnRecord(acknowledged[0]["action"]);
  EXPECT_EQ(action["body"]["kind"], "acknowledged");
  EXPECT_EQ(action["body"]["reason"], "looking");
  EXPECT_TRUE(action["body"].contains("seen")) << action.dump(2);
  EXPECT_EQ(Document(Reader({"ack", "OR 1", "--output", "json"}).output).size(), 0u);
  const std::string alert = acknowledged[0]["alert"];
  EXPECT_EQ(Reader({"ack", "OR 1", alert}).exit_code, 0) << "by name, again";
}

TEST_F(CliTest, BaselineNamesTheNewestSweepOfItsTrace) {
  const Finished set = Reader({"baseline", "OR 1", "--trace", kTrace, "--kind", "pre_incision",
                               "--reason", "stable", "--output", "json"});
  ASSERT_EQ(set.exit_code, 0) << set.errors;
  const json baseline = OnRecord(Document(set.output)["id"]);
  EXPECT_EQ(baseline["body"]["reason"], "stable");
  EXPECT_EQ(baseline["body"]["sweeps"].size(), 1u);
  const Finished unknown = Reader({"baseline", "OR 1", "--trace", "SEP/X", "--reason", "stable"});
  EXPECT_EQ(unknown.exit_code, 4);
  EXPECT_TRUE(absl::StrContains(unknown.errors, kTrace)) << unknown.errors;
}

TEST_F(CliTest, ExportIsWholeAndReplacesNothing) {
  const std::string file = rig_->Path("case.csv");
  const uint64_t head = HeadSeq();
  const Finished exported = Reader({"export", "OR 1", "--format", "csv", "--file", file});
  ASSERT_EQ(exported.exit_code, 0) << exported.errors;
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
  const std::string text = ReadAll(file);
  EXPECT_GE(Lines(text).size(), head + 1);
  EXPECT_TRUE(absl::StartsWith(text, "seq,"));
  const Finished again = Reader({"export", "OR 1", "--file", file});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(again.errors, "there already"));
  EXPECT_EQ(ReadAll(file), text);
  EXPECT_GE(Lines(Reader({"export", "OR 1"}).output).size(), head + 1);
}

TEST_F(CliTest, ExitCodesAreTheContractWithScripts) {
  EXPECT_EQ(Reader({"cases", "--output", "xml"}).exit_code, 2);
  EXPECT_EQ(Reader({"say", "OR 1"}).exit_code, 2);
  EXPECT_EQ(
      Reader({"baseline", "OR 1", "--trace", kTrace, "--kind", "x", "--reason", "y"}).exit_code, 2);
  EXPECT_EQ(Reader({"export", "OR 1", "--format", "pdf"}).exit_code, 2);
  EXPECT_EQ(Reader({"watch", "OR 9"}).exit_code, 4);
  EXPECT_EQ(Reader({"ack", "OR 1", "00000000000000000000000000000001/0/7"}).exit_code, 4);

  const std::string stranger = rig_->Path("stranger.token");
  std::ofstream(stranger) << "nobody";
  const auto as = [](const std::string& hub, const std::string& token_file) {
    return RunToEnd("remora", {"--hub", hub, "--token-file", token_file, "--timeout", "1", "cases"})
        .exit_code;
  };
  EXPECT_EQ(as(rig_->hub_address(), stranger), 3);
  EXPECT_EQ(as("127.0.0.1:1", rig_->TokenFile("reader")), 5);

  EXPECT_EQ(Reader({"watch", "OR 1", "--budget", "apples"}).exit_code, 2);
  EXPECT_EQ(Reader({"watch", "OR 1", "--budget", "20kB/s", "--until-head"}).exit_code, 2);
  EXPECT_EQ(Reader({"watch", "OR 1", "--trace", kTrace, "--from-start"}).exit_code, 2);
  // TLS is never let go of: not where the hub speaks none, nor where half of it is given.
  EXPECT_EQ(Reader({"cases", "--timeout", "1", "--tls"}).exit_code, 5);
  EXPECT_EQ(Reader({"cases", "--ca", stranger}).exit_code, 2);
  EXPECT_EQ(Reader({"cases", "--tls", "--ca", stranger}).exit_code, 2) << "it is no certificate";
  EXPECT_EQ(Reader({"cases", "--tls", "--certificate", stranger}).exit_code, 2);
  EXPECT_EQ(
      rig_->Remora("theatre", {"baseline", "OR 1", "--trace", kTrace, "--reason", "no"}).exit_code,
      3);
}

// What comes of a case that goes on, in so many seconds.
TEST(CliLiveTest, WatchKeepsToItsTraceAndItsBudget) {
  Rig rig(1);
  ASSERT_TRUE(rig.StartHub().ok());
  rig.StartAgent(1, "sim:cord?seconds=300&seed=2",
                 SourcePath("acquisition-agent/plans/scoliosis.plan"),
                 {"--speed", "4", "--keep-open"});
  ASSERT_TRUE(Eventually(Duration::Seconds(30), [&] {
    return rig.Remora("reader", {"watch", "OR 1", "--until-head", "--lanes", "5"}).output.size() >
           100;
  }));
  const auto watching = [&](const std::string& name, const Arguments& more) {
    Arguments arguments = {"watch",     "OR 1", "--lanes",  "3,5",
                           "--seconds", "12",   "--output", "ndjson"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const std::string out = rig.Path(name);
    return std::make_unique<Process>("remora", rig.RemoraArguments("reader", arguments), out,
                                     out + ".errors");
  };
  const auto all = watching("all", {});
  const auto thin = watching("thin", {"--budget", "4kB/s"});
  const auto traced = watching("traced", {"--trace", kTrace});
  for (Process* watch : {all.get(), thin.get(), traced.get()}) {
    const absl::StatusOr<int> ended = watch->Wait(Duration::Seconds(40));
    ASSERT_TRUE(ended.ok());
    EXPECT_EQ(*ended, 0);
  }
  EXPECT_LT(thin->Log().size(), all->Log().size() / 2);
  EXPECT_TRUE(absl::StrContains(ReadAll(rig.Path("thin.errors")), "the hub left out"))
      << "what a budget holds back is told";
  EXPECT_FALSE(Lines(traced->Log()).empty());
  for (const std::string& line : Lines(traced->Log())) {
    EXPECT_EQ(Document(line)["body"].value("trace_id", ""), kTrace) << line;
  }
}

}  // namespace
}  // namespace remora::testing
