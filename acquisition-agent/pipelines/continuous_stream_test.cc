#include "acquisition-agent/pipelines/continuous_stream.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "acquisition-agent/pipelines/chunk_assembler.h"
#include "acquisition-agent/pipelines/testing/drifting_device.h"
#include "dsp/emg/burst_train.h"
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

Stimulus At(int64_t time_ms, std::vector<bool> own) {
  Stimulus stimulus;
  stimulus.time_ns = time_ms * 1'000'000;
  stimulus.own = std::move(own);
  return stimulus;
}

// Two seconds; listener 0 is answered for 40 ms, 1 stimulates, 2 is somebody else's. Each is told
// so many blocks ahead of its samples.
std::vector<Piece> PiecesWith(const std::vector<Stimulus>& stimuli, int64_t blocks_ahead) {
  const SourceInfo info = DriftingDevice();
  ChunkAssembler assembler(info, 0, {0}, 50);
  ContinuousOptions options = Muscle();
  options.answers = {{0, 40}};
  options.stimulations = {1};
  ContinuousStream stream = *ContinuousStream::Create(options, info);
  std::vector<Piece> pieces;
  std::vector<Chunk> chunks;
  size_t told = 0;
  for (int64_t i = 0; i * kDriftingBlockSamples < 2000; ++i) {
    const int64_t known_ns = (i + 1 + blocks_ahead) * kDriftingBlockSamples * 1'000'000;
    for (; told < stimuli.size() && stimuli[told].time_ns < known_ns; ++told) {
      stream.OnStimulus(stimuli[told]);
    }
    assembler.Push(DriftingBlock(i, 0), &chunks);
    for (const Chunk& chunk : chunks) stream.OnChunk(chunk, &pieces);
    chunks.clear();
  }
  stream.OnEnd(&pieces);
  return pieces;
}

TEST(ContinuousStream, AMusclesAnswerIsMarkedWhereItIsAndNowhereElse) {
  for (const int64_t ahead : {0, 2, 100}) {
    std::vector<bool> answered(2100);
    bool any_hint = false;
    const std::vector<Stimulus> stimuli = {At(520, {true, false, false}),
                                           At(985, {true, false, false}),
                                           At(1500, {false, false, true})};
    for (const Piece& piece : PiecesWith(stimuli, ahead)) {
      any_hint = any_hint || (piece.hints & dsp::kArtefactStimulus) != 0;
      for (const Piece::Range& range : piece.answers) {
        for (size_t i = range.from; i < range.to; ++i) {
          answered[static_cast<size_t>(piece.first_position) + i] = true;
        }
      }
    }
    EXPECT_FALSE(any_hint);
    EXPECT_FALSE(answered[517]);
    // From where blanking begins: its line leads up to the answer.
    EXPECT_TRUE(answered[518] && answered[520] && answered[559]);
    // The filter forgets it within 100 ms.
    EXPECT_FALSE(answered[662]);
    // Over the end of a chunk.
    EXPECT_TRUE(answered[986] && answered[999] && answered[1000] && answered[1024]);
    EXPECT_EQ(std::count(answered.begin() + 1400, answered.end(), true), 0);
  }
}

TEST(ContinuousStream, AStimulationMarksItsPiecesAndASinglePulseDoesNot) {
  std::vector<Stimulus> stimuli;
  stimuli.push_back(At(250, {false, true, false}));
  for (int i = 0; i < 20; ++i) stimuli.push_back(At(1010 + 20 * i, {false, true, false}));
  Stimulus annotated = At(1730, {false, true, false});
  annotated.lasts_ns = 50'000'000;
  stimuli.push_back(annotated);
  for (const int64_t ahead : {0, 2, 100}) {
    for (const Piece& piece : PiecesWith(stimuli, ahead)) {
      if (piece.uv.empty()) continue;
      const int64_t first = piece.first_position;
      const int64_t end = first + std::ssize(piece.uv);
      const bool stimulated = (first < 1390 && end > 1010) || (first < 1780 && end > 1729);
      EXPECT_EQ(piece.stimulated, stimulated) << first << " " << end;
      EXPECT_EQ(std::count(piece.quality.begin(), piece.quality.end(),
                           v1::QUALITY_FLAG_STIMULUS_ARTEFACT),
                stimulated);
      EXPECT_EQ(piece.hints & dsp::kArtefactStimulus, 0u);
      EXPECT_TRUE(piece.answers.empty());
    }
  }
}

