#include "acquisition-agent/spool/case_spool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr char kFormatVersion = 1;
constexpr const char* kLogNames[] = {"control", "sweep", "envelope", "block"};

std::string HeaderOf(const SpoolOptions& options, int log) {
  return absl::StrCat(std::string(1, kFormatVersion), options.case_id.bytes(),
                      options.origin.bytes(), std::string(1, static_cast<char>(log)));
}

// What the hub may be believed: it was not sent what is behind.
SeqRanges UpTo(uint64_t last, const SeqRanges& numbers) {
  SeqRanges ours;
  ours.InsertRange(1, last);
  return ours.Without(ours.Without(numbers));
}

}  // namespace

CaseSpool::CaseSpool(FileSystem& files, SpoolOptions options)
    : files_(files), options_(std::move(options)) {
  for (int log = 0; log < kLogs; ++log) {
    logs_[log] = std::make_unique<SegmentLog>(files_, options_.directory, kLogNames[log],
                                              HeaderOf(options_, log));
  }
}

CaseSpool::Log CaseSpool::LogOf(uint32_t lane) {
  if (lane < kControlLaneCount) return kControl;
  return static_cast<Log>(lane - kControlLaneCount + 1);
}

absl::StatusOr<std::unique_ptr<CaseSpool>> CaseSpool::Open(FileSystem& files, SpoolOptions options,
                                                           RecoveryReport* report) {
  if (!files.Exists(options.directory)) {
    RETURN_IF_ERROR(files.CreateDirectory(options.directory));
  }
  auto spool = std::unique_ptr<CaseSpool>(new CaseSpool(files, std::move(options)));
  RETURN_IF_ERROR(spool->Recover(&spool->recovery_));
  *report = spool->recovery_;
  return spool;
}

absl::Status CaseSpool::Recover(RecoveryReport* report) {
  *report = RecoveryReport();
  for (int log = 0; log < kLogs; ++log) {
    RETURN_IF_ERROR(logs_[log]->Open(
        [this, log](const Entry& entry, const EntryPlace& place) {
          Take(static_cast<Log>(log), entry, place);
        },
        &report->damage));
    report->found = report->found || logs_[log]->segments() > 0;
  }
  if (report->found) RETURN_IF_ERROR(files_.SyncDirectory(options_.directory));
  for (const Log log : {kSweeps, kEnvelopes, kBlocks}) TakeShedOf(log);
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    Lane& state = lanes_[lane];
    // What is shed counts as given out, even when its last file was the last of the lane.
    state.last = std::max(state.last, state.given_up.largest());
    state.places.resize(state.last);
    state.committed = state.last;
    uint64_t first_missing = 0;
    for (uint64_t seq = 1; seq <= state.last + 1; ++seq) {
      const bool missing =
          seq <= state.last && !state.places[seq - 1].exists() && !state.given_up.Contains(seq);
      if (missing && first_missing == 0) first_missing = seq;
      if (!missing && first_missing != 0) {
        report->missing.push_back(ShedRange{lane, first_missing, seq - 1});
        first_missing = 0;
      }
    }
  }
  return absl::OkStatus();
}

void CaseSpool::Take(Log log, const Entry& entry, const EntryPlace& place) {
  switch (entry.type) {
    case EntryType::kRecord:
      if (entry.lane < kLaneCount && LogOf(entry.lane) == log && entry.number > 0) {
        TakeRecord(entry, place);
      }
      break;
    case EntryType::kInput:
      TakeInput(entry);
      break;
    case EntryType::kHeld:
    case EntryType::kShed: {
      if (entry.lane >= kLaneCount) break;
      Lane& lane = lanes_[entry.lane];
      SeqRanges ranges;
      absl::string_view rest = entry.payload;
      uint64_t first = 0;
      uint64_t last = 0;
      while (TakeNumber(&rest, &first) && TakeNumber(&rest, &last)) {
        ranges.InsertRange(first, last);
      }
      if (entry.type == EntryType::kHeld) {
        lane.answers.AddHeld(ranges);
        lane.held_written = lane.answers.held().count();
        break;
      }
      for (const SeqRanges::Range& range : ranges.ranges()) {
        lane.given_up.InsertRange(range.first, range.last);
      }
      break;
    }
    case EntryType::kInfo:
      if (absl::StatusOr<CaseInfo> info = DecodeCaseInfo(entry.payload); info.ok()) {
        info_ = *std::move(info);
        has_info_ = true;
      }
      break;
    case EntryType::kClosed:
      closed_ = true;
      break;
    case EntryType::kSegmentHeader:
      break;
  }
}

