#include "common/verify/gap_list.h"

#include <algorithm>
#include <string>

#include "common/wire_reader.h"

namespace remora {
namespace {

// Record.captured_at, without parsing the bulk behind it. The bytes were walked before.
MadeAt MadeAtOfBytes(const StampedRecord& stamped) {
  MadeAt made;
  made.origin = stamped.header.origin;
  made.recorded_unix_ns = stamped.stamp.recorded_at.nanoseconds();
  WireReader reader(stamped.origin_bytes);
  uint32_t field;
  WireType type;
  absl::string_view captured;
  while (!reader.AtEnd() && reader.ReadTag(&field, &type)) {
    if (field != v1::Record::kCapturedAtFieldNumber) {
      if (!reader.Skip(type)) return made;
      continue;
    }
    v1::CapturedAt at;
    if (!reader.ReadBytes(&captured) ||
        !at.ParseFromArray(captured.data(), static_cast<int>(captured.size()))) {
      return made;
    }
    made.captured = true;
    made.boot_id = at.boot_id();
    made.monotonic_ns = at.monotonic_ns();
    return made;
  }
  return made;
}

GapReason ReasonOf(v1::NamedGapCause cause) {
  switch (cause) {
    case v1::NAMED_GAP_CAUSE_DATA_GAP:
      return GapReason::kGivenUp;
    case v1::NAMED_GAP_CAUSE_REFUSED:
      return GapReason::kRefused;
    default:
      return GapReason::kMissing;
  }
}

ListedGap Of(const v1::OriginLaneHead& head, uint64_t first, uint64_t last, GapReason reason) {
  ListedGap listed;
  listed.participant = head.participant();
  listed.origin = OriginId::FromBytes(head.origin());
  listed.lane = head.lane();
  listed.first = first;
  listed.last = last;
  listed.reason = reason;
  return listed;
}

}  // namespace

void GapList::Note(const StampedRecord& stamped, const SeqRanges& held) {
  const uint64_t seq = stamped.header.origin_seq;
  Edges& edges = edges_[{stamped.header.origin, stamped.header.lane}];
  edges.insert_or_assign(seq, MadeAtOfBytes(stamped));
  // It, or a neighbour, may be inside by now.
  for (const uint64_t at : {seq - 1, seq, seq + 1}) {  // numbers begin with 1: around 0 is nothing
    const auto edge = edges.find(at);
    if (edge != edges.end() && held.Contains(at - 1) && held.Contains(at + 1)) edges.erase(edge);
  }
}

void GapList::NoteClock(const OriginId& origin, const v1::ClockEstimate& estimate) {
  clocks_[{origin, estimate.boot_id()}].Put(origin, estimate);
}

int64_t GapList::HubUnixNs(const MadeAt& made) const {
  const auto clock = clocks_.find({made.origin, made.boot_id});
  return made.captured && clock != clocks_.end() ? clock->second.HubUnixNs(made) : 0;
}

void GapList::Date(const OriginLane& where, ListedGap* gap) const {
  const auto lane = edges_.find(where);
  if (lane == edges_.end()) return;
  const Edges& edges = lane->second;
  const auto after = edges.upper_bound(gap->last);
  if (after != edges.end()) gap->to_unix_ns = HubUnixNs(after->second);
  const auto from = edges.lower_bound(gap->first);
  if (from != edges.begin()) gap->from_unix_ns = HubUnixNs(std::prev(from)->second);
}

ListedGap GapList::Listed(const v1::OriginLaneHead& head, const v1::NamedGap& gap,
                          const ToldBooks& told) const {
  ListedGap listed = Of(head, gap.first_origin_seq(), gap.last_origin_seq(), ReasonOf(gap.cause()));
  const OriginLane where{listed.origin, listed.lane};
  Date(where, &listed);
  const ToldBooks::Teller* teller =
      gap.has_data_gap() ? told.TellerOf(FromProto(gap.data_gap())) : nullptr;
  if (teller == nullptr) return listed;
  listed.cause = teller->cause;
  // It dates itself only where it tells of this alone.
  if (teller->to_monotonic_ns > teller->from_monotonic_ns && teller->first == listed.first &&
      teller->last == listed.last) {
    MadeAt at{listed.origin, teller->boot_id, teller->from_monotonic_ns, true,
              teller->recorded_unix_ns};
    listed.from_unix_ns = HubUnixNs(at);
    at.monotonic_ns = teller->to_monotonic_ns;
    listed.to_unix_ns = HubUnixNs(at);
  }
  return listed;
}

std::vector<ListedGap> GapList::List(const v1::Certificate& certificate,
                                     const ToldBooks& told) const {
  std::vector<ListedGap> list;
  for (const v1::OriginLaneHead& head : certificate.heads()) {
    for (const v1::NamedGap& gap : head.gaps()) list.push_back(Listed(head, gap, told));
    for (const v1::OriginSeqRange& range : head.late()) {
      list.push_back(Of(head, range.first_origin_seq(), range.last_origin_seq(), GapReason::kLate));
    }
  }
  // What is lost before what was late; within them by lane, as the certificate has it.
  std::stable_sort(list.begin(), list.end(), [](const ListedGap& a, const ListedGap& b) {
    return (a.reason == GapReason::kLate) < (b.reason == GapReason::kLate);
  });
  return list;
}

}  // namespace remora
