#include "hub/fanout/unreported_bytes.h"

#include "gtest/gtest.h"

namespace remora::hub {
namespace {

TEST(UnreportedBytesTest, AnAnswerSaysThatWhatWentBeforeItsQuestionHasCome) {
  UnreportedBytes bytes;
  EXPECT_FALSE(bytes.IsQuestionDue());
  bytes.OnSent(900);
  EXPECT_TRUE(bytes.IsQuestionDue());
  const uint32_t first = bytes.Ask();
  EXPECT_FALSE(bytes.IsQuestionDue());
  bytes.OnSent(400);
  const uint32_t second = bytes.Ask();
  EXPECT_EQ(bytes.came(), 0u);
  bytes.OnAnswered(first);
  EXPECT_EQ(bytes.came(), 900u);
  bytes.OnAnswered(first);  // as in each report until the next question
  EXPECT_EQ(bytes.came(), 900u);
  bytes.OnAnswered(second);
  EXPECT_EQ(bytes.came(), 1'300u);
}

TEST(UnreportedBytesTest, OneThatNeverAnswersIsKnown) {
  UnreportedBytes bytes;
  bytes.Ask();
  bytes.OnAnswered(0);
  EXPECT_FALSE(bytes.answers());
  bytes.OnAnswered(2);  // was never asked
  EXPECT_FALSE(bytes.answers());
  bytes.OnAnswered(1);
  EXPECT_TRUE(bytes.answers());
}

TEST(UnreportedBytesTest, WhatNobodyAnswersDoesNotGather) {
  UnreportedBytes bytes;
  uint32_t last = 0;
  for (int i = 0; i < 10'000; ++i) {
    bytes.OnSent(1);
    last = bytes.Ask();
  }
  bytes.OnAnswered(last - 1);
  EXPECT_LT(bytes.came(), 1'000u);
  bytes.OnAnswered(last);
  EXPECT_EQ(bytes.came(), 10'000u);
}

}  // namespace
}  // namespace remora::hub
