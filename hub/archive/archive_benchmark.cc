// What an archive run costs those who are live (docs/journal.md, "Sizes and times"):
//
//   remora_archive_benchmark DIRECTORY [records]
//
// Appends of 20 rooms, 10 a second each, before, while and after a case of that many records of 1
// KiB (1.3 million) is archived on the journal's own disk; and while a file of the same size is
// written at the same rate and synced once, at its end.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/thread_executor.h"
#include "common/whole_file.h"
#include "hub/archive/limits.h"
#include "hub/archive/record_archive.h"
#include "hub/journal/sqlite/sqlite_journal.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub {
namespace {

constexpr size_t kBodyBytes = 950;  // with header, stamp and frame: 1 KiB
constexpr int kRooms = 20;
const Duration kInterval = Duration::Milliseconds(100);
const Duration kAlone = Duration::Seconds(15);

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

const Clock& SystemClock() {
  static const std::unique_ptr<Clock> clock = MakeSystemClock();
  return *clock;
}

std::unique_ptr<SqliteJournal> OpenJournal(const std::string& path, Executor& executor) {
  static NullCipher cipher;
  SqliteJournal::Options options;
  options.path = path;
  auto journal = SqliteJournal::Open(options, SystemClock(), executor, cipher);
  if (!journal.ok()) Fail(journal.status());
  return *std::move(journal);
}

// Rooms that append at a steady rate until they are stopped. Bound to the executor but for Take.
class LiveRooms {
 public:
  LiveRooms(SqliteJournal& journal, Executor& executor) : journal_(journal), executor_(executor) {
    for (int room = 0; room < kRooms; ++room) {
      scripts_.emplace_back(CaseIdOf(room), 1, room);
      scripts_.back().ForgetRecords();
      if (absl::Status made = journal.CreateCase(CaseIdOf(room)).status(); !made.ok()) Fail(made);
      const Duration phase = Duration::Nanoseconds(kInterval.nanoseconds() * room / kRooms);
      executor.PostAfter(phase, [this, room] { Tick(room); });
    }
  }
  void Stop() {
    MutexLock lock(&mutex_);
    stopped_ = true;
  }
  // Prints how long the appends took since the last call.
  void Print(const std::string& when) {
    std::vector<double> ms;
    {
      MutexLock lock(&mutex_);
      ms.swap(latencies_ms_);
    }
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double part) {
      return ms.empty() ? 0 : ms[static_cast<size_t>(part * static_cast<double>(ms.size() - 1))];
    };
    std::printf("  %s, %zu appends: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms\n",
                when.c_str(), ms.size(), at(0.5), at(0.99), at(0.999), at(1));
    std::fflush(stdout);
  }

 private:
  void Tick(int room) {
    const DeviceTime begun = SystemClock().Now();
    journal_.Append(scripts_[room].Next({2, 5}, kBodyBytes), [this, begun](absl::Status status) {
      if (!status.ok()) Fail(status);
      MutexLock lock(&mutex_);
      latencies_ms_.push_back((SystemClock().Now() - begun).milliseconds());
    });
    MutexLock lock(&mutex_);
    if (!stopped_) executor_.PostAfter(kInterval, [this, room] { Tick(room); });
  }

  SqliteJournal& journal_;
  Executor& executor_;
  std::vector<CaseScript> scripts_;
  Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<double> latencies_ms_ ABSL_GUARDED_BY(mutex_);
};

// Runs `start` on the executor and waits until it calls what it was given.
void Wait(Executor& executor, const std::function<void(std::function<void()>)>& start) {
  Mutex mutex;
  ConditionVariable changed;
  bool done = false;
  executor.Post([&] {
    start([&] {
      MutexLock lock(&mutex);
      done = true;
      changed.NotifyOne();
    });
  });
  MutexLock lock(&mutex);
  while (!done) changed.Wait(&mutex);
}

