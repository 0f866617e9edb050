#include "hub/rooms/unrecorded_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hub/rooms/limits.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {
namespace {

RecordFrame Frame(uint64_t number, uint8_t lane, uint32_t kind, size_t bytes = 1000) {
  RecordFrame frame;
  frame.bytes = SharedBytes(std::string(bytes, 'x'));
  frame.origin_seq = number;
  frame.lane = lane;
  frame.kind = kind;
  return frame;
}

std::vector<uint64_t> Numbers(const UnrecordedRing& ring) {
  std::vector<uint64_t> numbers;
  ring.Visit(0, [&numbers](const RecordFrame& frame) {
    numbers.push_back(frame.origin_seq);
    return true;
  });
  return numbers;
}

constexpr uint32_t kAlert = v1::Record::kAlertFieldNumber;
constexpr uint32_t kMessage = v1::Record::kMessageFieldNumber;
constexpr uint32_t kAnnotation = v1::Record::kAnnotationFieldNumber;

TEST(UnrecordedRing, VisitsInTheOrderOfComingAndForgetsWhatIsOnDisk) {
  UnrecordedRing ring;
  EXPECT_EQ(ring.Add(Frame(1, 0, kAlert)), 0u);
  ring.Add(Frame(2, 1, kAnnotation));
  ring.Add(Frame(3, 0, kMessage));
  EXPECT_EQ(Numbers(ring), (std::vector<uint64_t>{1, 2, 3}));
  ring.Remove(Frame(2, 1, kAnnotation));
  EXPECT_EQ(Numbers(ring), (std::vector<uint64_t>{1, 3}));
}

TEST(UnrecordedRing, WhatScreensWriteByThemselvesPushesNothingElseOut) {
  UnrecordedRing ring;
  ring.Add(Frame(1, 1, kAnnotation));
  const uint64_t many = kMaxUnrecordedControlBytes / 1000;
  uint64_t left = 0;
  for (uint64_t i = 0; i < 2 * many; ++i) {
    left += ring.Add(Frame(100 + i, 1, v1::Record::kViewSeenFieldNumber));
  }
  EXPECT_EQ(left, 0u);
  EXPECT_EQ(Numbers(ring)[0], 1u);
  EXPECT_GT(Numbers(ring)[1], 100u);
  EXPECT_LE(Numbers(ring).size(), many);
}

TEST(UnrecordedRing, AlertsStayLongestWhateverElseComes) {
  UnrecordedRing ring;
  ring.Add(Frame(1, 0, kAlert));
  ring.Add(Frame(2, 0, kMessage));
  const uint64_t many = kMaxUnrecordedControlBytes / 1000;
  uint64_t left = 0;
  for (uint64_t i = 0; i < 2 * many; ++i) left += ring.Add(Frame(100 + i, 1, kAnnotation));
  EXPECT_GE(left, many);
  EXPECT_EQ(Numbers(ring)[0], 1u);
  EXPECT_EQ(Numbers(ring)[1], 2u);
  // Events are gone before a message goes, messages before an alert.
  for (uint64_t i = 0; i < 2 * many; ++i) ring.Add(Frame(10'000 + i, 0, kMessage));
  EXPECT_EQ(Numbers(ring)[0], 1u);
  EXPECT_GE(Numbers(ring)[1], 10'000u);
  for (uint64_t i = 0; i < 2 * many; ++i) ring.Add(Frame(20'000 + i, 0, kAlert));
  EXPECT_GT(Numbers(ring)[0], 20'000u);
  EXPECT_LE(Numbers(ring).size(), many);
}

}  // namespace
}  // namespace remora::hub
