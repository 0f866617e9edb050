// What the SQLite journal costs on this machine (docs/journal.md, "Sizes and times"):
//
//   remora_journal_benchmark commit DIRECTORY      latency of an append, rooms at a steady rate
//   remora_journal_benchmark throughput DIRECTORY  records a second, rooms as fast as they can
//   remora_journal_benchmark read DIRECTORY        pages of 256 KiB
//   remora_journal_benchmark start DIRECTORY [records a case]   opening 20 cases of 8 h
//   remora_journal_benchmark closed DIRECTORY [cases]   opening one open case among closed ones
//   remora_journal_benchmark purge DIRECTORY [records]   latency of appends beside a purge of a
//   case

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/thread_executor.h"
#include "hub/journal/sqlite/journal_benchmark.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub {

const Clock& SystemClock() {
  static const std::unique_ptr<Clock> clock = MakeSystemClock();
  return *clock;
}

NullCipher& Cipher() {
  static NullCipher cipher;
  return cipher;
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

void RemoveJournal(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path + suffix);
}

std::unique_ptr<SqliteJournal> OpenOrExit(const std::string& path, Executor& executor) {
  SqliteJournal::Options options;
  options.path = path;
  auto journal = SqliteJournal::Open(options, SystemClock(), executor, Cipher());
  if (!journal.ok()) Fail(journal.status());
  return *std::move(journal);
}

// Of the file, and what the system holds of it in memory.
void DropFromCache(const std::string& path) {
  for (const char* suffix : {"", "-wal"}) {
    const int file = open((path + suffix).c_str(), O_RDONLY);
    if (file < 0) continue;
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

namespace {

constexpr size_t kBodyBytes = 950;  // with header, stamp and frame: 1 KiB

double Percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1))];
}

// Waits on the calling thread until the executor has run a task.
void WaitFor(Executor& executor, const std::function<bool()>& task) {
  Mutex mutex;
  ConditionVariable changed;
  bool done = false;
  std::function<void()> poll = [&] {
    if (!task()) return executor.PostAfter(Duration::Milliseconds(5), poll);
    MutexLock lock(&mutex);
    done = true;
    changed.NotifyOne();
  };
  executor.Post(poll);
  MutexLock lock(&mutex);
  while (!done) changed.Wait(&mutex);
}

