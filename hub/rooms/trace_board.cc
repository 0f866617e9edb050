#include "hub/rooms/trace_board.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/wire_reader.h"
#include "hub/rooms/limits.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {

namespace {

// Between the parts of a key's name.
constexpr char kSeparator[] = "\x1f";

// Where a body of lanes 2 and 3 says which part of its trace it is about: the field of a text and
// those of numbers; 0: none. A later record of the same part replaces an earlier one, so neither
// times nor counters of repetitions are among them. What is not listed is one thing a trace.
struct PartFields {
  uint32_t kind;
  uint32_t text;
  std::array<uint32_t, 3> numbers;
};
constexpr std::array<PartFields, 8> kPartFields = {{
    // A twitch of a train, a screw: each has the trace of its muscle.
    {v1::Record::kSweep, v1::Sweep::kSiteFieldNumber, {}},
    {v1::Record::kMeasurement, v1::Measurement::kSiteFieldNumber, {}},
    // A named train stands beside its discharges, and a silence is never ended by a spike.
    {v1::Record::kEmgActivity,
     0,
     {v1::EmgActivity::kKindFieldNumber, v1::EmgActivity::kTrainPatternFieldNumber,
      v1::EmgActivity::kArtefactClassFieldNumber}},
    {v1::Record::kTrainOfFour,
     v1::TrainOfFour::kTraceIdFieldNumber,
     {v1::TrainOfFour::kSideFieldNumber}},
    {v1::Record::kStimulusThreshold,
     v1::StimulusThreshold::kLevelFieldNumber,
     {v1::StimulusThreshold::kModalityFieldNumber, v1::StimulusThreshold::kSideFieldNumber}},
    {v1::Record::kMappingContact,
     0,
     {v1::MappingContact::kContactIndexFieldNumber, v1::MappingContact::kModalityFieldNumber,
      v1::MappingContact::kSideFieldNumber}},
    {v1::Record::kEegActivity,
     v1::EegActivity::kSiteFieldNumber,
     {v1::EegActivity::kKindFieldNumber}},
    {v1::Record::kMappingResult,
     0,
     {v1::MappingResult::kModalityFieldNumber, v1::MappingResult::kMethodFieldNumber,
      v1::MappingResult::kSideFieldNumber}},
}};

const PartFields* PartFieldsOf(uint32_t kind) {
  const auto it = std::find_if(kPartFields.begin(), kPartFields.end(),
                               [kind](const PartFields& fields) { return fields.kind == kind; });
  return it == kPartFields.end() ? nullptr : &*it;
}

// Where a text of this field belongs; null: nowhere.
absl::string_view* TextOf(uint32_t field, bool measurement, const PartFields* parts,
                          BodyPeek* peek) {
  if (field == 1) return &peek->trace_id;
  if (field == v1::Measurement::kComponentFieldNumber && measurement) return &peek->component;
  return parts != nullptr && field == parts->text ? &peek->part : nullptr;
}

uint64_t* NumberOf(uint32_t field, const PartFields* parts, BodyPeek* peek) {
  if (parts == nullptr) return nullptr;
  for (size_t i = 0; i < parts->numbers.size(); ++i) {
    if (field == parts->numbers[i]) return &peek->part_numbers[i];
  }
  return nullptr;
}

}  // namespace

BodyPeek PeekBody(uint32_t kind, absl::string_view body) {
  BodyPeek peek;
  const bool sweep = kind == v1::Record::kSweep;
  const bool measurement = kind == v1::Record::kMeasurement;
  const PartFields* parts = PartFieldsOf(kind);
  WireReader reader(body);
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    if (!reader.ReadTag(&field, &type)) return peek;
    absl::string_view* text = nullptr;
    uint64_t* number = nullptr;
    uint64_t provisional = 0;
    if (type == WireType::kBytes) text = TextOf(field, measurement, parts, &peek);
    if (type == WireType::kVarint) {
      number = sweep && field == v1::Sweep::kProvisionalFieldNumber ? &provisional
                                                                    : NumberOf(field, parts, &peek);
    }
    if (text != nullptr) {
      if (!reader.ReadBytes(text)) return peek;
      // The others have no more to tell.
      if (!sweep && parts == nullptr) return peek;
    } else if (number != nullptr) {
      if (!reader.ReadVarint(number)) return peek;
      peek.provisional = peek.provisional || provisional != 0;
    } else if (!reader.Skip(type)) {
      return peek;
    }
  }
  return peek;
}

