#include "tests/simulation/oracle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/chain.h"
#include "remora/v1/record.pb.h"
#include "tests/simulation/event_loop.h"

namespace remora::simulation {
namespace {

std::string Name(const CaseId& case_id) { return case_id.Hex().substr(0, 6); }

std::string Name(const RecordKey& key) {
  return absl::StrCat("record ", key.origin.Hex().substr(0, 6), "/", key.lane, "/", key.origin_seq);
}

uint64_t KeyHash(const RecordKey& key) {
  return Mix(Mix(BytesHash(key.origin.bytes()), key.lane), key.origin_seq);
}

std::string TraceOf(absl::string_view origin_bytes) {
  v1::Record record;
  if (!record.ParseFromArray(origin_bytes.data(), static_cast<int>(origin_bytes.size()))) return "";
  switch (record.body_case()) {
    case v1::Record::kMeasurement:
      return record.measurement().trace_id();
    case v1::Record::kEmgActivity:
      return record.emg_activity().trace_id();
    case v1::Record::kSweep:
      return record.sweep().trace_id();
    case v1::Record::kEnvelope:
      return record.envelope().trace_id();
    case v1::Record::kSampleBlock:
      return record.sample_block().trace_id();
    default:
      return "";
  }
}

}  // namespace

uint64_t BytesHash(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u ^ bytes.size();
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    for (int k = 7; k >= 0; --k) word = word << 8 | static_cast<uint8_t>(bytes[i + k]);
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    hash ^= hash >> 29;
  }
  for (; i < bytes.size(); ++i) hash = (hash ^ static_cast<uint8_t>(bytes[i])) * 0x100000001b3u;
  return hash ^ (hash >> 32);
}

void Oracle::OnWritten(absl::string_view bytes, bool late) {
  const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
  if (!header.ok()) return fail_("an honest participant writes a record that no hub would take");
  const uint64_t hash = BytesHash(bytes);
  honest_.insert(header->origin);
  if (header->lane >= kControlLaneCount) {
    (late ? sent_late_ : sent_live_).insert(header->key());
  } else if (late) {
    fail_(absl::StrCat(Name(header->key()), " of lanes 0-2 is sent as backlog"));
  }
  const auto [it, inserted] = written_.try_emplace(header->key(), hash);
  if (!inserted && it->second != hash) {
    fail_(absl::StrCat(Name(header->key()), " is offered again with other bytes"));
  }
}

void Oracle::OnLie(const OriginId& origin, absl::string_view bytes) {
  lies_[origin].insert(BytesHash(bytes));
}

void Oracle::OnCreated(const CaseId& case_id, uint32_t epoch) { cases_[case_id].epoch = epoch; }

void Oracle::OnPurged(const hub::Tombstone& tombstone) {
  cases_[tombstone.case_id].purged = true;
  if (on_purged_) on_purged_(tombstone);
}

const Oracle::Case* Oracle::Find(const CaseId& case_id) const {
  const auto it = cases_.find(case_id);
  return it == cases_.end() ? nullptr : &it->second;
}

void Oracle::OnCommitted(const hub::CaseAppend& append) {
  ++commits_;
  if (cases_[append.case_id].purged) fail_("an append to a case that was purged");
  std::map<uint64_t, absl::string_view> records;
  for (const hub::Run& run : append.runs) {
    absl::string_view rest = run.frames.view();
    while (!rest.empty()) {
      const absl::StatusOr<absl::string_view> bytes = TakeFrame(&rest);
      const absl::StatusOr<StampedRecord> record =
          bytes.ok() ? WalkStamped(*bytes) : absl::StatusOr<StampedRecord>(bytes.status());
      if (!record.ok()) return fail_("the journal is given a record that cannot be read");
      if (!records.emplace(record->stamp.seq, *bytes).second) {
        return fail_("the journal is given a seq twice");
      }
    }
  }
  for (const auto& [seq, bytes] : records) TakeRecord(append.case_id, seq, bytes);
  CheckOrigins(append.case_id, append);
  const Case& one = cases_[append.case_id];
  if (!append.runs.empty() && append.last_seq != one.head()) {
    fail_(absl::StrCat("case ", Name(append.case_id), ": an append says last_seq ", append.last_seq,
                       ", its records end at ", one.head()));
  }
  if (!append.runs.empty() && append.chain != private_[append.case_id].chain) {
    fail_(absl::StrCat("case ", Name(append.case_id), ": the chain is not that of the records"));
  }
}

void Oracle::TakeRecord(const CaseId& case_id, uint64_t seq, absl::string_view bytes) {
  Case& one = cases_[case_id];
  Private& more = private_[case_id];
  const StampedRecord stamped = *WalkStamped(bytes);
  const RecordKey key = stamped.header.key();
  const std::string name = absl::StrCat("case ", Name(case_id), ", seq ", seq, ", ", Name(key));
  if (seq != one.head() + 1) {
    return fail_(absl::StrCat(name, ": seq is not dense, the journal ends at ", one.head()));
  }
  if (stamped.stamp.epoch != one.epoch || stamped.header.case_id != case_id) {
    fail_(absl::StrCat(name, ": epoch ", stamped.stamp.epoch, ", expected ", one.epoch));
  }
  if (stamped.stamp.unrecorded) fail_(name + ": a record on disk says that it is none");
  if (!more.seqs.try_emplace(key, seq).second) fail_(name + ": it is on record twice");
  const int64_t recorded_unix_ns = stamped.stamp.recorded_at.nanoseconds();
  if (!one.entries.empty() && recorded_unix_ns < one.entries.back().recorded_unix_ns) {
    fail_(name + ": recorded_at went back");
  }
  CheckAuthor(stamped);
  more.chain = ExtendChain(more.chain, bytes);
  more.origins[{key.origin, key.lane}].held.Insert(key.origin_seq);
  one.lane_seqs[key.lane].push_back(seq);
  one.entries.push_back({std::string(bytes), key, stamped.header.kind, recorded_unix_ns,
                         reads_traces_ && key.lane >= 2 ? TraceOf(stamped.origin_bytes) : ""});
  const bool of_hub = !honest_.contains(key.origin) && !lies_.contains(key.origin);
  if (of_hub && stamped.header.kind == v1::Record::kLinkState && on_link_state_) {
    on_link_state_(one.entries.back());
  }
}

