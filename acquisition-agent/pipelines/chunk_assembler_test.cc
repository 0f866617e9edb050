#include "acquisition-agent/pipelines/chunk_assembler.h"

#include <cmath>
#include <memory>

#include "acquisition-agent/pipelines/testing/drifting_device.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

// Samples of a clock that drifts by 50 ppm against the time that they are told in.
TEST(ChunkAssembler, FollowsAClockThatDriftsWithoutABreak) {
  for (const double ppm : {-50.0, 50.0}) {
    const SourceInfo info = DriftingDevice();
    ChunkAssembler assembler(info, 0, {0}, 50);
    std::vector<Chunk> chunks;
    for (int64_t i = 0; i < 600 * 1000 / kDriftingBlockSamples; ++i) {
      assembler.Push(DriftingBlock(i, ppm), &chunks);
    }
    ASSERT_GT(chunks.size(), 5000u);
    for (size_t i = 0; i < chunks.size(); ++i) {
      EXPECT_EQ(chunks[i].starts_segment, i == 0) << i;
      const double true_ns = static_cast<double>(chunks[i].first_position) * 1e6 * (1 + ppm * 1e-6);
      // A hundredth of a sample, and the clock's drift within a chunk.
      EXPECT_NEAR(
          static_cast<double>(chunks[i].TimeOf(static_cast<double>(chunks[i].first_position))),
          true_ns, 20'000);
    }
  }
}

TEST(ChunkAssembler, TimeThatIsLeftOutStartsASegment) {
  const SourceInfo info = DriftingDevice();
  ChunkAssembler assembler(info, 0, {0}, 50);
  std::vector<Chunk> chunks;
  SampleBlock block;
  block.sample_rate_hz = 1000;
  block.samples_per_channel = 100;
  block.samples.assign(100, 1);
  for (const int64_t start_ns : {0, 100'000'000, 202'000'000}) {
    block.start_time_ns = start_ns;
    block.end_time_ns = start_ns + 100'000'000;
    assembler.Push(block, &chunks);
  }
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_FALSE(chunks[1].starts_segment);
  EXPECT_TRUE(chunks[2].starts_segment);
}

// Of a live source: by 500 ppm of two oscillators, as much where the estimate is mended, and twice
// that where a device's own times are followed.
TEST(ChunkAssembler, TimesThatAreSlewedAreNoBreakAtAnyRate) {
  for (const double rate_hz : {1'000.0, 20'000.0, 200'000.0}) {
    SourceInfo info = DriftingDevice();
    info.rate_groups[0].sample_rate_hz = rate_hz;
    for (ChannelInfo& channel : info.channels) channel.sample_rate_hz = rate_hz;
    ChunkAssembler assembler(info, 0, {0}, 50);
    std::vector<Chunk> chunks;
    SampleBlock block;
    block.sample_rate_hz = rate_hz;
    block.samples_per_channel = static_cast<int32_t>(rate_hz / 50);
    block.samples.assign(static_cast<size_t>(block.samples_per_channel), 1);
    for (int i = 0; i < 500; ++i) {
      block.start_time_ns = block.end_time_ns;
      // To and fro.
      block.end_time_ns += 20'000'000 + (i / 50 % 2 == 0 ? 40'000 : -40'000);
      const int64_t place = assembler.open() != nullptr ? assembler.open()->samples : 0;
      assembler.Push(block, &chunks);
      if (place == 0) {
        const Chunk& begun = *assembler.open();
        EXPECT_NEAR(static_cast<double>(begun.TimeOf(static_cast<double>(begun.first_position))),
                    static_cast<double>(block.start_time_ns), 1e9 / rate_hz * 0.02 + 1);
      }
    }
    ASSERT_EQ(chunks.size(), 100u) << rate_hz;
    for (size_t i = 0; i < chunks.size(); ++i) EXPECT_EQ(chunks[i].starts_segment, i == 0) << i;
  }
}

// Times hours into a case are rounded on the way to a sample and back: who waits for a time is
// always served by the samples that hold it.
TEST(Chunk, SamplesUntilATimeEndNotBeforeIt) {
  for (const double rate_hz : {44'100.0, 20'000.0, 30'000.0, 24'414.0625}) {
    Chunk chunk;
    chunk.sample_rate_hz = rate_hz;
    for (int64_t hours = 0; hours < 10; ++hours) {
      chunk.first_position = static_cast<int64_t>(rate_hz * 3600 * static_cast<double>(hours));
      chunk.position_zero_ns = 1'234'567'890.0 / 7;
      const int64_t start_ns = chunk.TimeOf(static_cast<double>(chunk.first_position));
      for (int64_t i = 0; i < 20'000; ++i) {
        const int64_t time_ns = start_ns + i * 4'999;
        const int64_t samples = chunk.SamplesUntil(time_ns);
        const double end = static_cast<double>(chunk.first_position + samples);
        ASSERT_GE(chunk.TimeOf(end), time_ns) << rate_hz << " Hz, " << hours << " h";
        ASSERT_LT(chunk.TimeOf(end - 2), time_ns);
      }
    }
  }
}

// Four channels at 1 kHz, in blocks from the start.
class BurstTest : public testing::Test {
 protected:
  BurstTest() : info_(DriftingDevice()) {
    for (int k = 1; k < 4; ++k) {
      info_.channels.push_back(info_.channels[0]);
      info_.rate_groups[0].channels.push_back(k);
    }
    assembler_ = std::make_unique<ChunkAssembler>(info_, 0, std::vector<int>{0, 1, 2, 3}, 50);
  }
  // Noise of this amplitude on all; appends the chunks, not judged.
  void Push(int64_t ms, double uv, std::vector<Chunk>* chunks) {
    SampleBlock block;
    block.sample_rate_hz = 1000;
    block.start_time_ns = at_ms_ * 1'000'000;
    block.end_time_ns = (at_ms_ + ms) * 1'000'000;
    block.samples_per_channel = static_cast<int32_t>(ms);
    for (int k = 0; k < 4; ++k) {
      for (int64_t i = 0; i < ms; ++i) {
        block.samples.push_back(uv * std::sin(static_cast<double>((at_ms_ + i) * (at_ms_ + i))));
      }
    }
    at_ms_ += ms;
    assembler_->Push(block, chunks);
  }
  void Judge(std::vector<Chunk>* chunks) {
    for (Chunk& chunk : *chunks) assembler_->Judge(&chunk);
  }
  static bool IsBurst(const Chunk& chunk) {
    return (chunk.marks[2].marks & kMarkInterference) != 0;
  }

  SourceInfo info_;
  std::unique_ptr<ChunkAssembler> assembler_;
  int64_t at_ms_ = 0;
};

TEST_F(BurstTest, AShortLookIsAsTheChunkBeforeIt) {
  std::vector<Chunk> chunks;
  Push(1000, 10, &chunks);
  Push(100, 3000, &chunks);
  Push(15, 10, &chunks);
  Judge(&chunks);
  ASSERT_EQ(chunks.size(), 11u);
  EXPECT_FALSE(IsBurst(chunks[9]));
  EXPECT_TRUE(IsBurst(chunks[10]));
  ASSERT_NE(assembler_->open(), nullptr);
  EXPECT_TRUE(IsBurst(assembler_->LookAt(*assembler_->open(), 15)));
  // From 20 ms on it speaks for itself; and once whole, a short look at it is the same.
  chunks.clear();
  Push(10, 10, &chunks);
  EXPECT_FALSE(IsBurst(assembler_->LookAt(*assembler_->open(), 25)));
  Push(75, 10, &chunks);
  Judge(&chunks);
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_FALSE(IsBurst(chunks[0]));
  EXPECT_TRUE(IsBurst(assembler_->LookAt(chunks[0], 15)));
  EXPECT_FALSE(IsBurst(assembler_->LookAt(chunks[0], 25)));
}

TEST_F(BurstTest, WhatIsEvokedMayBeToldUntilItIsJudged) {
  std::vector<Chunk> chunks;
  Push(1000, 10, &chunks);
  Push(80, 3000, &chunks);
  Push(520, 10, &chunks);
  assembler_->AddEvoked(999'000'000, 1'080'000'000);
  ASSERT_EQ(chunks.size(), 16u);
  for (Chunk& chunk : chunks) {
    assembler_->Judge(&chunk);
    EXPECT_FALSE(IsBurst(chunk));
    EXPECT_FALSE(IsBurst(assembler_->LookAt(chunk, 90)));
  }
}

// Chunks that are evoked from end to end: the first is as the burst before it, the others are not.
TEST_F(BurstTest, AChunkThatCannotBeJudgedIsAsTheOneBefore) {
  std::vector<Chunk> chunks;
  Push(1000, 10, &chunks);
  Push(400, 3000, &chunks);
  assembler_->AddEvoked(1'099'000'000, 1'400'000'000);
  ASSERT_EQ(chunks.size(), 14u);
  for (size_t i = 0; i < chunks.size(); ++i) {
    assembler_->Judge(&chunks[i]);
    const bool burst = i == 10 || i == 11;
    EXPECT_EQ(IsBurst(chunks[i]), burst) << i;
    EXPECT_EQ(IsBurst(assembler_->LookAt(chunks[i], 100)), burst) << i;
  }
}

TEST_F(BurstTest, NothingIsAsBeforeAGap) {
  for (const int64_t gap_ms : {0, 500}) {
    std::vector<Chunk> chunks;
    Push(1000, 10, &chunks);
    Push(100, 3000, &chunks);
    if (gap_ms > 0) assembler_->Break(&chunks);
    at_ms_ += gap_ms;
    Push(15, 10, &chunks);
    Judge(&chunks);
    ASSERT_EQ(chunks.size(), 11u);
    ASSERT_NE(assembler_->open(), nullptr);
    EXPECT_EQ(IsBurst(assembler_->LookAt(*assembler_->open(), 15)), gap_ms == 0);
    chunks.clear();
    assembler_->Break(&chunks);
    Judge(&chunks);
    ASSERT_EQ(chunks.size(), 1u);
    EXPECT_EQ(IsBurst(chunks[0]), gap_ms == 0);
  }
}

TEST_F(BurstTest, WhatIsLoudBesideItIsABurst) {
  std::vector<Chunk> chunks;
  Push(1000, 10, &chunks);
  Push(100, 3000, &chunks);
  assembler_->AddEvoked(999'000'000, 1'060'000'000);
  Judge(&chunks);
  EXPECT_TRUE(IsBurst(chunks[10]));
}

}  // namespace
}  // namespace remora::agent
