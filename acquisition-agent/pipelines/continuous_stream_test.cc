#include "acquisition-agent/pipelines/continuous_stream.h"

#include "acquisition-agent/pipelines/chunk_assembler.h"
#include "acquisition-agent/pipelines/testing/drifting_device.h"
#include "dsp/filter/butterworth.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

ContinuousOptions Muscle() {
  ContinuousOptions options;
  options.trace_id = "EMG/TA L";
  options.derivation.rate_group = 0;
  options.derivation.sample_rate_hz = 1000;
  options.derivation.plus = {0};
  options.filter = *dsp::ButterworthLowPass(2, 200, 1000);
  options.sent_rate_hz = 500;
  options.interference_over_uv = 5000;
  return options;
}

// Ten minutes; with `gaps`, every tenth block is left out.
std::vector<Piece> PiecesOf(double ppm, bool gaps) {
  const SourceInfo info = DriftingDevice();
  ChunkAssembler assembler(info, 0, {0}, 50);
  ContinuousStream stream = *ContinuousStream::Create(Muscle(), info);
  std::vector<Piece> pieces;
  std::vector<Chunk> chunks;
  for (int64_t i = 0; i < 600 * 1000 / kDriftingBlockSamples; ++i) {
    if (gaps && i % 10 == 9) continue;
    assembler.Push(DriftingBlock(i, ppm), &chunks);
    for (const Chunk& chunk : chunks) stream.OnChunk(chunk, &pieces);
    chunks.clear();
  }
  stream.OnEnd(&pieces);
  return pieces;
}

TEST(ContinuousStream, TellsTheTimeOfASourceWhoseClockDrifts) {
  for (const double ppm : {-50.0, 50.0}) {
    int64_t blocks = 0;
    for (const Piece& piece : PiecesOf(ppm, /*gaps=*/false)) {
      for (const v1::SampleBlock& block : piece.blocks) {
        const double true_ns =
            static_cast<double>(block.first_sample_index()) * 2e6 * (1 + ppm * 1e-6);
        // A hundredth of a sample, and the clock's drift within a chunk.
        ASSERT_NEAR(static_cast<double>(block.started_monotonic_ns()), true_ns, 20'000) << ppm;
        ++blocks;
      }
    }
    EXPECT_GT(blocks, 5000);
  }
}

TEST(ContinuousStream, EachSegmentBeginsAndEndsOnce) {
  int64_t open = 0;
  int64_t segments = 0;
  for (const Piece& piece : PiecesOf(0, /*gaps=*/true)) {
    if (piece.starts_segment) ++open;
    ASSERT_EQ(open, 1);
    if (!piece.ends_segment) continue;
    --open;
    ++segments;
  }
  EXPECT_EQ(open, 0);
  EXPECT_EQ(segments, 600 * 1000 / (10 * kDriftingBlockSamples) + 1);
}

}  // namespace
}  // namespace remora::agent