void CaseSpool::TakeInput(const Entry& entry) {
  // Positions ascend; where they go back, a group that was written again begins.
  for (auto known = inputs_.rbegin(); known != inputs_.rend(); ++known) {
    if (known->position < entry.number) break;
    if (known->position == entry.number && known->bytes == entry.payload) return;
  }
  SpooledInput& input = inputs_.emplace_back();
  input.position = entry.number;
  input.bytes = std::string(entry.payload);
  for (uint32_t lane = 0; lane < kControlLaneCount; ++lane) input.after[lane] = lanes_[lane].last;
}

void CaseSpool::TakeRecord(const Entry& entry, const EntryPlace& place) {
  // A damaged number cannot get here (checksum); an absurd one would be a fault of our own.
  constexpr uint64_t kLargestHole = 100'000'000;
  Lane& lane = lanes_[entry.lane];
  if (entry.number > lane.last + kLargestHole) return;
  if (entry.number > lane.places.size()) lane.places.resize(entry.number);
  EntryPlace& known = lane.places[entry.number - 1];
  if (!known.exists()) known = place;  // a duplicate stems from a group that was written again
  lane.last = std::max(lane.last, entry.number);
  NoteOrdinal(entry.lane, entry.ordinal, entry.number);
}

void CaseSpool::NoteOrdinal(uint32_t lane, uint32_t ordinal, uint64_t seq) {
  if (lane > 1 || ordinal == 0) return;
  std::vector<uint64_t>& by_ordinal = lanes_[lane].by_ordinal;
  if (ordinal > by_ordinal.size()) by_ordinal.resize(ordinal);
  by_ordinal[ordinal - 1] = seq;
}

uint64_t CaseSpool::SeqOfOrdinal(uint32_t lane, uint32_t ordinal) const {
  const Lane& state = lanes_[lane];
  if (lane > 1) return ordinal <= state.last ? ordinal : 0;
  return ordinal >= 1 && ordinal <= state.by_ordinal.size() ? state.by_ordinal[ordinal - 1] : 0;
}

uint32_t CaseSpool::last_ordinal(uint32_t lane) const {
  return lane > 1 ? static_cast<uint32_t>(lanes_[lane].last)
                  : static_cast<uint32_t>(lanes_[lane].by_ordinal.size());
}

absl::Status CaseSpool::Enqueue(Log log, Waiting waiting) {
  if (uncommitted_bytes_ + waiting.entry.size() > kMaxUncommittedBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.directory, ": the disk has taken nothing for so long that ",
                     kMaxUncommittedBytes >> 20, " MiB of records wait; free some space"));
  }
  uncommitted_bytes_ += waiting.entry.size();
  waiting_[log].push_back(std::move(waiting));
  return absl::OkStatus();
}

