// How long after its start a hub with many kept cases lets the open one be joined
// (docs/operations.md, "Keeping and forgetting"):
//
//   remora_start_benchmark DIRECTORY [closed cases]
//
// Closed cases of some 210 records, each certified and at rest, and an open one of 6,000; the file
// is dropped from the page cache before each start. Then the same after a change of the fold.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/random.h"
#include "common/record_codec.h"
#include "common/thread_executor.h"
#include "hub/journal/run_rows.h"
#include "hub/journal/sqlite/sqlite_journal.h"
#include "hub/participants/session_limits.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/checkpoint_notes.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

constexpr int kBatch = 250;  // cases that one core in memory closes
constexpr uint64_t kBlocks = 200;
constexpr uint32_t kOpenRounds = 3'000;

const Clock& SystemClock() {
  static const std::unique_ptr<Clock> clock = MakeSystemClock();
  return *clock;
}

void OrExit(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  _exit(1);
}

std::unique_ptr<SqliteJournal> OpenOrExit(const std::string& path, Executor& executor) {
  static NullCipher cipher;
  SqliteJournal::Options options;
  options.path = path;
  auto journal = SqliteJournal::Open(options, SystemClock(), executor, cipher);
  OrExit(journal.status());
  return *std::move(journal);
}

void RemoveJournal(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path + suffix);
}

