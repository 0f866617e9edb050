#include "hub/fanout/unreported_bytes.h"

#include "gtest/gtest.h"

namespace remora::hub {
namespace {

DeviceTime At(int64_t ms) { return DeviceTime::FromNanoseconds(ms * 1'000'000); }

TEST(UnreportedBytesTest, AnAnswerSaysThatWhatWentBeforeItsQuestionHasCome) {
  UnreportedBytes bytes(true);
  EXPECT_EQ(bytes.unasked(), 0u);
  bytes.OnSent(900, At(0));
  EXPECT_EQ(bytes.unasked(), 900u);
  const uint32_t first = bytes.Ask();
  EXPECT_EQ(bytes.unasked(), 0u);
  bytes.OnSent(400, At(0));
  const uint32_t second = bytes.Ask();
  EXPECT_EQ(bytes.came(), 0u);
  bytes.OnAnswered(first);
  EXPECT_EQ(bytes.came(), 900u);
  bytes.OnAnswered(first);  // as in each report until the next question
  EXPECT_EQ(bytes.came(), 900u);
  bytes.OnAnswered(second);
  EXPECT_EQ(bytes.came(), 1'300u);
}

TEST(UnreportedBytesTest, OneThatDoesNotAnswerIsGivenUpUntilItDoes) {
  UnreportedBytes bytes(true);
  bytes.OnSent(900, At(0));
  bytes.Ask();
  EXPECT_FALSE(bytes.GiveUp(At(999)));
  EXPECT_TRUE(bytes.GiveUp(At(1'000)));
  EXPECT_TRUE(bytes.all_came());
  EXPECT_FALSE(bytes.counts());
  bytes.OnSent(400, At(1'001));
  EXPECT_EQ(bytes.came(), 900u) << "not counted";
  bytes.OnAnswered(1);
  EXPECT_TRUE(bytes.counts());
  EXPECT_TRUE(bytes.all_came());
  bytes.OnSent(400, At(5'000));
  EXPECT_FALSE(bytes.GiveUp(At(9'000))) << "it has answered";
}

TEST(UnreportedBytesTest, OneThatIsNotAskedIsNotWaitedFor) {
  UnreportedBytes bytes(false);
  bytes.OnSent(900, At(0));
  EXPECT_FALSE(bytes.counts());
  EXPECT_TRUE(bytes.all_came());
}

TEST(UnreportedBytesTest, HostileAnswersToWhatWasNeverAskedSayNothing) {
  UnreportedBytes bytes(true);
  bytes.OnSent(900, At(0));
  bytes.OnAnswered(0);
  bytes.OnAnswered(1);
  EXPECT_EQ(bytes.came(), 0u);
  const uint32_t question = bytes.Ask();
  bytes.OnAnswered(question + 1);
  EXPECT_EQ(bytes.came(), 0u);
}

TEST(UnreportedBytesTest, WhatNobodyAnswersDoesNotGather) {
  UnreportedBytes bytes(true);
  uint32_t last = 0;
  for (int i = 0; i < 10'000; ++i) {
    bytes.OnSent(1, At(0));
    last = bytes.Ask();
  }
  bytes.OnAnswered(last - 1);
  EXPECT_LT(bytes.came(), 1'000u);
  bytes.OnAnswered(last);
  EXPECT_EQ(bytes.came(), 10'000u);
}

}  // namespace
}  // namespace remora::hub