// A room that appends one or two records at a steady rate. On the executor.
class SteadyRoom {
 public:
  SteadyRoom(SqliteJournal& journal, Executor& executor, int number, int appends_per_s, int seconds)
      : journal_(journal),
        executor_(executor),
        script_(CaseIdOf(number), 1, number),
        interval_(Duration::Nanoseconds(1'000'000'000 / appends_per_s)),
        left_(appends_per_s * seconds),
        next_(SystemClock().Now() + Duration::Nanoseconds((number % 20) * 7'919'000)) {
    script_.ForgetRecords();
    if (absl::Status status = journal.CreateCase(CaseIdOf(number)).status(); !status.ok()) {
      Fail(status);
    }
  }

  void Tick() {
    --left_;
    const DeviceTime start = SystemClock().Now();
    const std::vector<uint32_t> lanes =
        left_ % 2 == 0 ? std::vector<uint32_t>{3} : std::vector<uint32_t>{2, 5};
    journal_.Append(script_.Next(lanes, kBodyBytes), [this, start](absl::Status status) {
      if (!status.ok()) Fail(status);
      latencies_ms_.push_back((SystemClock().Now() - start).milliseconds());
    });
    if (left_ == 0) return;  // the room may go with its last answer
    next_ = next_ + interval_;
    executor_.PostAfter(std::max(next_ - SystemClock().Now(), Duration()), [this] { Tick(); });
  }
  bool done(int appends) const { return static_cast<int>(latencies_ms_.size()) == appends; }
  const std::vector<double>& latencies_ms() const { return latencies_ms_; }

 private:
  SqliteJournal& journal_;
  Executor& executor_;
  CaseScript script_;
  const Duration interval_;
  int left_;
  DeviceTime next_;
  std::vector<double> latencies_ms_;
};

// What the disk gives at best, for comparison: 4 KiB appended to a file and synced.
void MeasureDisk(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  const std::string page(4096, 'x');
  std::vector<double> times_ms;
  for (int i = 0; i < 1000; ++i) {
    const DeviceTime start = SystemClock().Now();
    if (write(file, page.data(), page.size()) != 4096 || fdatasync(file) != 0) std::exit(1);
    times_ms.push_back((SystemClock().Now() - start).milliseconds());
  }
  close(file);
  std::printf("disk: 4 KiB written and synced: p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
              Percentile(times_ms, 0.5), Percentile(times_ms, 0.99), Percentile(times_ms, 1));
  std::fflush(stdout);
}

// Rooms from `first_room` on, each at a steady rate; how long their appends took.
std::vector<double> RunSteadyRooms(SqliteJournal& journal, Executor& executor, int first_room,
                                   int room_count, int appends_per_s, int seconds) {
  std::vector<std::unique_ptr<SteadyRoom>> rooms;
  for (int r = first_room; r < first_room + room_count; ++r) {
    rooms.push_back(std::make_unique<SteadyRoom>(journal, executor, r, appends_per_s, seconds));
  }
  for (auto& room : rooms) executor.Post([&room] { room->Tick(); });
  WaitFor(executor, [&] {
    return std::all_of(rooms.begin(), rooms.end(),
                       [&](const auto& room) { return room->done(appends_per_s * seconds); });
  });
  std::vector<double> all;
  for (const auto& room : rooms) {
    all.insert(all.end(), room->latencies_ms().begin(), room->latencies_ms().end());
  }
  return all;
}

void PrintLatencies(const std::vector<double>& ms) {
  std::printf("p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms\n", Percentile(ms, 0.5),
              Percentile(ms, 0.99), Percentile(ms, 0.999), Percentile(ms, 1));
  std::fflush(stdout);
}

void MeasureCommit(const std::string& path, int room_count, int appends_per_s, int seconds) {
  RemoveJournal(path);
  ThreadExecutor executor(SystemClock(), "rooms");
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  const std::vector<double> ms =
      RunSteadyRooms(*journal, executor, 0, room_count, appends_per_s, seconds);
  std::printf("commit: %2d rooms x %3d appends/s, %d s: ", room_count, appends_per_s, seconds);
  PrintLatencies(ms);
  journal.reset();
  executor.Stop();
}

// A case in rows of 32 records, as a busy theatre's are.
Tombstone WriteBigCase(const std::string& path, int record_count) {
  WaitingExecutor executor;
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  CaseScript script(CaseIdOf(1'000'000), 1, 1);
  script.ForgetRecords();
  if (!journal->CreateCase(script.case_id()).ok()) std::exit(1);
  std::vector<uint32_t> lanes(32, 5);
  lanes[0] = 2;
  while (script.last_seq() < static_cast<uint64_t>(record_count)) {
    const absl::Status status = AppendAndWait(*journal, executor, script.Next(lanes, kBodyBytes));
    if (!status.ok()) Fail(status);
  }
  return TombstoneOf(script);
}

// The same load before, while and after a case is purged that is not in the system's cache.
void MeasurePurge(const std::string& path, int room_count, int appends_per_s, int record_count) {
  constexpr int kSliceSeconds = 2;
  RemoveJournal(path);
  const Tombstone tombstone = WriteBigCase(path, record_count);
  DropFromCache(path);
  ThreadExecutor executor(SystemClock(), "rooms");
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  int room = 0;
  // New rooms each time, so that each figure has as many openings of cases in it.
  const auto run = [&](std::vector<double>* all) {
    room += room_count;
    const std::vector<double> slice =
        RunSteadyRooms(*journal, executor, room, room_count, appends_per_s, kSliceSeconds);
    all->insert(all->end(), slice.begin(), slice.end());
  };
  const auto run_alone = [&](const char* when) {
    std::vector<double> alone;
    for (int i = 0; i < 5; ++i) run(&alone);
    std::printf("  %s: ", when);
    PrintLatencies(alone);
  };
  const double megabytes = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  std::printf("purge: %2d rooms x %3d appends/s, %.0f MB\n", room_count, appends_per_s, megabytes);
  run_alone("before");
  const DeviceTime start = SystemClock().Now();
  std::atomic<bool> purged{false};
  executor.Post([&] {
    journal->Purge(tombstone, [&](absl::Status status) {
      if (!status.ok()) Fail(status);
      purged = true;
    });
  });
  std::vector<double> meanwhile;
  do {
    run(&meanwhile);
  } while (!purged || journal->purges_under_way() > 0);
  std::printf("  while, %.0f s: ", (SystemClock().Now() - start).seconds());
  PrintLatencies(meanwhile);
  run_alone("after");
  journal.reset();
  executor.Stop();
}

void MeasureThroughput(const std::string& path, int room_count, int records_per_append,
                       int under_way, int appends_per_room) {
  RemoveJournal(path);
  WaitingExecutor executor;
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  std::vector<CaseScript> scripts;
  std::vector<std::vector<CaseAppend>> appends(room_count);
  std::vector<uint32_t> lanes;
  for (int i = 0; i < records_per_append; ++i) lanes.push_back(i % 8 == 0 ? 2 : 3 + i % 3);
  for (int r = 0; r < room_count; ++r) {
    scripts.emplace_back(CaseIdOf(r), 1, r);
    scripts.back().ForgetRecords();
    if (!journal->CreateCase(CaseIdOf(r)).ok()) std::exit(1);
    for (int a = 0; a < appends_per_room; ++a) {
      appends[r].push_back(scripts[r].Next(lanes, kBodyBytes));
    }
  }
  std::vector<size_t> next(room_count);
  int done = 0;
  std::function<void(int)> append = [&](int r) {
    if (next[r] == appends[r].size()) return;
    journal->Append(appends[r][next[r]++], [&, r](absl::Status status) {
      if (!status.ok()) Fail(status);
      ++done;
      append(r);
    });
  };
  const DeviceTime start = SystemClock().Now();
  for (int r = 0; r < room_count; ++r) {
    for (int i = 0; i < under_way; ++i) append(r);
  }
  executor.RunUntil([&] { return done == room_count * appends_per_room; });
  const double seconds = (SystemClock().Now() - start).seconds();
  std::printf(
      "throughput: %2d rooms, %2d records of 1 KiB an append, %d under way a room: "
      "%.0f records/s, %.0f appends/s, log %.1f MB\n",
      room_count, records_per_append, under_way, done * records_per_append / seconds,
      done / seconds, static_cast<double>(std::filesystem::file_size(path + "-wal")) / 1e6);
  std::fflush(stdout);
}

void MeasureRead(const std::string& path) {
  RemoveJournal(path);
  WaitingExecutor executor;
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  CaseScript script(CaseIdOf(1), 1, 1);
  script.ForgetRecords();
  if (!journal->CreateCase(CaseIdOf(1)).ok()) std::exit(1);
  for (int i = 0; i < 4000; ++i) {
    std::vector<uint32_t> lanes;
    for (int k = 0; k < 12; ++k) lanes.push_back((i + k) % kLaneCount);
    journal->Append(script.Next(lanes, kBodyBytes), [](absl::Status) {});
    if (i % 500 == 0) journal->Flush().IgnoreError();
  }
  if (!journal->Flush().ok()) std::exit(1);
  for (int classes = 1; classes <= 3; ++classes) {
    ReadRequest request;
    request.case_id = script.case_id();
    request.control = classes & 1;
    request.bulk = classes & 2;
    std::vector<double> times_ms;
    uint64_t bytes = 0;
    while (true) {
      const DeviceTime start = SystemClock().Now();
      const auto page = ReadAndWait(*journal, executor, request);
      if (!page.ok()) Fail(page.status());
      times_ms.push_back((SystemClock().Now() - start).milliseconds());
      bytes += page->frames.size();
      if (page->next_seq == 0) break;
      request.from_seq = page->next_seq;
    }
    std::printf("read: %s: %zu pages of %.0f KiB: p50 %.2f ms, p99 %.2f ms\n",
                classes == 1   ? "control"
                : classes == 2 ? "bulk"
                               : "both, merged",
                times_ms.size(), static_cast<double>(bytes) / 1024 / times_ms.size(),
                Percentile(times_ms, 0.5), Percentile(times_ms, 0.99));
  }
}

int Benchmark(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s commit|throughput|read|start|closed|purge DIRECTORY [count]\n",
                 argv[0]);
    return 2;
  }
  const std::string what = argv[1];
  const std::string path = std::string(argv[2]) + "/benchmark.db";
  if (what == "commit") {
    MeasureDisk(path);
    for (const int rooms : {1, 20}) {
      for (const int rate : {10, 100}) MeasureCommit(path, rooms, rate, 10);
    }
    MeasureDisk(path);
  } else if (what == "throughput") {
    MeasureThroughput(path, 1, 1, 1, 3000);
    MeasureThroughput(path, 20, 1, 1, 2000);
    MeasureThroughput(path, 20, 8, 2, 800);
    MeasureThroughput(path, 20, 32, 4, 300);
  } else if (what == "read") {
    MeasureRead(path);
  } else if (what == "start") {
    MeasureStart(path, argc > 3 ? std::atoi(argv[3]) : 300'000);
  } else if (what == "closed") {
    MeasureStartWithClosedCases(path, argc > 3 ? std::atoi(argv[3]) : 10'000);
  } else if (what == "purge") {
    const int records = argc > 3 ? std::atoi(argv[3]) : 300'000;
    for (const int rate : {10, 100}) MeasurePurge(path, 20, rate, records);
  } else {
    std::fprintf(stderr, "no benchmark '%s'\n", argv[1]);
    return 2;
  }
  RemoveJournal(path);
  return 0;
}

}  // namespace
}  // namespace remora::hub

int main(int argc, char** argv) { return remora::hub::Benchmark(argc, argv); }
