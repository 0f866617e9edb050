// remora-simulation: runs seeds (docs/testing.md).
//
//   remora-simulation --seed 1 --count 2000 [--jobs 2] [--resume FILE] [--require-each N]
//   remora-simulation --replay SEED [--verbose]
//
// Exits 1 when a seed has a finding, and says how to replay it; or when a class of faults was hit
// less than N times.

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tests/simulation/world.h"

namespace remora::simulation {
namespace {

constexpr uint64_t kRange = 200;  // seeds between two lines of the resume file
constexpr int kMaxFindings = 20;

// For the handler of a crash: which seed this thread runs.
thread_local uint64_t current_seed = 0;

void OnCrash(int signal) {
  char text[128];
  const int size =
      std::snprintf(text, sizeof(text), "\nsignal %d: remora-simulation --replay %llu --verbose\n",
                    signal, static_cast<unsigned long long>(current_seed));
  if (write(STDERR_FILENO, text, static_cast<size_t>(size)) < 0) _exit(3);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

struct Arguments {
  uint64_t first = 1;
  uint64_t count = 1;
  unsigned jobs = 1;
  std::string resume;
  uint64_t require_each = 0;
  bool replay = false;
  bool verbose = false;
  Planted planted = Planted::kNone;
};

bool ReadPlanted(const std::string& name, Planted* planted) {
  const std::map<std::string, Planted> names = {{"lost-sync", Planted::kLostSync},
                                                {"swapped-order", Planted::kSwappedOrder},
                                                {"unbounded-queue", Planted::kUnboundedQueue},
                                                {"skipped-gap", Planted::kSkippedGap},
                                                {"unkept-archive", Planted::kUnkeptArchive}};
  const auto it = names.find(name);
  if (it != names.end()) *planted = it->second;
  return it != names.end();
}

bool ReadArguments(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--verbose") {
      arguments->verbose = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string value = argv[++i];
    bool good = false;
    if (name == "--seed") good = absl::SimpleAtoi(value, &arguments->first);
    if (name == "--count") good = absl::SimpleAtoi(value, &arguments->count);
    if (name == "--jobs") good = absl::SimpleAtoi(value, &arguments->jobs);
    if (name == "--require-each") good = absl::SimpleAtoi(value, &arguments->require_each);
    if (name == "--plant") good = ReadPlanted(value, &arguments->planted);
    if (name == "--replay") {
      good = absl::SimpleAtoi(value, &arguments->first);
      arguments->replay = true;
    }
    if (name == "--resume") {
      good = true;
      arguments->resume = value;
    }
    if (!good) return false;
  }
  return arguments->count > 0 && arguments->jobs > 0;
}

// Ranges of seeds that are finished, with what they counted; one line each.
class Ledger {
 public:
  explicit Ledger(const std::string& path) : path_(path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) Take(line);
  }

  bool IsDone(uint64_t first, uint64_t last) const {
    const auto it = done_.find(first);
    return it != done_.end() && it->second == last;
  }
  void Finish(uint64_t first, uint64_t last, const Counters& counters, bool clean) {
    total_.Add(counters);
    if (path_.empty() || !clean) return;
    std::string line = absl::StrCat(first, " ", last);
    for (const auto& [name, count] : counters.counts()) {
      absl::StrAppend(&line, "\t", name, "=", count);
    }
    std::ofstream(path_, std::ios::app) << line << "\n" << std::flush;
  }
  const Counters& total() const { return total_; }

 private:
  void Take(const std::string& line) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    const std::vector<std::string> range = absl::StrSplit(parts[0], ' ');
    uint64_t first = 0;
    uint64_t last = 0;
    if (range.size() != 2 || !absl::SimpleAtoi(range[0], &first) ||
        !absl::SimpleAtoi(range[1], &last)) {
      return;
    }
    done_[first] = last;
    for (size_t i = 1; i < parts.size(); ++i) {
      const size_t equals = parts[i].rfind('=');
      uint64_t count = 0;
      if (equals != std::string::npos && absl::SimpleAtoi(parts[i].substr(equals + 1), &count)) {
        total_.Add(parts[i].substr(0, equals), count);
      }
    }
  }

