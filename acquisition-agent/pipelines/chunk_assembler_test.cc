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
  assembler.Push(block, &chunks);
  block.start_time_ns = 102'000'000;
  assembler.Push(block, &chunks);
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_TRUE(chunks[1].starts_segment);
}

}  // namespace
}  // namespace remora::agent