// A stimulus that is told late is answered before one that is known: both are marked. What is held
// back for another stimulus is still to come.
TEST(ContinuousStream, AnAnswerThatIsToldLateIsMarkedAsWell) {
  ContinuousOptions options = Muscle();
  options.answers = {{0, 40}};
  ContinuousStream stream = *ContinuousStream::Create(options, DriftingDevice());
  std::vector<bool> answered(1100);
  for (int64_t at = 0; at < 1000; at += 100) {
    Chunk chunk;
    chunk.sample_rate_hz = 1000;
    chunk.first_position = at;
    chunk.starts_segment = at == 0;
    chunk.samples = 100;
    chunk.end_ns = (at + 100) * 1'000'000;
    chunk.channels = {std::vector<double>(100, 1)};
    chunk.marks.resize(1);
    Stimulus last = At(599, {true});
    last.time_ns += 900'000;
    if (at == 500) {
      stream.OnStimulus(At(598, {false}));
      stream.OnStimulus(last);
    }
    std::vector<Piece> pieces;
    stream.OnChunk(chunk, &pieces);
    if (at == 500) stream.OnStimulus(At(560, {true}));
    for (const Piece& piece : pieces) {
      for (const Piece::Range& range : piece.answers) {
        for (size_t i = range.from; i < range.to; ++i) {
          answered[static_cast<size_t>(piece.first_position) + i] = true;
        }
      }
    }
  }
  for (size_t i = 596; i < 640; ++i) EXPECT_TRUE(answered[i]) << i;
  EXPECT_FALSE(answered[700]);
}

TEST(ContinuousStream, ASinglePulseAtTheVeryBeginningIsNoStimulation) {
  for (const Piece& piece : PiecesWith({At(30, {false, true, false})}, 100)) {
    EXPECT_FALSE(piece.stimulated);
  }
}

// Four seconds of 50 Hz over a little noise, from the third second on.
std::vector<Piece> HumUnderStimuli(double hum_uv, double stimuli_hz, bool answered,
                                   double artefact_uv) {
  ContinuousOptions options = Muscle();
  options.mains_hz = 50;
  if (answered) options.answers = {{0, 40}};
  const SourceInfo info = DriftingDevice();
  ContinuousStream stream = *ContinuousStream::Create(options, info);
  ChunkAssembler assembler(info, 0, {0}, 50);
  std::vector<Piece> pieces;
  std::vector<Chunk> chunks;
  double next_ms = 505;
  for (int64_t i = 0; i * kDriftingBlockSamples < 4000; ++i) {
    SampleBlock block = DriftingBlock(i, 0);
    for (size_t k = 0; k < block.samples.size(); ++k) {
      const double ms = static_cast<double>(i * kDriftingBlockSamples) + static_cast<double>(k);
      block.samples[k] = 4 * std::sin(ms * ms) - 200;
      if (ms >= 2000) block.samples[k] += hum_uv * std::sin(0.1 * std::numbers::pi * ms);
      const double since_ms = std::fmod(ms - 505 + 1000 / stimuli_hz, 1000 / stimuli_hz);
      if (ms < 505) continue;
      if (since_ms < 3) block.samples[k] += artefact_uv;
      if (answered && since_ms > 6 && since_ms < 40) {
        block.samples[k] += 1500 * std::sin(0.1 * std::numbers::pi * (since_ms - 6));
      }
    }
    for (; next_ms < static_cast<double>((i + 1) * kDriftingBlockSamples);
         next_ms += 1000 / stimuli_hz) {
      Stimulus stimulus = At(0, {true});
      stimulus.time_ns = static_cast<int64_t>(next_ms * 1e6);
      stream.OnStimulus(stimulus);
    }
    assembler.Push(block, &chunks);
    for (const Chunk& chunk : chunks) stream.OnChunk(chunk, &pieces);
    chunks.clear();
  }
  return pieces;
}

// Neither what a muscle answers nor a stimulus hides hum, nor is it taken for it.
TEST(ContinuousStream, HumIsJudgedBySamplesThatAreTheMusclesOwn) {
  for (const double stimuli_hz : {2.1, 3.3, 4.7}) {
    for (const bool answered : {true, false}) {
      for (const double hum_uv : {0.0, 60.0}) {
        int marked = 0;
        int all = 0;
        for (const Piece& piece : HumUnderStimuli(hum_uv, stimuli_hz, answered, 3000)) {
          if (piece.first_position < 600 || piece.uv.size() < 50) continue;
          const int64_t end = piece.first_position + std::ssize(piece.uv);
          const bool hums = hum_uv > 0 && end > 2000;
          const bool hinted = (piece.hints & dsp::kArtefactMains) != 0;
          EXPECT_EQ(std::count(piece.quality.begin(), piece.quality.end(), v1::QUALITY_FLAG_MAINS),
                    hinted);
          if (!hums) {
            EXPECT_FALSE(hinted) << piece.first_position << " at " << stimuli_hz;
          }
          // It is half of what is known 200 ms after it began.
          if (!hums || piece.first_position < 2200) continue;
          marked += hinted;
          ++all;
        }
        EXPECT_EQ(marked, all) << stimuli_hz << " " << answered;
      }
    }
  }
}

}  // namespace
}  // namespace remora::agent
