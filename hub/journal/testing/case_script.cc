#include "hub/journal/testing/case_script.h"

#include <algorithm>

#include "common/chain.h"
#include "common/random.h"
#include "common/record_codec.h"

namespace remora::hub {
namespace {

constexpr int64_t kStartUnixNs = 1'767'225'600'000'000'000;
constexpr int64_t kRecordIntervalNs = 1'000'000;
// A body's field number of each lane.
constexpr uint32_t kKindOfLane[kLaneCount] = {16, 49, 64, 80, 96, 112};

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void AppendField(uint32_t field, absl::string_view bytes, std::string* out) {
  AppendVarint(field << 3 | 2, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes.data(), bytes.size());
}

}  // namespace

CaseId CaseIdOf(uint64_t number) {
  std::unique_ptr<Random> random = MakeSeededRandom(number + 1);
  return CaseId::Draw(*random);
}

OriginId CaseScript::OriginOfLane(uint32_t lane) {
  // Two participants: one writes the even lanes, the other the odd ones.
  std::unique_ptr<Random> random = MakeSeededRandom(1000 + lane % 2);
  return OriginId::Draw(*random);
}

std::string CaseScript::MakeRecord(uint32_t lane, uint64_t origin_seq, size_t body_bytes) const {
  std::string record;
  AppendField(1, case_id_.bytes(), &record);
  AppendField(2, OriginOfLane(lane).bytes(), &record);
  AppendVarint(3 << 3, &record);
  AppendVarint(lane, &record);
  AppendVarint(4 << 3, &record);
  AppendVarint(origin_seq, &record);
  std::string body(body_bytes, '\0');
  uint64_t state = seed_ * 0x9e3779b97f4a7c15 + last_seq_;
  for (char& byte : body) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<char>(state >> 56);
  }
  AppendField(kKindOfLane[lane], body, &record);
  return record;
}

CaseAppend CaseScript::Next(const std::vector<uint32_t>& lanes, size_t body_bytes) {
  CaseAppend append;
  append.case_id = case_id_;
  std::string frames[2];
  Run runs[2];
  std::map<uint32_t, SeqRanges> added;
  for (const uint32_t lane : lanes) {
    const uint64_t seq = ++last_seq_;
    const uint64_t origin_seq = ++origin_seq_[lane];
    std::string record = MakeRecord(lane, origin_seq, body_bytes);
    RecordStamp stamp;
    stamp.epoch = epoch_;
    stamp.seq = seq;
    stamp.recorded_at =
        HubTime::FromNanoseconds(kStartUnixNs + static_cast<int64_t>(seq) * kRecordIntervalNs);
    AppendStamp(stamp, &record);
    chain_ = ExtendChain(chain_, record);
    lane_seq_[lane] = seq;
    added[lane].Insert(origin_seq);
    std::string frame;
    AppendFrame(record, &frame);
    const int c = static_cast<int>(ClassOfLane(lane));
    Run& run = runs[c];
    if (run.count++ == 0) run.first_seq = seq;
    run.last_seq = seq;
    frames[c] += frame;
    if (keep_records_) records_.push_back({seq, lane, std::move(frame)});
  }
  for (int c = 0; c < 2; ++c) {
    if (runs[c].count == 0) continue;
    runs[c].record_class = static_cast<RecordClass>(c);
    runs[c].frames = SharedBytes(std::move(frames[c]));
    append.runs.push_back(runs[c]);
  }
  for (const auto& [lane, ranges] : added) {
    append.origins.push_back({OriginOfLane(lane), lane, ranges.ranges(), {}, kParticipant});
  }
  append.last_seq = last_seq_;
  append.chain = chain_;
  append.lane_seq = lane_seq_;
  return append;
}

CaseAppend CaseScript::NextDrawn() {
  std::unique_ptr<Random> random = MakeSeededRandom(seed_ ^ (last_seq_ * 0x9e3779b97f4a7c15));
  std::vector<uint32_t> lanes(1 + random->Below(12));
  for (uint32_t& lane : lanes) lane = static_cast<uint32_t>(random->Below(kLaneCount));
  return Next(lanes, random->Below(600));
}

CaseHead CaseScript::Head() const {
  CaseHead head;
  head.case_id = case_id_;
  head.epoch = epoch_;
  head.last_seq = last_seq_;
  if (last_seq_ > 0) {
    head.last_recorded_unix_ns = kStartUnixNs + static_cast<int64_t>(last_seq_) * kRecordIntervalNs;
  }
  head.chain = chain_;
  head.lane_seq = lane_seq_;
  return head;
}

std::vector<OriginLaneHeld> CaseScript::Origins() const {
  std::vector<OriginLaneHeld> origins;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (origin_seq_[lane] == 0) continue;
    OriginLaneHeld held{OriginOfLane(lane), lane, {}, {}, kParticipant};
    held.held.InsertRange(1, origin_seq_[lane]);
    origins.push_back(std::move(held));
  }
  std::sort(origins.begin(), origins.end(), [](const auto& a, const auto& b) {
    return std::pair(a.origin, a.lane) < std::pair(b.origin, b.lane);
  });
  return origins;
}

std::string CaseScript::Frames(uint64_t first_seq, uint64_t last_seq, bool control,
                               bool bulk) const {
  std::string frames;
  for (const Record& record : records_) {
    const bool asked = ClassOfLane(record.lane) == RecordClass::kControl ? control : bulk;
    if (asked && record.seq >= first_seq && record.seq <= last_seq) frames += record.frame;
  }
  return frames;
}

}  // namespace remora::hub