const TraceKey* TraceBoard::Find(const KindAndName& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

const TraceKey* TraceBoard::Add(KindAndName name, absl::string_view trace_id) {
  keys_.push_back({static_cast<uint32_t>(keys_.size()), std::string(trace_id)});
  by_name_.emplace(std::move(name), &keys_.back());
  return &keys_.back();
}

const TraceKey* TraceBoard::Name(uint32_t kind, const BodyPeek& peek) {
  const std::string name = absl::StrCat(peek.trace_id, kSeparator, peek.component);
  const bool apart = peek.has_part() && peek.part.size() <= kMaxNameBytes;
  KindAndName part{kind, ""};
  if (apart) {
    part.second = absl::StrCat(name, kSeparator, peek.part, kSeparator, peek.part_numbers[0]);
    absl::StrAppend(&part.second, "/", peek.part_numbers[1], "/", peek.part_numbers[2]);
    if (const TraceKey* known = Find(part)) return known;
  }
  KindAndName whole{kind, name};
  const TraceKey* trace = Find(whole);
  if (trace == nullptr) {
    if (keys_.size() - parts_ >= kMaxTraces || peek.trace_id.size() > kMaxNameBytes ||
        peek.component.size() > kMaxNameBytes) {
      return nullptr;
    }
    trace = Add(std::move(whole), peek.trace_id);
  }
  if (!apart || parts_ >= kMaxTraceParts) return trace;
  ++parts_;
  return Add(std::move(part), peek.trace_id);
}

void TraceBoard::Keep(const RecordFrame& frame) {
  if (frame.trace == nullptr || frame.lane < 3 || frame.lane > 4) return;
  // One a trace: of a train its last twitch, of a muscle its last screw.
  const TraceKey* whole = frame.kind == v1::Record::kSweep
                              ? Find({frame.kind, absl::StrCat(frame.trace->trace_id, kSeparator)})
                              : nullptr;
  const uint32_t trace = (whole != nullptr ? whole : frame.trace)->index;
  auto [it, inserted] = newest_.try_emplace({trace, frame.provisional}, frame);
  if (!inserted && frame.IsNewerThan(it->second)) it->second = frame;
  if (frame.lane == 3 && !frame.provisional) {
    // A finished sweep ends the growing one that came before it.
    auto growing = newest_.find({trace, true});
    if (growing != newest_.end() && frame.IsNewerThan(growing->second)) newest_.erase(growing);
  }
}

std::vector<uint64_t> TraceBoard::NewestSeqs() const {
  std::vector<uint64_t> seqs;
  for (const auto& [key, frame] : newest_) {
    if (!frame.provisional) seqs.push_back(frame.seq);
  }
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

int64_t TraceBoard::LastEnvelopeUnixNs() const {
  int64_t last = 0;
  for (const auto& [key, frame] : newest_) {
    // One that waited at its sender is no sign of now.
    if (frame.kind == v1::Record::kEnvelope && !frame.late)
      last = std::max(last, frame.recorded_unix_ns);
  }
  return last;
}

std::vector<RecordFrame> TraceBoard::Newest(size_t max_bytes) const {
  std::vector<RecordFrame> frames;
  frames.reserve(newest_.size());
  for (const auto& [key, frame] : newest_) frames.push_back(frame);
  const auto rank = [](const RecordFrame& f) { return f.provisional ? 2 : f.lane == 3 ? 0 : 1; };
  std::sort(frames.begin(), frames.end(), [&rank](const RecordFrame& a, const RecordFrame& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.seq > b.seq;
  });
  size_t bytes = 0;
  size_t count = 0;
  while (count < frames.size() && bytes + frames[count].bytes.size() <= max_bytes) {
    bytes += frames[count++].bytes.size();
  }
  frames.resize(count);
  std::sort(frames.begin(), frames.end(),
            [](const RecordFrame& a, const RecordFrame& b) { return a.seq < b.seq; });
  return frames;
}

}  // namespace remora::hub