absl::Status CaseSpool::AppendRecord(uint32_t lane, uint64_t origin_seq, uint32_t ordinal,
                                     absl::string_view record_bytes) {
  REMORA_CHECK(lane < kLaneCount, "a lane of the contract");
  Lane& state = lanes_[lane];
  if (origin_seq == 0 || origin_seq > state.last + 1) {
    return absl::InvalidArgumentError(absl::StrCat("lane ", lane, ": number ", origin_seq,
                                                   " after ", state.last, " leaves a hole"));
  }
  if (record_bytes.size() > kMaxEntryPayloadBytes) {
    // Written, it would never be read again.
    return absl::InvalidArgumentError(absl::StrCat("lane ", lane, ": number ", origin_seq, " has ",
                                                   record_bytes.size(), " bytes, at most ",
                                                   kMaxEntryPayloadBytes, " are taken"));
  }
  if (origin_seq <= state.committed && state.places[origin_seq - 1].exists()) {
    return absl::AlreadyExistsError(absl::StrCat("lane ", lane, ": number ", origin_seq));
  }
  const Log log = LogOf(lane);
  if (short_of_space_ && log != kControl) {
    // There is nothing older left to shed for it: the new record is what goes. The note of it comes
    // with the next commit, and the number is used up.
    if (origin_seq > state.last) state.last = origin_seq;
    state.places.resize(state.last);
    NoteCaptured(lane, origin_seq, record_bytes);
    ReportShed(lane, origin_seq, origin_seq);
    return absl::OkStatus();
  }
  Waiting waiting{std::string(), EntryType::kRecord, lane, origin_seq, ordinal};
  AppendEntry({.type = EntryType::kRecord,
               .lane = static_cast<uint8_t>(lane),
               .number = origin_seq,
               .ordinal = ordinal,
               .payload = record_bytes},
              &waiting.entry);
  const size_t entry_bytes = waiting.entry.size();
  RETURN_IF_ERROR(Enqueue(log, std::move(waiting)));
  written_bytes_[lane] += entry_bytes;
  state.last = std::max(state.last, origin_seq);
  NoteOrdinal(lane, ordinal, origin_seq);
  uncommitted_alert_ = uncommitted_alert_ || lane == 0;
  return absl::OkStatus();
}

absl::Status CaseSpool::AppendInput(uint64_t position, absl::string_view stamped_record_bytes) {
  Waiting waiting{std::string(), EntryType::kInput, 0, 0, 0};
  AppendEntry({.type = EntryType::kInput, .number = position, .payload = stamped_record_bytes},
              &waiting.entry);
  return Enqueue(kControl, std::move(waiting));
}

absl::Status CaseSpool::SetInfo(const CaseInfo& info) {
  const std::string payload = EncodeCaseInfo(info);
  Waiting waiting{std::string(), EntryType::kInfo, 0, 0, 0};
  AppendEntry({.type = EntryType::kInfo, .payload = payload}, &waiting.entry);
  RETURN_IF_ERROR(Enqueue(kControl, std::move(waiting)));
  info_ = info;
  has_info_ = true;
  return absl::OkStatus();
}

absl::Status CaseSpool::Close() {
  Waiting waiting{std::string(), EntryType::kClosed, 0, 0, 0};
  AppendEntry({.type = EntryType::kClosed, .payload = ""}, &waiting.entry);
  RETURN_IF_ERROR(Enqueue(kControl, std::move(waiting)));
  closed_ = true;
  return absl::OkStatus();
}

void CaseSpool::EnqueueRanges(EntryType type, uint32_t lane, const SeqRanges& ranges) {
  // Ranges beyond an entry's size are the newest: losing them asks the hub again, no more.
  constexpr size_t kMaxRanges = kMaxEntryPayloadBytes / 16;
  std::string payload;
  for (const SeqRanges::Range& range : ranges.ranges()) {
    if (payload.size() / 16 >= kMaxRanges) break;
    PutNumber(range.first, &payload);
    PutNumber(range.last, &payload);
  }
  Waiting waiting{std::string(), type, lane, 0, 0};
  AppendEntry({.type = type, .lane = static_cast<uint8_t>(lane), .payload = payload},
              &waiting.entry);
  Enqueue(kControl, std::move(waiting)).IgnoreError();  // full: said by the next record
}

void CaseSpool::WriteHeldNotes() {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    Lane& state = lanes_[lane];
    const uint64_t held = state.answers.held().count();
    if (held >= state.held_written + kHeldNoteRecords || (closed_ && held > state.held_written)) {
      state.held_written = held;
      EnqueueRanges(EntryType::kHeld, lane, state.answers.held());
    }
  }
}

