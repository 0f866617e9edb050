#include "tests/power/journal_history.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::power {
namespace {

using hub::CaseScript;

constexpr int kCases = 3;
// A life without a cut ends with kill -9 or in order; so many, and any call will do.
constexpr int kLivesWithoutACut = 4;
constexpr uint64_t kPlenty = uint64_t{1} << 40;

bool SameHead(const hub::CaseHead& one, const hub::CaseHead& other) {
  return one.epoch == other.epoch && one.last_seq == other.last_seq &&
         one.last_recorded_unix_ns == other.last_recorded_unix_ns && one.chain == other.chain &&
         one.lane_seq == other.lane_seq;
}

}  // namespace

const std::vector<std::string>& JournalHistory::Kinds() {
  static const auto& kinds = *new std::vector<std::string>{
      "journal: during a write to the log",
      "journal: before the log's sync",
      "journal: after the log's sync, before the answer",
      "journal: the log begins anew",
      "journal: a page is moved into the file",
      "journal: before the file's sync",
      "journal: after the file's sync",
      "journal: the file is made",
      "journal: recovery",
      "journal: close",
      "journal: disk full",
  };
  return kinds;
}

JournalHistory::JournalHistory(HistoryOptions options, const std::string& directory,
                               Counters& counters)
    : options_(std::move(options)),
      directory_(directory),
      counters_(counters),
      random_(MakeSeededRandom(options_.seed)),
      clock_(MakeSystemClock()),
      vfs_(absl::StrCat("power-", directory)),
      cutter_([this](const CrashDisk::Call& call, bool after) { return KindOf(call, after); }),
      disk_(std::make_unique<CrashDisk>(directory)) {
  for (int c = 0; c < kCases; ++c) {
    rooms_.push_back({CaseScript(hub::CaseIdOf(c), 1, options_.seed * kCases + c), {}});
  }
}

std::string JournalHistory::KindOf(const CrashDisk::Call& call, bool after) const {
  const std::vector<std::string>& kinds = Kinds();
  const Phase phase = phase_.load();
  if (phase == Phase::kOpening) return is_new_.load() ? kinds[7] : kinds[8];
  if (phase == Phase::kClosing) return kinds[9];
  if (phase == Phase::kFull) return kinds[10];
  const bool log = absl::EndsWith(call.path, "-wal");
  switch (call.op) {
    case CrashDisk::Op::kWrite:
      if (!log) return kinds[4];
      return call.offset == 0 ? kinds[3] : kinds[0];
    case CrashDisk::Op::kSync:
      if (log) return after ? kinds[2] : kinds[1];
      return after ? kinds[6] : kinds[5];
    default:
      return kinds[3];
  }
}

void JournalHistory::ArmNext() {
  // In turn, so that each kind has its share; where it does not come, any call will do.
  const bool any = life_ % kLivesWithoutACut == kLivesWithoutACut - 1;
  const uint64_t nth = 1 + random_->Below(any ? 200 : 1 + random_->Below(12));
  const size_t kind = (options_.seed * options_.cuts + cuts_) % Kinds().size();
  cutter_.Arm(any ? "" : Kinds()[kind], nth, random_->Below(2) == 0);
}

absl::Status JournalHistory::Open(CrashDisk& disk, Program* program) {
  vfs_.Attach(disk);
  hub::SqliteJournal::Options options;
  options.path = absl::StrCat(directory_, "/live.db");
  options.vfs = vfs_.name();
  options.files = &program->files;
  options.checkpoint_pages = 12 + static_cast<int>(random_->Below(40));
  auto journal = hub::SqliteJournal::Open(std::move(options), *clock_, program->executor, cipher_);
  if (journal.ok()) program->journal = *std::move(journal);
  return journal.status();
}

std::string JournalHistory::CompareRoom(Program& program, Room& room, bool adopt) {
  const CaseId& id = room.acknowledged.case_id();
  const absl::StatusOr<hub::CaseRestore> restore = program.journal->Restore(id);
  if (absl::IsNotFound(restore.status()) && room.acknowledged.last_seq() == 0) {
    if (adopt && !program.journal->CreateCase(id).ok()) return "a new case is refused";
    return "";
  }
  if (!restore.ok()) return std::string(restore.status().message());
  const CaseScript* held = &room.acknowledged;
  for (const CaseScript& offered : room.offered) {
    if (offered.last_seq() == restore->head.last_seq) held = &offered;
  }
  if (restore->head.last_seq != held->last_seq()) {
    return absl::StrCat("ends at ", restore->head.last_seq, " and not at ", held->last_seq());
  }
  if (!SameHead(restore->head, held->Head())) return "has another head";
  if (restore->origins != held->Origins()) return "has other numbers of its origins";
  hub::ReadRequest all;
  all.case_id = id;
  const absl::StatusOr<std::string> frames =
      hub::ReadWholeRange(*program.journal, program.executor, all);
  if (!frames.ok()) return std::string(frames.status().message());
  if (*frames != held->Frames(1, held->last_seq())) return "has other bytes";
  counters_["journal: records found"] += held->last_seq();
  if (adopt) {
    CaseScript now = *held;
    room.acknowledged = std::move(now);
    room.offered.clear();
  }
  return "";
}

