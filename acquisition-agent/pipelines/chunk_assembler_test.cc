#include "acquisition-agent/pipelines/chunk_assembler.h"

#include <cmath>

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

}  // namespace
}  // namespace remora::agent