absl::Status CaseSpool::CommitLog(Log log) {
  std::vector<Waiting>& waiting = waiting_[log];
  if (waiting.empty()) return absl::OkStatus();
  std::vector<std::string> entries;
  entries.reserve(waiting.size());
  size_t bytes = 0;
  for (Waiting& one : waiting) {
    bytes += one.entry.size();
    entries.push_back(std::move(one.entry));
  }
  std::vector<EntryPlace> places;
  const absl::Status status = logs_[log]->Write(entries, &places);
  if (!status.ok()) {
    for (size_t i = 0; i < waiting.size(); ++i) waiting[i].entry = std::move(entries[i]);
    return status;
  }
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i].type != EntryType::kRecord) continue;
    Lane& lane = lanes_[waiting[i].lane];
    if (waiting[i].seq > lane.places.size()) lane.places.resize(waiting[i].seq);
    lane.places[waiting[i].seq - 1] = places[i];
    lane.committed = std::max(lane.committed, waiting[i].seq);
  }
  waiting.clear();
  uncommitted_bytes_ -= bytes;
  bytes_until_space_check_ -= std::min<uint64_t>(bytes_until_space_check_, bytes);
  return absl::OkStatus();
}

absl::Status CaseSpool::Commit() {
  WriteHeldNotes();
  if (uncommitted_bytes_ == 0) return absl::OkStatus();
  if (bytes_until_space_check_ == 0) {
    bytes_until_space_check_ = kSpaceCheckBytes;
    CheckSpace();
  }
  // Control first: bulk on disk then implies that everything before it is there too.
  for (int log = 0; log < kLogs; ++log) {
    absl::Status status = CommitLog(static_cast<Log>(log));
    while (absl::IsResourceExhausted(status) && MakeSpace()) {
      status = CommitLog(static_cast<Log>(log));
    }
    if (absl::IsResourceExhausted(status) && log != kControl) {
      // Not a byte for bulk: it goes, so that memory stays for lanes 0-2.
      short_of_space_ = true;
      DropWaitingBulk();
      return CommitLog(kControl);
    }
    RETURN_IF_ERROR(status);
  }
  uncommitted_alert_ = false;
  return absl::OkStatus();
}

EntryPlace CaseSpool::PlaceOf(uint32_t lane, uint64_t origin_seq) const {
  const Lane& state = lanes_[lane];
  if (origin_seq == 0 || origin_seq > state.places.size()) return EntryPlace();
  return state.places[origin_seq - 1];
}

bool CaseSpool::Holds(uint32_t lane, uint64_t origin_seq) const {
  return PlaceOf(lane, origin_seq).exists();
}

absl::StatusOr<std::string> CaseSpool::Read(uint32_t lane, uint64_t origin_seq) const {
  const EntryPlace place = PlaceOf(lane, origin_seq);
  if (!place.exists()) {
    return absl::NotFoundError(absl::StrCat("lane ", lane, ": number ", origin_seq));
  }
  return logs_[LogOf(lane)]->Read(place);
}

void CaseSpool::RestartAnswers(uint32_t lane, const SeqRanges& held, const SeqRanges& refused,
                               bool has_journal) {
  Lane& state = lanes_[lane];
  const SeqRanges before = state.answers.held();
  state.answers.Restart(UpTo(state.committed, held), UpTo(state.committed, refused), has_journal);
  // What was shed because the hub held it, and a journal that has gone back holds no more, is lost.
  const SeqRanges gone = before.Without(state.answers.held());
  const SeqRanges lost = gone.Without(gone.Without(state.given_up));
  for (const SeqRanges::Range& range : lost.ranges()) {
    shed_[lane].InsertRange(range.first, range.last);
  }
  state.held_written = std::min(state.held_written, state.answers.held().count());
}

void CaseSpool::MarkHeld(uint32_t lane, const SeqRanges& held) {
  lanes_[lane].answers.AddHeld(UpTo(lanes_[lane].committed, held));
}

void CaseSpool::MarkRefused(uint32_t lane, const SeqRanges& refused) {
  lanes_[lane].answers.AddRefused(UpTo(lanes_[lane].committed, refused));
}

bool CaseSpool::AllSettled() const {
  for (const Lane& lane : lanes_) {
    SeqRanges all;
    all.InsertRange(1, lane.last);
    const SeqRanges open = all.Without(lane.answers.held()).Without(lane.answers.refused());
    if (!open.Without(lane.given_up).empty()) return false;
  }
  return true;
}

uint64_t CaseSpool::bytes() const {
  uint64_t total = 0;
  for (const auto& log : logs_) total += log->bytes();
  return total;
}

}  // namespace remora::agent
