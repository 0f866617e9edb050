#pragma once

// What the parts of journal_conformance_test.h have in common: a journal on a bench of its engine.

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub {

template <typename Bench>
class JournalConformance : public testing::Test {
 protected:
  Journal& journal() { return bench_.journal(); }
  WaitingExecutor& executor() { return bench_.executor(); }

  CaseScript NewCase(uint64_t number) {
    const absl::StatusOr<uint32_t> epoch = journal().CreateCase(CaseIdOf(number));
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    return CaseScript(CaseIdOf(number), epoch.value_or(0), number);
  }
  absl::Status Append(CaseAppend append) {
    return AppendAndWait(journal(), executor(), std::move(append));
  }
  void AppendOk(CaseAppend append) {
    const absl::Status status = Append(std::move(append));
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string ReadOk(const ReadRequest& request) {
    const absl::StatusOr<std::string> frames = ReadWholeRange(journal(), executor(), request);
    EXPECT_TRUE(frames.ok()) << frames.status();
    return frames.value_or("");
  }

  Bench bench_;
};

}  // namespace remora::hub