// A case in rows of 32 records, as a busy theatre's are, that is not in the machine's memory.
CaseHead WriteBigCase(const std::string& path, uint64_t record_count) {
  CaseScript script(CaseIdOf(1'000'000), 1, 1);
  script.ForgetRecords();
  {
    WaitingExecutor executor;
    std::unique_ptr<SqliteJournal> journal = OpenJournal(path, executor);
    if (absl::Status made = journal->CreateCase(script.case_id()).status(); !made.ok()) Fail(made);
    const std::vector<uint32_t> lanes(32, 5);  // whose bodies the proof does not parse
    while (script.last_seq() < record_count) {
      const absl::Status in = AppendAndWait(*journal, executor, script.Next(lanes, kBodyBytes));
      if (!in.ok()) Fail(in);
    }
  }
  const int file = open(path.c_str(), O_RDONLY);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
  return script.Head();
}

// As an archive would be written without its syncs in between.
void WriteAtOnce(FileSystem& files, Executor& worker, const std::string& path, uint64_t bytes) {
  auto file = WholeFile::Create(files, path);
  if (!file.ok()) Fail(file.status());
  const std::string page(kArchivePageBytes, 'x');
  uint64_t written = 0;
  std::function<void()> step;
  Wait(worker, [&](std::function<void()> done) {
    step = [&, done] {
      absl::Status status = (*file)->Append(page);
      written += page.size();
      if (status.ok() && written < bytes) return worker.PostAfter(kArchivePause, step);
      if (status.ok()) status = (*file)->Commit();
      if (!status.ok()) Fail(status);
      done();
    };
    step();
  });
}

int Benchmark(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY [records]\n", argv[0]);
    return 2;
  }
  const std::string directory = absl::StrCat(argv[1], "/remora-archive-benchmark");
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const std::string path = directory + "/benchmark.db";
  const CaseHead head =
      WriteBigCase(path, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'300'000);
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  const std::unique_ptr<Random> random = MakeSystemRandom();
  ThreadExecutor hub(SystemClock(), "rooms");
  ThreadExecutor worker(SystemClock(), "archive");
  worker.Post([] {
    if (nice(10) < 0) std::fprintf(stderr, "no lower priority\n");
  });
  std::unique_ptr<SqliteJournal> journal = OpenJournal(path, hub);
  RecordArchive archive({{files.get(), random.get(), directory + "/archive", ""},
                         journal.get(),
                         &hub,
                         &worker,
                         {std::string(32, 'k')}});
  LiveRooms rooms(*journal, hub);
  const auto alone = [&](const char* when) {
    Wait(hub, [&](std::function<void()> done) { hub.PostAfter(kAlone, std::move(done)); });
    rooms.Print(when);
  };
  const double megabytes = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  std::printf("archive: %d rooms x 10 appends/s, a case of %.0f MB\n", kRooms, megabytes);
  alone("before");
  DeviceTime begun = SystemClock().Now();
  std::string outcome;
  Wait(hub, [&](std::function<void()> done) {
    archive.Keep(head, [&, done](const absl::StatusOr<ArchivedCase>& archived) {
      outcome = archived.status().ToString();  // its records are of nobody, and signed by nobody
      done();
    });
  });
  rooms.Print(
      absl::StrCat("while, ", static_cast<int>((SystemClock().Now() - begun).seconds()), " s"));
  std::printf("  it ended with: %.60s ...\n", outcome.c_str());
  alone("after");
  begun = SystemClock().Now();
  WriteAtOnce(*files, worker, directory + "/at-once", std::filesystem::file_size(path));
  rooms.Print(absl::StrCat("while it is synced once, ",
                           static_cast<int>((SystemClock().Now() - begun).seconds()), " s"));
  alone("after");
  rooms.Stop();
  worker.Stop();
  hub.Stop();
  journal.reset();
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace remora::hub

int main(int argc, char** argv) { return remora::hub::Benchmark(argc, argv); }
