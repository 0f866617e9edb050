#include "tests/power/spool_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/spool/entry.h"
#include "common/status_macros.h"

namespace remora::power {
namespace {

using agent::CaseSpool;
using agent::Entry;
using agent::EntryType;

constexpr char kFolder[] = "/var/remora/spool";
// A life without a cut ends with kill -9; so many, and any call will do.
constexpr int kLivesWithoutACut = 4;
constexpr uint64_t kPlenty = uint64_t{1} << 40;

// The first entry in what is written that is none of a record.
EntryType NoteIn(absl::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const auto entry = agent::ParseEntry(bytes.substr(at));
    if (!entry) break;
    if (entry->type != EntryType::kRecord && entry->type != EntryType::kInput) return entry->type;
    at += agent::EntryBytes(*entry);
  }
  return EntryType::kRecord;
}

std::string DonePath(const CaseId& id) { return absl::StrCat(kFolder, "/done-", id.Hex()); }

CaseId CaseIdOf(uint64_t seed, uint64_t number) {
  const std::unique_ptr<Random> random = MakeSeededRandom(seed * 1000 + number);
  return CaseId::Draw(*random);
}

}  // namespace

const std::vector<std::string>& SpoolHistory::Kinds() {
  static const auto& kinds = *new std::vector<std::string>{
      "spool: during an append",
      "spool: between write and sync",
      "spool: after sync, before the answer",
      "spool: a file is made",
      "spool: its directory is synced",
      "spool: acknowledgements are noted",
      "spool: the note of what is shed",
      "spool: a file is shed",
      "spool: the case is closed",
      "spool: folder, origin, case made or done",
      "spool: recovery",
      "spool: disk full",
  };
  return kinds;
}

SpoolHistory::SpoolHistory(HistoryOptions options, Counters& counters)
    : options_(std::move(options)),
      counters_(counters),
      random_(MakeSeededRandom(options_.seed)),
      cutter_([this](const CrashDisk::Call& call, bool after) { return KindOf(call, after); }),
      disk_(std::make_unique<CrashDisk>("/var")),
      model_(CaseIdOf(options_.seed, 0)),
      large_(options_.seed % 16 == 0) {}

std::string SpoolHistory::KindOf(const CrashDisk::Call& call, bool after) const {
  const std::vector<std::string>& kinds = Kinds();
  if (recovering_) return kinds[10];
  if (absl::EndsWith(call.path, ".shed")) return kinds[7];
  const bool segment = absl::EndsWith(call.path, ".seg");
  if (!segment && !absl::StrContains(call.path, "/case-")) return kinds[9];
  if (segment && call.op == CrashDisk::Op::kRename) return kinds[7];
  if (full_) return kinds[11];
  switch (call.op) {
    case CrashDisk::Op::kWrite:
      switch (NoteIn(call.bytes)) {
        case EntryType::kHeld:
          return kinds[5];
        case EntryType::kShed:
          return kinds[6];
        case EntryType::kClosed:
          return kinds[8];
        case EntryType::kSegmentHeader:
          return kinds[3];
        default:
          return kinds[0];
      }
    case CrashDisk::Op::kSync:
      return after ? kinds[2] : kinds[1];
    case CrashDisk::Op::kCreate:
      return kinds[3];
    case CrashDisk::Op::kSyncDirectory:
      return kinds[4];
    case CrashDisk::Op::kRemove:
      return kinds[7];
    default:
      return kinds[9];
  }
}

void SpoolHistory::ArmNext() {
  // In turn, so that each kind has its share; where it does not come, any call will do.
  const bool any = life_ % kLivesWithoutACut == kLivesWithoutACut - 1;
  const uint64_t nth = 1 + random_->Below(any ? 60 : 1 + random_->Below(4));
  const size_t kind = (options_.seed * options_.cuts + cuts_) % Kinds().size();
  cutter_.Arm(any ? "" : Kinds()[kind], nth, random_->Below(2) == 0);
}