std::string JournalHistory::Compare(Program& program, bool adopt) {
  for (size_t c = 0; c < rooms_.size(); ++c) {
    std::string finding = CompareRoom(program, rooms_[c], adopt);
    if (!finding.empty()) return absl::StrCat("case ", c, " ", finding);
  }
  ++counters_["journal: disks compared"];
  return "";
}

// Each room appends once or twice without waiting, then hears; what failed it offers again.
void JournalHistory::AppendRound(Program& program) {
  size_t called = 0;
  size_t appends = 0;
  std::vector<size_t> in(rooms_.size());
  std::vector<std::vector<CaseScript>> earlier(rooms_.size());
  for (size_t c = 0; c < rooms_.size(); ++c) {
    CaseScript script = rooms_[c].acknowledged;
    earlier[c].swap(rooms_[c].offered);
    for (uint64_t left = 1 + random_->Below(2); left > 0; --left, ++appends) {
      hub::CaseAppend append = script.NextDrawn();
      rooms_[c].offered.push_back(script);
      program.journal->Append(std::move(append), [&in, &called, c](absl::Status status) {
        in[c] += status.ok() ? 1 : 0;
        ++called;
      });
    }
  }
  program.executor.RunUntil([&] { return called == appends; });
  for (size_t c = 0; c < rooms_.size(); ++c) {
    std::vector<CaseScript>& offered = rooms_[c].offered;
    counters_["journal: appends answered"] += in[c];
    if (in[c] > 0) {
      rooms_[c].acknowledged = offered[in[c] - 1];
      is_new_ = false;
    }
    offered.erase(offered.begin(), offered.begin() + static_cast<ptrdiff_t>(in[c]));
    // While the file cannot be opened anew, what failed before may be in it, also more than is
    // offered now (docs/journal.md).
    for (CaseScript& script : earlier[c]) {
      const bool longer = offered.empty() || script.last_seq() > offered.back().last_seq();
      if (in[c] == 0 && longer) offered.push_back(std::move(script));
    }
    if (random_->Below(4) == 0) {
      program.journal->SaveCheckpoint(rooms_[c].acknowledged.case_id(),
                                      {rooms_[c].acknowledged.last_seq(), "state"});
    }
  }
}

void JournalHistory::Work(Program& program) {
  for (uint64_t left = 3 + random_->Below(12); left > 0 && !disk_->is_cut(); --left) {
    const bool full = random_->Below(10) == 0;
    if (full) {
      phase_ = Phase::kFull;
      disk_->SetFreeBytes(random_->Below(40'000));
    }
    AppendRound(program);
    if (full) disk_->SetFreeBytes(kPlenty);
    phase_ = Phase::kRunning;
  }
}

std::string JournalHistory::Live() {
  disk_->StartProgram();
  ArmNext();
  phase_ = Phase::kOpening;
  disk_->SetWatcher(cutter_.watcher());
  auto program = std::make_unique<Program>(*disk_);
  const absl::Status opened = Open(*disk_, program.get());
  std::string finding;
  if (opened.ok()) {
    // What is read here is told to origins and readers: from now on it is promised.
    finding = Compare(*program, true);
    if (random_->Below(options_.lives_a_failing_sync) == 0)
      cutter_.FailSync(1 + random_->Below(20));
    phase_ = Phase::kRunning;
    if (finding.empty()) Work(*program);
  } else if (!disk_->is_cut()) {
    finding = absl::StrCat("does not open: ", opened.message());
  }
  // In order, or killed.
  if (random_->Below(2) == 0) disk_->EndProgram();
  phase_ = Phase::kClosing;
  program.reset();
  disk_->EndProgram();
  return disk_->is_cut() ? "" : finding;
}

std::string JournalHistory::AfterCut() {
  ++cuts_;
  ++counters_[cutter_.where()];
  ++counters_["journal: cuts"];
  for (int image = 1; image <= options_.images; ++image) {
    std::unique_ptr<CrashDisk> after = disk_->AfterCut(DrawRemains(*random_), *random_);
    after->SetFreeBytes(kPlenty);
    // The last of them is what the machine really finds; it may lose its power again at once.
    if (image == options_.images) {
      disk_ = std::move(after);
      disk_->SetPlant(options_.plant, options_.plant_part);
      break;
    }
    Program program(*after);
    const absl::Status opened = Open(*after, &program);
    if (!opened.ok()) return absl::StrCat("does not open: ", opened.message());
    if (std::string finding = Compare(program, false); !finding.empty()) return finding;
    program.journal.reset();
  }
  return "";
}

std::string JournalHistory::Run() {
  disk_->SetPlant(options_.plant, options_.plant_part);
  while (cuts_ < options_.cuts) {
    ++life_;
    std::string finding = Live();
    if (finding.empty() && disk_->is_cut()) finding = AfterCut();
    if (!finding.empty()) {
      return absl::StrCat("journal, seed ", options_.seed, ", cut ", cuts_, " (", cutter_.where(),
                          "), life ", life_, ": ", finding);
    }
  }
  return "";
}

}  // namespace remora::power
