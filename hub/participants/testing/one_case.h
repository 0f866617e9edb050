#pragma once

// A hub with one case, which agent-1 has opened in OR 1: what fixtures of the core begin with.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hub/participants/testing/core_harness.h"

namespace remora::hub {

class OneCaseTest : public ::testing::Test {
 protected:
  OneCaseTest()
      : case_id_(hub_.DrawCase()),
        origin_(hub_.DrawOrigin()),
        writer_(case_id_, origin_),
        agent_(OpenCase(hub_, case_id_, &writer_, origin_)) {}

  // Of the journal, of this kind.
  std::vector<v1::Record> OnRecord(v1::Record::BodyCase kind) {
    std::vector<v1::Record> found;
    for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (record.body_case() == kind) found.push_back(record);
    }
    return found;
  }

  HubHarness hub_;
  CaseId case_id_;
  OriginId origin_;
  RecordWriter writer_;
  std::unique_ptr<TestParticipant> agent_;
};

}  // namespace remora::hub
