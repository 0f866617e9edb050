#include "tests/bench/load/block_maker.h"

#include <cstring>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/record_codec.h"
#include "common/sample_codec.h"
#include "remora/v1/record.pb.h"
#include "tests/bench/load/control_page.h"

namespace remora::bench {
namespace {

constexpr uint64_t kBootId = 0xb007;
// Of the trace that an alert carries: 100 ms, reduced.
constexpr size_t kReducedSamples = 250;
constexpr uint32_t kVarint = 0, kFixed64 = 1, kBytes = 2;

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}
void AppendTag(int field, uint32_t type, std::string* out) {
  AppendVarint(static_cast<uint64_t>(field) << 3 | type, out);
}
void AppendFixed64(uint64_t value, std::string* out) {
  char bytes[8];
  std::memcpy(bytes, &value, sizeof(bytes));  // both little endian here
  out->append(bytes, sizeof(bytes));
}

// A noisy walk, the same each time: packs as EMG does, to about 12 bits a sample.
std::vector<int32_t> Samples(size_t count) {
  std::vector<int32_t> samples(count);
  uint64_t state = 0x9e3779b97f4a7c15;
  int32_t level = 0;
  for (int32_t& sample : samples) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    level = level * 7 / 8 + static_cast<int32_t>(state % 2048) - 1024;
    sample = level;
  }
  return samples;
}

v1::SampleBlock Block(size_t samples) {
  v1::SampleBlock block;
  block.set_trace_id("EMG/L/TA");
  block.set_modality(v1::MODALITY_EMG_FREE_RUNNING);
  block.set_side(v1::SIDE_LEFT);
  block.set_sample_rate_hz(2500);
  *block.mutable_samples() = PackCounts(Samples(samples), 0.05);
  block.mutable_filter()->set_high_pass_hz(20);
  block.mutable_filter()->set_low_pass_hz(1000);
  block.mutable_filter()->set_order(4);
  return block;
}

v1::Record HeaderOnly(int topic, uint32_t lane, uint64_t origin_seq, int64_t now_ns) {
  v1::Record record;
  record.set_case_id(CaseOf(topic).ToString());
  record.set_origin(AgentOriginOf(topic).ToString());
  record.set_lane(lane);
  record.set_origin_seq(origin_seq);
  record.mutable_captured_at()->set_boot_id(kBootId);
  record.mutable_captured_at()->set_monotonic_ns(now_ns);
  return record;
}

std::string Ids(int topic) {
  v1::Record ids;
  ids.set_case_id(CaseOf(topic).ToString());
  ids.set_origin(AgentOriginOf(topic).ToString());
  ids.set_lane(5);
  return ids.SerializeAsString();
}

void AppendRecord(const std::string& ids, const BlockShape& shape, uint64_t origin_seq,
                  int64_t sent_ns, std::string* out) {
  out->append(ids);
  AppendTag(v1::Record::kOriginSeqFieldNumber, kVarint, out);
  AppendVarint(origin_seq, out);
  AppendTag(v1::Record::kCapturedAtFieldNumber, kBytes, out);
  AppendVarint(18, out);
  AppendTag(v1::CapturedAt::kBootIdFieldNumber, kFixed64, out);
  AppendFixed64(kBootId, out);
  AppendTag(v1::CapturedAt::kMonotonicNsFieldNumber, kFixed64, out);
  AppendFixed64(static_cast<uint64_t>(sent_ns), out);

  std::string numbers;  // short enough to need no allocation of its own
  AppendTag(v1::SampleBlock::kFirstSampleIndexFieldNumber, kVarint, &numbers);
  AppendVarint(origin_seq * shape.samples, &numbers);
  AppendTag(v1::SampleBlock::kStartedMonotonicNsFieldNumber, kFixed64, &numbers);
  AppendFixed64(static_cast<uint64_t>(sent_ns), &numbers);
  AppendTag(v1::Record::kSampleBlockFieldNumber, kBytes, out);
  AppendVarint(shape.prefix.size() + numbers.size() + shape.suffix.size(), out);
  out->append(shape.prefix);
  out->append(numbers);
  out->append(shape.suffix);
}