void Oracle::CheckAuthor(const StampedRecord& stamped) {
  const RecordKey key = stamped.header.key();
  const uint64_t hash = BytesHash(stamped.origin_bytes);
  if (const auto it = written_.find(key); it != written_.end()) {
    if (it->second != hash) fail_(absl::StrCat(Name(key), " is on record with other bytes"));
    return;
  }
  if (const auto it = lies_.find(key.origin); it != lies_.end()) {
    if (!it->second.contains(hash)) fail_(absl::StrCat(Name(key), " was never sent so"));
    return;
  }
  // Of the hub's own origins the journal does not keep whose they are: nobody else wrote as them.
  if (honest_.contains(key.origin)) {
    fail_(absl::StrCat(Name(key), " is on record, and nobody wrote it"));
  }
}

void Oracle::CheckOrigins(const CaseId& case_id, const hub::CaseAppend& append) {
  Private& more = private_[case_id];
  for (const hub::OriginAdvance& advance : append.origins) {
    Progress& progress = more.origins[{advance.origin, advance.lane}];
    for (const SeqRanges::Range& range : advance.refused) {
      progress.refused.InsertRange(range.first, range.last);
    }
    for (const SeqRanges::Range& range : advance.added) {
      if (!progress.held.Missing(range.first, range.last).empty()) {
        fail_(absl::StrCat("case ", Name(case_id), ": numbers count as held without a record"));
      }
    }
    if (advance.lane >= kControlLaneCount) continue;
    SeqRanges all = progress.held;
    for (const SeqRanges::Range& range : progress.refused.ranges()) {
      all.InsertRange(range.first, range.last);
    }
    if (all.contiguous() < progress.held.largest()) {
      fail_(absl::StrCat("case ", Name(case_id), ", origin ", advance.origin.Hex().substr(0, 6),
                         ": lane ", advance.lane, " has a hole behind ", all.contiguous(),
                         " that was not refused"));
    }
  }
}

void Oracle::CutBack(const CaseId& case_id, uint64_t head) {
  Case& one = cases_[case_id];
  Private& more = private_[case_id];
  for (uint64_t seq = head + 1; seq <= one.head(); ++seq) {
    const Entry& entry = one.entries[seq - 1];
    more.former.insert(BytesHash(entry.bytes));
    more.former_keys.insert(KeyHash(entry.key));
  }
  one.entries.resize(std::min<uint64_t>(head, one.head()));
  one.lane_seqs = {};
  more.seqs.clear();
  // What was refused may stay so: it is never asked for as held.
  for (auto& [lane, progress] : more.origins) progress.held = SeqRanges();
  more.chain = {};
  for (uint64_t seq = 1; seq <= one.head(); ++seq) {
    const Entry& entry = one.entries[seq - 1];
    one.lane_seqs[entry.key.lane].push_back(seq);
    more.seqs[entry.key] = seq;
    more.origins[{entry.key.origin, entry.key.lane}].held.Insert(entry.key.origin_seq);
    more.chain = ExtendChain(more.chain, entry.bytes);
  }
}

void Oracle::OnWentBack(const std::map<CaseId, uint64_t>& heads) {
  ++times_gone_back_;
  for (auto& [case_id, one] : cases_) {
    const auto it = heads.find(case_id);
    if (it == heads.end() && one.purged) continue;  // then, too
    one.purged = false;
    CutBack(case_id, it == heads.end() ? 0 : it->second);
    ++one.epoch;
  }
}

uint64_t Oracle::bytes() const {
  uint64_t bytes = 0;
  for (const auto& [case_id, one] : cases_) {
    for (const Entry& entry : one.entries) bytes += entry.bytes.size();
  }
  return bytes;
}

uint64_t Oracle::SeqOf(const CaseId& case_id, const RecordKey& key) const {
  const auto it = private_.find(case_id);
  if (it == private_.end()) return 0;
  const auto found = it->second.seqs.find(key);
  return found == it->second.seqs.end() ? 0 : found->second;
}

bool Oracle::WasCommitted(const CaseId& case_id, uint64_t seq, absl::string_view stamped) const {
  const Case* one = Find(case_id);
  if (one == nullptr) return false;
  if (seq >= 1 && seq <= one->head() && one->entries[seq - 1].bytes == stamped) return true;
  const auto it = private_.find(case_id);
  return it != private_.end() && it->second.former.contains(BytesHash(stamped));
}

bool Oracle::WasCommitted(const CaseId& case_id, const RecordKey& key) const {
  if (SeqOf(case_id, key) != 0) return true;
  const auto it = private_.find(case_id);
  return it != private_.end() && it->second.former_keys.contains(KeyHash(key));
}

bool Oracle::WasSentLive(const RecordKey& key) const {
  return key.lane < kControlLaneCount || !honest_.contains(key.origin) || sent_live_.contains(key);
}

bool Oracle::WasWritten(const RecordKey& key, absl::string_view bytes) const {
  const uint64_t hash = BytesHash(bytes);
  if (const auto it = written_.find(key); it != written_.end()) return it->second == hash;
  const auto it = lies_.find(key.origin);
  return it == lies_.end() || it->second.contains(hash);
}

}  // namespace remora::simulation