std::string SpoolHistory::Start(CrashDisk& disk, std::unique_ptr<Program>* program) {
  auto started = std::make_unique<Program>(disk);
  auto folder = agent::SpoolFolder::Open(started->files, kFolder, *random_, console_);
  if (disk.is_cut()) return "";
  if (!folder.ok()) return absl::StrCat("the folder does not open: ", folder.status().message());
  started->folder = *std::move(folder);
  const std::string origin(started->folder->origin().bytes());
  if (!origin_.empty() && origin != origin_) return "the spool has another origin";
  auto cases = started->folder->OpenCases();
  if (disk.is_cut()) return "";
  if (!cases.ok()) return absl::StrCat("the cases do not open: ", cases.status().message());
  for (std::unique_ptr<CaseSpool>& found : *cases) {
    if (found->case_id() != model_.case_id()) return "a case that was done is back";
    started->spool = std::move(found);
  }
  if (started->spool != nullptr) {
    if (std::string finding = model_.Compare(*started->spool); !finding.empty()) return finding;
  } else if (model_.promised_anything() &&
             !(finishing_ && disk.Exists(DonePath(model_.case_id())))) {
    return "the case is gone";
  }
  for (const CaseId& done : done_) {
    if (!disk.Exists(DonePath(done))) return "a case that was done is gone";
  }
  ++counters_["spool: disks compared"];
  counters_["spool: promised records found"] += model_.promised_records();
  *program = std::move(started);
  return "";
}

absl::Status SpoolHistory::NextCase(Program& program) {
  if (finishing_) {
    done_.push_back(model_.case_id());
    ++counters_["spool: cases done"];
    ++cases_;
    finishing_ = false;
  }
  model_ = SpoolModel(CaseIdOf(options_.seed, cases_));
  NoteSpace();
  ASSIGN_OR_RETURN(program.spool, program.folder->NewCase(model_.case_id()));
  RETURN_IF_ERROR(program.spool->SetInfo(
      {.boot_id = 1, .setup_digest = 2, .source = "sim", .theatre = "OR", .procedure = "p"}));
  // As the agent: what case it is is on the disk before there is anything of it.
  const absl::Status status = program.spool->Commit();
  return status.ok() ? Commit(program) : status;
}

absl::Status SpoolHistory::FillHoles(Program& program) {
  CaseSpool& spool = *program.spool;
  for (const agent::ShedRange& hole : spool.Holes()) {
    if (hole.lane >= kControlLaneCount) {
      spool.GiveUp(hole.lane, hole.first_origin_seq, hole.last_origin_seq);
      continue;
    }
    for (uint64_t seq = hole.first_origin_seq; seq <= hole.last_origin_seq; ++seq) {
      const std::string tombstone = absl::StrCat("lost ", hole.lane, "/", seq, " in ", life_);
      model_.MakeRecord(hole.lane, seq, tombstone);
      RETURN_IF_ERROR(spool.AppendRecord(hole.lane, seq, 0, tombstone));
    }
    ++counters_["spool: holes in what was never promised"];
  }
  return Commit(program);
}

void SpoolHistory::AppendSome(Program& program) {
  CaseSpool& spool = *program.spool;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const bool large = large_ && lane == kLaneCount - 1;
    for (uint64_t left = large ? 40 : random_->Below(4); left > 0; --left) {
      const uint64_t seq = spool.last_seq(lane) + 1;
      std::string bytes = absl::StrCat(cases_, ":", lane, "/", seq, " in ", life_, " ");
      uint64_t size = random_->Below(700);
      if (random_->Below(20) == 0) size = random_->Below(9000);
      if (large) size = kMaxRecordBytes - 1000;
      bytes.append(size, static_cast<char>('a' + seq % 26));
      model_.MakeRecord(lane, seq, bytes);
      if (!spool.AppendRecord(lane, seq, 0, bytes).ok()) return;
    }
  }
  if (random_->Below(3) == 0) {
    const uint64_t position = model_.next_position();
    const std::string bytes = absl::StrCat("input ", position, " in ", life_);
    model_.MakeInput(position, bytes);
    spool.AppendInput(position, bytes).IgnoreError();
  }
}

void SpoolHistory::Hold(Program& program) {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    SeqRanges held;
    const uint64_t last = program.spool->committed_seq(lane);
    if (last == 0) continue;
    const uint64_t first = 1 + random_->Below(last);
    held.InsertRange(first, first + random_->Below(last - first + 1));
    model_.NoteHeld(lane, held);
    program.spool->MarkHeld(lane, held);
  }
}

void SpoolHistory::ChangeSpace(Program& program) {
  const uint64_t level = random_->Below(4);
  if (level < 2) {
    full_ = false;
    disk_->SetFreeBytes(kPlenty);
  } else {
    // Under the reserve for alerts, or nearly nothing.
    full_ = true;
    disk_->SetFreeBytes(level == 2 ? agent::kControlReserveBytes / 2 : random_->Below(3000));
  }
  NoteSpace();
  program.spool->CheckSpace();
}

