#include "tests/bench/load/control_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace remora::bench {

ControlPage* MapControlPage(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  void* page = MAP_FAILED;
  if (file >= 0 && ftruncate(file, sizeof(ControlPage)) == 0) {
    page = mmap(nullptr, sizeof(ControlPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  if (page == MAP_FAILED) {
    std::perror(path.c_str());
    std::exit(1);
  }
  close(file);
  return static_cast<ControlPage*>(page);
}

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

void SleepUntilNs(int64_t when_ns) {
  const timespec when{when_ns / 1'000'000'000, when_ns % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR) {
  }
}

double CpuSeconds(int pid) {
  clockid_t clock;
  timespec used;
  if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0) return 0;
  if (clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

double StatusMib(int pid, const char* key) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind(key, 0) == 0) return std::atof(line.c_str() + std::strlen(key)) / 1024.0;
  }
  return 0;
}

}  // namespace remora::bench