  const std::string path_;
  std::map<uint64_t, uint64_t> done_;
  Counters total_;
};

class Runner {
 public:
  explicit Runner(const Arguments& arguments) : arguments_(arguments), ledger_(arguments.resume) {}

  int Run() {
    next_ = arguments_.first;
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < arguments_.jobs; ++i) threads.emplace_back([this] { Work(); });
    threads.clear();
    for (const auto& [name, count] : ledger_.total().counts()) {
      std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
    }
    std::printf("%llu seeds, %d with a finding\n",
                static_cast<unsigned long long>(ledger_.total()["seeds"]), findings_);
    return findings_ == 0 && HasEnoughOfEach() ? 0 : 1;
  }

 private:
  bool HasEnoughOfEach() const {
    bool enough = true;
    for (const std::string& name : FaultClasses()) {
      const uint64_t count = ledger_.total()[name];
      if (count >= arguments_.require_each) continue;
      enough = false;
      std::printf("only %llu times of %llu: %s\n", static_cast<unsigned long long>(count),
                  static_cast<unsigned long long>(arguments_.require_each), name.c_str());
    }
    return enough;
  }

  void Work() {
    const uint64_t end = arguments_.first + arguments_.count;
    while (true) {
      uint64_t first;
      uint64_t last;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (next_ >= end || findings_ >= kMaxFindings) return;
        first = next_;
        next_ = last = std::min(end, first + kRange);
        --last;
        if (ledger_.IsDone(first, last)) continue;
      }
      RunRange(first, last);
    }
  }

  void RunRange(uint64_t first, uint64_t last) {
    Counters counters;
    bool clean = true;
    for (uint64_t seed = first; seed <= last; ++seed) {
      current_seed = seed;
      RunOptions options;
      options.seed = seed;
      options.planted = arguments_.planted;
      const Report report = RunSeed(options);
      counters.Add(report.counters);
      if (report.finding.empty()) continue;
      clean = false;
      const std::lock_guard<std::mutex> lock(mutex_);
      ++findings_;
      std::printf("seed %llu: %s\n  replay: remora-simulation --replay %llu --verbose\n",
                  static_cast<unsigned long long>(seed), report.finding.c_str(),
                  static_cast<unsigned long long>(seed));
      std::fflush(stdout);
      if (findings_ >= kMaxFindings) break;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    // A range with a finding is run again once it is mended.
    ledger_.Finish(first, last, counters, clean);
  }

  const Arguments arguments_;
  std::mutex mutex_;
  Ledger ledger_;
  uint64_t next_ = 0;
  int findings_ = 0;
};

int Replay(const Arguments& arguments) {
  RunOptions options;
  options.seed = current_seed = arguments.first;
  options.planted = arguments.planted;
  if (arguments.verbose) {
    options.log = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  }
  const Report report = RunSeed(options);
  for (const auto& [name, count] : report.counters.counts()) {
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  }
  std::printf("seed %llu: %s, fingerprint %016llx\n", static_cast<unsigned long long>(report.seed),
              report.finding.empty() ? "no finding" : report.finding.c_str(),
              static_cast<unsigned long long>(report.fingerprint));
  return report.finding.empty() ? 0 : 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!ReadArguments(argc, argv, &arguments)) {
    std::fprintf(
        stderr,
        "remora-simulation --seed N --count M [--jobs J] [--resume FILE] [--require-each N]"
        " [--plant BUG]\n"
        "remora-simulation --replay SEED [--verbose] [--plant BUG]\n"
        "BUG: lost-sync, swapped-order, unbounded-queue, skipped-gap, unkept-archive\n");
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE}) std::signal(signal, OnCrash);
  return arguments.replay ? Replay(arguments) : Runner(arguments).Run();
}

}  // namespace
}  // namespace remora::simulation

int main(int argc, char** argv) { return remora::simulation::Main(argc, argv); }
