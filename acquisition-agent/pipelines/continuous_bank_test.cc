#include "acquisition-agent/pipelines/continuous_bank.h"

#include <cmath>
#include <limits>

#include "acquisition-agent/pipelines/testing/one_rate_device.h"
#include "dsp/filter/butterworth.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

constexpr double kRateHz = 4000;
constexpr int64_t kChunk = 400;
constexpr int kChannels = 5;

SourceInfo Device() { return OneRateDevice(kChannels, kRateHz); }

// Three of one filter, two of another.
std::vector<ContinuousStream> Streams() {
  std::vector<ContinuousStream> streams;
  for (int i = 0; i < kChannels; ++i) {
    ContinuousOptions options;
    options.trace_id = "EMG/" + std::to_string(i);
    options.derivation.sample_rate_hz = kRateHz;
    options.derivation.plus = {i};
    options.filter = *dsp::ButterworthBandPass(2, i % 2 == 0 ? 20 : 30, 1500, kRateHz);
    options.sent_rate_hz = 1000;
    options.interference_over_uv = 5000;
    streams.push_back(*ContinuousStream::Create(options, Device()));
  }
  return streams;
}

Chunk ChunkAt(int64_t first, bool starts_segment) {
  Chunk chunk;
  chunk.sample_rate_hz = kRateHz;
  chunk.first_position = first;
  chunk.samples = kChunk;
  chunk.starts_segment = starts_segment;
  chunk.channels.resize(kChannels);
  chunk.marks.resize(kChannels);
  for (int channel = 0; channel < kChannels; ++channel) {
    for (int64_t i = first; i < first + kChunk; ++i) {
      const double t = static_cast<double>(i) / kRateHz;
      chunk.channels[static_cast<size_t>(channel)].push_back(
          700.0 * channel + 30 * std::sin(600 * t * (channel + 1)) + 8 * std::cos(5e6 * t * t));
    }
  }
  chunk.end_ns = chunk.TimeOf(static_cast<double>(first + kChunk));
  return chunk;
}

Stimulus At(int64_t position) {
  Stimulus stimulus;
  stimulus.time_ns = position * 250'000;
  return stimulus;
}

void ExpectTheSame(const std::vector<Piece>& together, const std::vector<Piece>& alone) {
  ASSERT_EQ(together.size(), alone.size());
  for (size_t p = 0; p < alone.size(); ++p) {
    ASSERT_EQ(together[p].uv.size(), alone[p].uv.size());
    for (size_t i = 0; i < alone[p].uv.size(); ++i) {
      if (std::isnan(alone[p].uv[i])) {
        EXPECT_TRUE(std::isnan(together[p].uv[i])) << p << " " << i;
      } else {
        ASSERT_EQ(together[p].uv[i], alone[p].uv[i]) << p << " " << i;
      }
    }
    EXPECT_EQ(together[p].hints, alone[p].hints);
    EXPECT_EQ(together[p].starts_segment, alone[p].starts_segment);
    EXPECT_EQ(together[p].ends_segment, alone[p].ends_segment);
    EXPECT_EQ(together[p].first_sent_index, alone[p].first_sent_index);
    ASSERT_EQ(together[p].blocks.size(), alone[p].blocks.size());
    for (size_t b = 0; b < alone[p].blocks.size(); ++b) {
      EXPECT_EQ(together[p].blocks[b].SerializeAsString(), alone[p].blocks[b].SerializeAsString());
    }
  }
}

// With stimuli, a gap, a burst of 8 mV on one channel and samples that are no numbers on another.
TEST(ContinuousBank, GivesToTheBitWhatEachStreamGivesAlone) {
  std::vector<ContinuousStream> alone = Streams();
  std::vector<ContinuousStream> together = Streams();
  std::vector<ContinuousStream*> pointers;
  for (ContinuousStream& stream : together) pointers.push_back(&stream);
  ContinuousBank bank = *ContinuousBank::Create(pointers);
  for (const int64_t position : {900, 2399, 5200}) {
    for (ContinuousStream& stream : alone) stream.OnStimulus(At(position));
    for (ContinuousStream& stream : together) stream.OnStimulus(At(position));
  }
  std::vector<std::vector<Piece>> expected(kChannels);
  std::vector<std::vector<Piece>> pieces(kChannels);
  std::vector<std::vector<Piece>*> out;
  for (std::vector<Piece>& one : pieces) out.push_back(&one);
  for (int64_t first = 0; first < 8000; first += kChunk) {
    if (first == 4000) continue;
    Chunk chunk = ChunkAt(first, first == 0 || first == 4000 + kChunk);
    if (first == 2800) chunk.channels[2][7] = std::numeric_limits<double>::quiet_NaN();
    if (first == 6000) {
      for (size_t i = 0; i < 40; ++i) chunk.channels[3][100 + i] += i % 20 < 10 ? 8000 : -8000;
    }
    bank.OnChunk(chunk, out);
    for (size_t i = 0; i < kChannels; ++i) alone[i].OnChunk(chunk, &expected[i]);
  }
  bank.OnEnd(out);
  for (size_t i = 0; i < kChannels; ++i) {
    alone[i].OnEnd(&expected[i]);
    ExpectTheSame(pieces[i], expected[i]);
    EXPECT_GT(pieces[i].size(), 19u);
  }
}

TEST(ContinuousBank, AChunkIsOfItsRateGroupAlone) {
  std::vector<ContinuousStream> streams = Streams();
  ContinuousOptions other;
  other.derivation.rate_group = 1;
  other.derivation.sample_rate_hz = kRateHz;
  other.derivation.plus = {kChannels};
  other.filter = *dsp::ButterworthBandPass(2, 20, 1500, kRateHz);
  other.sent_rate_hz = 1000;
  other.interference_over_uv = 5000;
  SourceInfo info = Device();
  info.channels.push_back(info.channels.front());
  info.channels.back().rate_group = 1;
  info.rate_groups.push_back({kRateHz, {kChannels}});
  ContinuousStream slow = *ContinuousStream::Create(other, info);
  ContinuousBank bank = *ContinuousBank::Create({&streams[0], &slow, &streams[2]});
  std::vector<std::vector<Piece>> pieces(3);
  const std::vector<std::vector<Piece>*> out = {&pieces[0], &pieces[1], &pieces[2]};
  bank.OnChunk(ChunkAt(0, true), out);
  EXPECT_EQ(pieces[0].size(), 1u);
  EXPECT_TRUE(pieces[1].empty());
  EXPECT_EQ(pieces[2].size(), 1u);
  Chunk chunk = ChunkAt(0, true);
  chunk.rate_group = 1;
  bank.OnChunk(chunk, out);
  EXPECT_EQ(pieces[0].size(), 1u);
  ASSERT_EQ(pieces[1].size(), 1u);
  EXPECT_EQ(pieces[1][0].uv.size(), pieces[0][0].uv.size());
}

TEST(ContinuousBank, OfNoStreamDoesNothing) {
  ContinuousBank bank = *ContinuousBank::Create({});
  bank.OnChunk(ChunkAt(0, true), {});
  bank.OnEnd({});
}

}  // namespace
}  // namespace remora::agent