void DropFromCache(const std::string& path) {
  for (const char* suffix : {"", "-wal"}) {
    const int file = open((path + suffix).c_str(), O_RDONLY);
    if (file < 0) continue;
    fdatasync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

// The case as one append, with what was saved of its fold.
void Copy(HubHarness& hub, const CaseId& case_id, bool other_fold, SqliteJournal& to) {
  CaseRestore from = *hub.journal().Restore(case_id);
  OrExit(to.CreateCase(case_id).status());
  std::string frames[2];
  CaseAppend append;
  append.case_id = case_id;
  append.runs.resize(2);
  for (const std::string& record : hub.JournalRecords(case_id)) {
    const StampedRecord stamped = *WalkStamped(record);
    const RecordClass record_class = ClassOfLane(stamped.header.lane);
    const int index = static_cast<int>(record_class);
    Run& run = append.runs[index];
    run.record_class = record_class;
    if (run.count++ == 0) run.first_seq = stamped.stamp.seq;
    run.last_seq = stamped.stamp.seq;
    AppendFrame(record, &frames[index]);
  }
  for (int i = 0; i < 2; ++i) append.runs[i].frames = SharedBytes(std::move(frames[i]));
  for (const OriginLaneHeld& held : from.origins) {
    append.origins.push_back({held.origin, held.lane, held.held.ranges(), held.refused.ranges(),
                              held.participant, held.late_count, held.duplicate_count,
                              held.late.ranges()});
  }
  append.last_seq = from.head.last_seq;
  append.chain = from.head.chain;
  append.lane_seq = from.head.lane_seq;
  to.Append(std::move(append), [](const absl::Status& status) { OrExit(status); });
  if (other_fold) {
    RestNote note = *DecodeRestNote(from.checkpoint.note);
    note.fold_version = kFoldVersion + 1;
    from.checkpoint.note = EncodeRestNote(note);
    from.checkpoint.state.clear();
  }
  to.SaveCheckpoint(case_id, std::move(from.checkpoint));
}

CaseId WriteOpenCase(HubHarness& hub, OriginId* origin) {
  const CaseId case_id = hub.DrawCase();
  *origin = hub.DrawOrigin();
  RecordWriter writer(case_id, *origin);
  auto agent = OpenCase(hub, case_id, &writer, *origin, "OR live");
  for (uint32_t i = 0; i < kOpenRounds; ++i) {
    agent->Publish({writer.Write(MeasurementBody("SEP/R", 50 + static_cast<int>(i % 50),
                                                 v1::MEASUREMENT_STATE_WITHIN_LIMITS)),
                    writer.Write(BlockBody("EMG/1", i))});
    hub.RunFor(Duration::Milliseconds(100));
  }
  return case_id;
}

struct Live {
  CaseId case_id;
  OriginId origin;
};

Live WriteJournal(const std::string& path, int closed, bool other_fold) {
  RemoveJournal(path);
  ThreadExecutor executor(SystemClock(), "write");
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  for (int done = 0; done < closed; done += kBatch) {
    HubHarness hub(static_cast<uint64_t>(done) + 1);
    std::vector<CaseId> cases;
    for (int i = 0; i < std::min(kBatch, closed - done); ++i) {
      cases.push_back(CloseCase(hub, "OR " + std::to_string(i), kBlocks, kBlocks).case_id);
    }
    hub.RunFor(kRestAfter * 2);
    for (const CaseId& case_id : cases) Copy(hub, case_id, other_fold, *journal);
    OrExit(journal->Flush());
  }
  HubHarness hub(uint64_t{1} << 32);
  hub.RunFor(kRestAfter * 4);
  Live live;
  live.case_id = WriteOpenCase(hub, &live.origin);
  Copy(hub, live.case_id, false, *journal);
  OrExit(journal->Flush());
  journal.reset();
  executor.Stop();
  return live;
}

// Reads what the hub says on the hub's own sequence.
class Listener final : public Peer {
 public:
  void WantWrite() override {
    while (session != nullptr) {
      const WriteBatch batch = session->TakeBatch(kMaxBatchBytes);
      if (batch.empty()) return;
      std::string bytes;
      for (const SharedBytes& slice : batch.slices) {
        bytes.append(slice.view().data(), slice.view().size());
      }
      v1::Down down;
      if (!down.ParseFromString(bytes)) OrExit(absl::InternalError("not a Down"));
      if (down.has_joined()) joined = true;
      if (down.has_directory() && !down.directory().more()) listed = true;
      if (down.has_refused()) OrExit(absl::InternalError(down.refused().text()));
    }
  }
  void CloseAfterWrites(absl::Status status) override { OrExit(status); }

  std::unique_ptr<Session> session;
  bool joined = false;
  bool listed = false;
};

// On its own thread until `reached`, asked each millisecond.
void RunUntil(Executor& executor, const std::function<bool()>& reached) {
  std::atomic<bool> done{false};
  std::function<void()> poll = [&] {
    if (!reached()) return executor.PostAfter(Duration::Milliseconds(1), poll);
    done = true;
    done.notify_all();
  };
  executor.Post(poll);
  done.wait(false);
}

void Ask(Listener& listener, const Live& live) {
  const auto send = [&listener](const v1::Up& up) {
    listener.session->OnMessage(up.SerializeAsString());
  };
  v1::Up hello;
  hello.mutable_hello()->set_minimum_version(2);
  hello.mutable_hello()->set_maximum_version(2);
  hello.mutable_hello()->set_origin(live.origin.ToString());
  hello.mutable_hello()->set_software("benchmark");
  send(hello);
  v1::Up join;
  join.mutable_join()->set_case_id(live.case_id.ToString());
  join.mutable_join()->set_theatre("OR live");
  send(join);
  v1::Up follow;
  follow.mutable_follow()->set_follow_id(1);
  follow.mutable_follow()->set_directory(true);
  send(follow);
}

void MeasureStart(const std::string& path, const Live& live, const char* what) {
  const pid_t child = fork();
  if (child != 0) {
    waitpid(child, nullptr, 0);
    return;
  }
  DropFromCache(path);
  std::unique_ptr<Clock> clock = MakeSystemClock();
  const DeviceTime begun = clock->Now();
  const auto since = [&] { return (clock->Now() - begun).seconds(); };
  ThreadExecutor executor(*clock, "hub");
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  const double opened = since();
  FakeMetrics metrics;
  std::unique_ptr<Random> random = MakeSeededRandom(7);
  const RecordSigner signer(RecordSigner::Seed{1, 2, 3});
  HubCore core({journal.get(), clock.get(), &executor, random.get(), &metrics, "benchmark", nullptr,
                &signer});
  Listener listener;
  double started = 0;
  double joined = 0;
  double listed = 0;
  RunUntil(executor, [&] {
    OrExit(core.Start());
    started = since();
    listener.session = core.Open(AgentIdentity(), &listener);
    Ask(listener, live);
    return true;
  });
  RunUntil(executor, [&] {
    core.EndOfDrain();
    listener.WantWrite();
    if (listener.joined && joined == 0) joined = since();
    if (listener.listed && listed == 0) listed = since();
    return listener.joined && listener.listed;
  });
  const double ready = since();
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "%s: journal open %.2f s, hub started %.2f s, open case joined %.2f s, list given %.2f s, "
      "ready %.2f s, peak memory %.0f MB\n",
      what, opened, started, joined, listed, ready, static_cast<double>(usage.ru_maxrss) / 1e3);
  std::fflush(stdout);
  _exit(0);
}

int Benchmark(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY [closed cases]\n", argv[0]);
    return 2;
  }
  const std::string path = std::string(argv[1]) + "/start.db";
  const int closed = argc > 2 ? std::atoi(argv[2]) : 10'000;
  for (const bool other_fold : {false, true}) {
    const Live live = WriteJournal(path, closed, other_fold);
    std::printf("%d closed cases and an open one, file %.0f MB\n", closed,
                static_cast<double>(std::filesystem::file_size(path)) / 1e6);
    std::fflush(stdout);
    for (int round = 0; round < 2; ++round) {
      MeasureStart(path, live, other_fold ? "after a change of the fold" : "at rest");
    }
  }
  RemoveJournal(path);
  return 0;
}

}  // namespace
}  // namespace remora::hub

int main(int argc, char** argv) { return remora::hub::Benchmark(argc, argv); }
