// All that a source tells, with the order that source.h promises checked on the way. Test-only.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

struct Collected {
  std::vector<SampleBlock> blocks;
  std::vector<StimulusTrigger> triggers;
  std::vector<SourceEvent> events;
  std::vector<Gap> gaps;
  absl::Status status;
};

// Reads to the end, or `most_items`. `slack_ns`: how much later than a gap's end, or than 0, the
// first block after it may begin.
inline Collected Collect(SignalSource* source, int64_t slack_ns = 0,
                         int64_t most_items = 10'000'000) {
  Collected out;
  int64_t due_ns = INT64_MIN;
  std::vector<int64_t> block_end_ns(source->info().rate_groups.size(), 0);
  std::vector<bool> after_gap(block_end_ns.size(), true);
  std::vector<int64_t> delivered(block_end_ns.size(), 0);
  int64_t latest_block_end_ns = 0;
  for (int64_t i = 0; i < most_items; ++i) {
    absl::StatusOr<Item> item = source->Next();
    if (!item.ok()) {
      out.status = item.status();
      return out;
    }
    if (std::holds_alternative<EndOfSource>(*item)) return out;
    EXPECT_GE(DueTimeNs(*item), due_ns);
    due_ns = DueTimeNs(*item);
    if (auto* block = std::get_if<SampleBlock>(&*item)) {
      const int group = block->rate_group;
      EXPECT_GE(block->start_time_ns, block_end_ns[group]);
      EXPECT_LE(block->start_time_ns, block_end_ns[group] + (after_gap[group] ? slack_ns : 0));
      EXPECT_EQ(block->first_sample_index, delivered[group]);
      EXPECT_GT(block->samples_per_channel, 0);
      after_gap[group] = false;
      delivered[group] += block->samples_per_channel;
      block_end_ns[group] = block->end_time_ns;
      latest_block_end_ns = block->end_time_ns;
      out.blocks.push_back(std::move(*block));
    } else if (auto* trigger = std::get_if<StimulusTrigger>(&*item)) {
      EXPECT_TRUE(trigger->time_ns < 0 || trigger->time_ns >= latest_block_end_ns);
      out.triggers.push_back(*trigger);
    } else if (auto* event = std::get_if<SourceEvent>(&*item)) {
      EXPECT_TRUE(event->time_ns < 0 || event->time_ns >= latest_block_end_ns);
      out.events.push_back(*event);
    } else if (auto* gap = std::get_if<Gap>(&*item)) {
      for (int64_t& end : block_end_ns) end = gap->to_ns;
      after_gap.assign(after_gap.size(), true);
      out.gaps.push_back(*gap);
    }
  }
  return out;
}

// The samples of channel `k` of a rate group, all blocks together.
inline std::vector<double> Samples(const Collected& collected, int group, int k) {
  std::vector<double> out;
  for (const SampleBlock& block : collected.blocks) {
    if (block.rate_group != group) continue;
    out.insert(out.end(), block.channel(k).begin(), block.channel(k).end());
  }
  return out;
}

}  // namespace remora::agent
