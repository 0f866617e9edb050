#include "common/sample_codec.h"

#include <cmath>
#include <limits>

#include "common/limits.h"
#include "common/random.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

constexpr uint64_t kSeed = 20'260'101;

std::vector<int32_t> Walk(Random& random, size_t size, int64_t step) {
  std::vector<int32_t> counts(size);
  int64_t at = 0;
  for (int32_t& count : counts) {
    at += static_cast<int64_t>(random.Below(static_cast<uint64_t>(2 * step + 1))) - step;
    count = static_cast<int32_t>(at);
  }
  return counts;
}

TEST(SampleCodec, UnpacksWhatItPacked) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  const auto random = MakeSeededRandom(kSeed);
  for (size_t size : {1u, 2u, 127u, 128u, 129u, 255u, 256u, 257u, 1000u, 65'536u}) {
    for (int64_t step : {0, 1, 3, 100, 30'000, 2'000'000'000}) {
      const std::vector<int32_t> counts = Walk(*random, size, step);
      const auto unpacked = UnpackCounts(PackCounts(counts, 0.1));
      ASSERT_TRUE(unpacked.ok()) << unpacked.status();
      EXPECT_EQ(*unpacked, counts) << size << " samples, step " << step;
    }
  }
}

TEST(SampleCodec, KeepsTheExtremesOfInt32) {
  const std::vector<int32_t> counts = {INT32_MIN, INT32_MAX, INT32_MIN, 0, -1, 1, INT32_MAX, 0};
  EXPECT_EQ(UnpackCounts(PackCounts(counts, 1)).value(), counts);
}

TEST(SampleCodec, WritesTheBytesOfTheDocument) {
  // Deltas 1, 1, -3, 0 -> zigzag 2, 2, 5, 0 -> 3 bits each, lowest first: 010 010 101 000.
  const v1::PackedSamples samples = PackCounts(std::vector<int32_t>{1, 2, -1, -1}, 0.5);
  EXPECT_EQ(samples.packed(), std::string("\x03\x52\x01", 3));
  EXPECT_EQ(samples.sample_count(), 4u);
  EXPECT_EQ(samples.uv_per_count(), 0.5);
  EXPECT_EQ(samples.encoding(), v1::SAMPLE_ENCODING_DELTA_PACKED);
}

TEST(SampleCodec, AFlatTraceTakesOneByteAGroup) {
  EXPECT_EQ(PackCounts(std::vector<int32_t>(256, 0), 1).packed(), std::string(2, '\0'));
}

TEST(SampleCodec, PaysForLargeStepsOnlyInTheirGroup) {
  std::vector<int32_t> counts(256, 0);
  counts[200] = INT32_MAX;
  const size_t size = PackCounts(counts, 1).packed().size();
  EXPECT_EQ(size, 1 + 1 + 128u * 32 / 8);
}

TEST(SampleCodec, QuantisesToTheNearestCount) {
  const std::vector<double> uv = {0.04, 0.06, -0.06, 12.34};
  const auto back = UnpackMicrovolts(PackMicrovolts(uv, 0.1));
  ASSERT_TRUE(back.ok());
  for (size_t i = 0; i < uv.size(); ++i) EXPECT_NEAR((*back)[i], uv[i], 0.05 + 1e-12);
}

TEST(SampleCodec, HostileSamplesBecomeTheNearestThatFits) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> uv = {std::nan(""), infinity, -infinity, 1e300};
  const std::vector<int32_t> want = {0, INT32_MAX, INT32_MIN, INT32_MAX};
  EXPECT_EQ(UnpackCounts(PackMicrovolts(uv, 0.1)).value(), want);
}

TEST(SampleCodec, HostileLayoutsAreRefused) {
  const v1::PackedSamples good = PackCounts(std::vector<int32_t>{1, 2, -1, -1}, 0.5);
  const auto refused = [&good](auto change) {
    v1::PackedSamples samples = good;
    change(samples);
    return absl::IsInvalidArgument(UnpackCounts(samples).status());
  };
  EXPECT_FALSE(refused([](v1::PackedSamples&) {}));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_sample_count(0); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_sample_count(3); }) ||
              good.packed().size() == 3);
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_sample_count(6); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_sample_count(kMaxPackedSamples + 1); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_sample_count(UINT32_MAX); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.mutable_packed()->pop_back(); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.mutable_packed()->push_back('x'); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.clear_packed(); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { (*s.mutable_packed())[0] = 33; }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { (*s.mutable_packed())[0] = '\xff'; }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_uv_per_count(0); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_uv_per_count(-1); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.set_uv_per_count(std::nan("")); }));
  EXPECT_TRUE(refused([](v1::PackedSamples& s) { s.clear_encoding(); }));
}

TEST(SampleCodec, HostileBytesNeverReadBeyondTheirEnd) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  const auto random = MakeSeededRandom(kSeed);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    v1::PackedSamples samples;
    samples.set_encoding(v1::SAMPLE_ENCODING_DELTA_PACKED);
    samples.set_uv_per_count(1);
    samples.set_sample_count(static_cast<uint32_t>(random->Below(300)));
    std::string bytes(random->Below(64), '\0');
    random->Fill(std::span(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
    if (!bytes.empty()) bytes[0] = static_cast<char>(random->Below(8));
    samples.set_packed(bytes);
    const auto counts = UnpackCounts(samples);
    if (!counts.ok()) continue;
    ++taken;
    EXPECT_EQ(counts->size(), samples.sample_count());
  }
  EXPECT_GT(taken, 0);  // the test is worth something only if some are well formed
}

}  // namespace
}  // namespace remora