// Reads a varint off the front.
bool TakeVarint(absl::string_view* bytes, uint64_t* value) {
  *value = 0;
  for (size_t i = 0; i < bytes->size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>((*bytes)[i]);
    *value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      bytes->remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace

BlockShape BlockShape::Fit(int size) {
  constexpr uint32_t kStep = 8;
  BlockShape fits;
  for (uint32_t samples = kStep;; samples += kStep) {
    v1::SampleBlock prefix = Block(samples);
    v1::SampleBlock suffix;
    suffix.mutable_samples()->Swap(prefix.mutable_samples());
    suffix.mutable_filter()->Swap(prefix.mutable_filter());
    prefix.clear_samples();
    prefix.clear_filter();
    BlockShape shape{prefix.SerializeAsString(), suffix.SerializeAsString(), samples};
    std::string record;
    AppendRecord(Ids(0), shape, uint64_t{1} << 34, NowNs(), &record);
    if (record.size() > static_cast<size_t>(size)) break;
    fits = std::move(shape);
  }
  REMORA_CHECK(fits.samples > 0, "a record of some samples fits");
  return fits;
}

BlockMaker::BlockMaker(int topic, BlockShape shape)
    : shape_(std::move(shape)), ids_(Ids(topic)) {}

void BlockMaker::AppendFrame(int64_t sent_ns, std::string* frames) {
  // Of a size that two bytes hold: the length is known after the record.
  const size_t start = frames->size();
  frames->append("\x0a\0\0", 3);
  AppendRecord(ids_, shape_, ++last_origin_seq_, sent_ns, frames);
  const size_t length = frames->size() - start - 3;
  REMORA_CHECK(length >= 0x80 && length < 0x4000, "its length takes two bytes");
  (*frames)[start + 1] = static_cast<char>(length | 0x80);
  (*frames)[start + 2] = static_cast<char>(length >> 7);
}

std::string BlockMaker::AlertFrame(int topic, uint64_t origin_seq, int64_t sent_ns) {
  v1::Record record = HeaderOnly(topic, 0, origin_seq, sent_ns);
  v1::Alert* alert = record.mutable_alert();
  alert->set_priority(v1::ALERT_PRIORITY_HIGH);
  alert->set_kind(v1::ALERT_KIND_ABSOLUTE);
  alert->set_alert_class(v1::ALERT_CLASS_PHYSIOLOGICAL);
  alert->set_condition(v1::ALERT_CONDITION_RAISED);
  alert->set_trace_id("SEP_UPPER/R/CPc-Front");
  alert->set_modality(v1::MODALITY_SEP_UPPER);
  alert->set_side(v1::SIDE_RIGHT);
  alert->mutable_criterion()->set_key("SEP.amp_abs");
  alert->mutable_criterion()->set_limits("amplitude -50 %");
  alert->mutable_criterion()->set_source("ACNS 2009");
  alert->set_summary("SEP median right CPc-Front: N20-P25 -64 %, limit -50 %");
  v1::AlertEvidence* evidence = alert->mutable_evidence();
  evidence->set_component("N20-P25");
  evidence->set_amplitude_uv(0.9);
  evidence->set_amplitude_percent_of_baseline(36);
  *evidence->mutable_reduced_trace() = PackCounts(Samples(kReducedSamples), 0.05);
  evidence->set_reduced_sample_interval_ms(0.4);
  std::string frames;
  remora::AppendFrame(record.SerializeAsString(), &frames);
  return frames;
}

std::string BlockMaker::OpeningFrame(int topic, int64_t now_ns) {
  v1::Record record = HeaderOnly(topic, 1, 1, now_ns);
  record.mutable_case_lifecycle()->set_transition(v1::CASE_TRANSITION_OPENED);
  record.mutable_case_lifecycle()->set_theatre(TheatreOf(topic));
  record.mutable_case_lifecycle()->set_procedure("benchmark");
  std::string frames;
  remora::AppendFrame(record.SerializeAsString(), &frames);
  return frames;
}

bool ReadHeader(absl::string_view record, BlockSeen* seen) {
  *seen = BlockSeen{};
  while (!record.empty()) {
    uint64_t tag, value;
    if (!TakeVarint(&record, &tag)) return false;
    if (tag >> 3 > v1::Record::kCapturedAtFieldNumber) return true;
    if (!TakeVarint(&record, &value)) return false;
    if ((tag & 7) == kVarint) {
      if (tag >> 3 == v1::Record::kLaneFieldNumber) seen->lane = static_cast<uint32_t>(value);
      if (tag >> 3 == v1::Record::kOriginSeqFieldNumber) seen->origin_seq = value;
      continue;
    }
    if ((tag & 7) != kBytes || value > record.size()) return false;
    if (tag >> 3 == v1::Record::kCapturedAtFieldNumber && value >= 18) {
      std::memcpy(&seen->captured_ns, record.data() + 10, 8);
    }
    record.remove_prefix(value);
  }
  return true;
}

}  // namespace remora::bench
