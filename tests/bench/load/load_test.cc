#include <gtest/gtest.h>

#include "common/link/limits.h"
#include "common/record_codec.h"
#include "common/sample_codec.h"
#include "tests/bench/load/block_maker.h"
#include "tests/bench/load/frame_joiner.h"
#include "tests/bench/load/latency_histogram.h"
#include "tests/bench/load/message_pieces.h"

namespace remora::bench {
namespace {

absl::string_view OnlyRecordOf(const std::string& frames) {
  absl::string_view rest = frames;
  const auto record = TakeFrame(&rest);
  EXPECT_TRUE(record.ok() && rest.empty()) << record.status();
  return record.ok() ? *record : "";
}

TEST(FrameJoiner, FindsTheSameRecordsHoweverTheyAreCut) {
  const std::vector<std::string> records = {"a", std::string(300, 'b'), "", std::string(20, 'c')};
  std::string batch;
  for (const std::string& record : records) AppendFrame(record, &batch);
  for (size_t first = 0; first <= batch.size(); ++first) {
    for (const size_t step : {size_t{1}, size_t{7}, batch.size()}) {
      FrameJoiner frames;
      std::vector<std::string> found;
      const auto keep = [&](absl::string_view record) { found.emplace_back(record); };
      frames.Take(absl::string_view(batch).substr(0, first), keep);
      for (size_t at = first; at < batch.size(); at += step) {
        frames.Take(absl::string_view(batch).substr(at, step), keep);
      }
      ASSERT_EQ(found, records) << first << " " << step;
      ASSERT_TRUE(frames.done());
    }
  }
}

TEST(FrameJoiner, SaysWhatIsLeftOver) {
  std::string batch;
  AppendFrame("abc", &batch);
  FrameJoiner frames;
  frames.Take(absl::string_view(batch).substr(0, 4), [](absl::string_view) {});
  EXPECT_FALSE(frames.done());
}

// Two batches of blocks with a welcome between them, as gRPC frames them.
std::string MessagesOfAFollow() {
  BlockMaker maker(0, BlockShape::Fit(512));
  std::string first, second;
  for (int64_t i = 0; i < 3; ++i) maker.AppendFrame(1'000 + i, &first);
  maker.AppendFrame(1'003, &second);
  v1::Down welcome;
  welcome.mutable_welcome()->set_version(kMaximumVersion);
  std::string all;
  for (const std::string& message : {first, welcome.SerializeAsString(), second}) {
    all += MessagePieces::PrefixOf(message.size()) + message;
  }
  return all;
}

TEST(MessagePieces, AFollowerCountsTheSameHoweverMessagesAreCut) {
  const std::string bytes = MessagesOfAFollow();
  const LoadOptions options;
  for (const size_t step : {size_t{1}, size_t{5}, size_t{100}, size_t{700}, bytes.size()}) {
    ControlPage page;
    Tally tally;
    Follower follower(options, 0, &page, &tally);
    MessagePieces messages(&follower, &tally);
    for (size_t at = 0; at < bytes.size(); at += step) {
      messages.Take(absl::string_view(bytes).substr(at, step));
    }
    EXPECT_EQ(tally.batches, 2u) << step;
    EXPECT_EQ(tally.welcomed, 1) << step;
    EXPECT_EQ(tally.holes + tally.duplicates + tally.unreadable + tally.others, 0u) << step;
    EXPECT_EQ(page.followers_ready, 1u) << step;
  }
}

TEST(MessagePieces, ABatchThatEndsWithinARecordIsCounted) {
  std::string batch;
  AppendFrame("a record", &batch);
  batch.pop_back();
  const LoadOptions options;
  ControlPage page;
  Tally tally;
  Follower follower(options, 0, &page, &tally);
  MessagePieces messages(&follower, &tally);
  messages.Take(MessagePieces::PrefixOf(batch.size()) + batch);
  EXPECT_EQ(tally.unreadable, 1u);
}

TEST(BlockMaker, MakesRecordsThatAHubTakes) {
  for (const int size : {512, 4096}) {
    const BlockShape shape = BlockShape::Fit(size);
    BlockMaker maker(3, shape);
    for (uint64_t number = 1; number <= 300; ++number) {
      std::string frames;
      maker.AppendFrame(1'000 + static_cast<int64_t>(number), &frames);
      const absl::string_view bytes = OnlyRecordOf(frames);
      // As large as a hub takes, or nearly.
      EXPECT_LE(bytes.size(), size);
      EXPECT_GT(bytes.size(), size - 40);
      const auto header = WalkRecord(bytes);
      ASSERT_TRUE(header.ok()) << header.status();
      EXPECT_EQ(header->case_id, CaseOf(3));
      EXPECT_EQ(header->key(), (RecordKey{AgentOriginOf(3), 5, number}));
      v1::Record record;
      EXPECT_TRUE(ValidateBody(*header, bytes, &record).ok());
      ASSERT_TRUE(record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      EXPECT_TRUE(UnpackCounts(record.sample_block().samples()).ok());
      BlockSeen seen;
      ASSERT_TRUE(ReadHeader(bytes, &seen));
      EXPECT_EQ(seen.lane, 5u);
      EXPECT_EQ(seen.origin_seq, number);
      EXPECT_EQ(seen.captured_ns, 1'000 + static_cast<int64_t>(number));
    }
  }
}

TEST(BlockMaker, RaisesAlertsThatAHubTakes) {
  const std::string frames = BlockMaker::AlertFrame(0, 7, 5);
  const absl::string_view bytes = OnlyRecordOf(frames);
  const auto header = WalkRecord(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->key(), (RecordKey{AgentOriginOf(0), 0, 7}));
  v1::Record record;
  const absl::Status valid = ValidateBody(*header, bytes, &record);
  EXPECT_TRUE(valid.ok()) << valid;
}

TEST(BlockMaker, OpensTheCase) {
  const std::string frames = BlockMaker::OpeningFrame(0, 5);
  const absl::string_view bytes = OnlyRecordOf(frames);
  const auto header = WalkRecord(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  v1::Record record;
  EXPECT_TRUE(ValidateBody(*header, bytes, &record).ok());
  BlockSeen seen;
  ASSERT_TRUE(ReadHeader(bytes, &seen));
  EXPECT_EQ(seen.lane, 1u);
}

TEST(ReadHeader, HostileBytesAreNoHeader) {
  const BlockShape shape = BlockShape::Fit(512);
  BlockMaker maker(0, shape);
  std::string frames;
  maker.AppendFrame(1, &frames);
  const absl::string_view bytes = OnlyRecordOf(frames);
  BlockSeen seen;
  for (size_t length = 0; length < 60; ++length) {
    ReadHeader(bytes.substr(0, length), &seen);  // within its bounds
  }
  EXPECT_FALSE(ReadHeader(bytes.substr(0, 10), &seen));
  EXPECT_FALSE(ReadHeader(std::string(20, '\xff'), &seen));
}

TEST(LatencyHistogram, QuantilesAreWithinTwoPercent) {
  LatencyHistogram latencies;
  EXPECT_EQ(latencies.Quantile(0.5), 0);
  for (int64_t us = 1; us <= 10'000; ++us) latencies.Add(us * 1'000);
  EXPECT_EQ(latencies.count(), 10'000u);
  EXPECT_NEAR(latencies.Quantile(0.5), 5'000, 100);
  EXPECT_NEAR(latencies.Quantile(0.99), 9'900, 200);
  EXPECT_NEAR(latencies.Quantile(1), 10'000, 200);
  latencies.Add(-5);  // clocks that do not agree
  EXPECT_NEAR(latencies.Quantile(0), 0, 1);
}

}  // namespace
}  // namespace remora::bench