void SpoolHistory::NoteSpace() {
  if (disk_->free_bytes() < kPlenty / 2) model_.NoteShort();
}

absl::Status SpoolHistory::Commit(Program& program) {
  const absl::Status status = program.spool->Commit();
  if (disk_->is_cut()) return absl::UnavailableError("the power was cut");
  if (status.ok()) {
    model_.Promise(*program.spool);
    ++counters_["spool: commits answered"];
  }
  return absl::OkStatus();
}

absl::Status SpoolHistory::FinishCase(Program& program) {
  if (!program.spool->closed()) {
    model_.MakeClosed();
    RETURN_IF_ERROR(program.spool->Close());
    RETURN_IF_ERROR(Commit(program));
  }
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    SeqRanges all;
    all.InsertRange(1, program.spool->committed_seq(lane));
    model_.NoteHeld(lane, all);
    program.spool->MarkHeld(lane, all);
  }
  RETURN_IF_ERROR(Commit(program));
  if (!model_.closed() || !program.spool->AllSettled()) return absl::OkStatus();
  program.spool.reset();
  // The power may go between the new name and the answer: then either is right.
  finishing_ = true;
  RETURN_IF_ERROR(program.folder->MarkDone(model_.case_id()));
  return NextCase(program);
}

absl::Status SpoolHistory::WorkOnce(Program& program) {
  AppendSome(program);
  if (random_->Below(5) == 0) Hold(program);
  if (random_->Below(6) == 0) ChangeSpace(program);
  RETURN_IF_ERROR(Commit(program));
  if (program.spool->has_shed() && random_->Below(3) > 0) {
    program.spool->TakeShed();
    RETURN_IF_ERROR(Commit(program));
  }
  return random_->Below(9) == 0 ? FinishCase(program) : absl::OkStatus();
}

absl::Status SpoolHistory::Work(Program& program) {
  for (uint64_t left = 4 + random_->Below(10); left > 0; --left) {
    RETURN_IF_ERROR(WorkOnce(program));
    if (disk_->is_cut()) return absl::UnavailableError("the power was cut");
  }
  return absl::OkStatus();
}

std::string SpoolHistory::AfterCut() {
  ++cuts_;
  ++counters_[cutter_.where()];
  ++counters_["spool: cuts"];
  for (int image = 1; image <= options_.images; ++image) {
    std::unique_ptr<CrashDisk> after = disk_->AfterCut(DrawRemains(*random_), *random_);
    if (random_->Below(2) == 0) after->SetFreeBytes(kPlenty);
    std::unique_ptr<Program> program;
    // The last of them is what the machine really finds; it may lose its power again at once.
    if (image == options_.images) {
      disk_ = std::move(after);
      break;
    }
    if (std::string finding = Start(*after, &program); !finding.empty()) return finding;
  }
  return "";
}

std::string SpoolHistory::Run() {
  disk_->SetPlant(options_.plant, options_.plant_part);
  while (cuts_ < options_.cuts) {
    ++life_;
    ArmNext();
    disk_->StartProgram();
    disk_->SetWatcher(cutter_.watcher());
    recovering_ = true;
    full_ = false;
    std::unique_ptr<Program> program;
    std::string finding = Start(*disk_, &program);
    if (program != nullptr) {
      origin_ = std::string(program->folder->origin().bytes());
      absl::Status status;
      if (program->spool != nullptr) {
        model_.Adopt(*program->spool);
        finishing_ = false;
        NoteSpace();
        status = FillHoles(*program);
        recovering_ = false;
      } else {
        recovering_ = false;
        status = NextCase(*program);
      }
      if (random_->Below(options_.lives_a_failing_sync) == 0)
        cutter_.FailSync(1 + random_->Below(12));
      if (status.ok()) Work(*program).IgnoreError();  // its end is the cut
    }
    program.reset();
    disk_->EndProgram();
    if (finding.empty() && disk_->is_cut()) {
      finding = AfterCut();
      disk_->SetPlant(options_.plant, options_.plant_part);
    }
    if (!finding.empty()) {
      return absl::StrCat("spool, seed ", options_.seed, ", cut ", cuts_, " (", cutter_.where(),
                          "), life ", life_, ": ", finding);
    }
  }
  return "";
}

}  // namespace remora::power
