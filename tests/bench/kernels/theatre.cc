// A whole theatre through the agent's analysis, as fast as it goes: what it costs, and how long a
// result takes once its last samples are there. One JSON line.
//
//   remora-bench-theatre SOURCE PLAN SECONDS [source-only]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/open.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "common/file_system.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double NowMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

double ResidentMib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    double kib = 0;
    status >> kib;
    return kib / 1024;
  }
  return 0;
}

// Encodes as a case does, and keeps nothing.
class MeasuringSink : public RecordSink {
 public:
  RecordKey Put(v1::Record* record, int64_t at_ns) override {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
    const RecordKey key{origin_, lane, ++counts_[lane]};
    record->set_case_id(std::string(16, 'c'));
    record->set_origin(origin_.ToString());
    record->set_lane(lane);
    record->set_origin_seq(key.origin_seq);
    record->mutable_captured_at()->set_monotonic_ns(at_ns);
    bytes_ += record->SerializeAsString().size();
    ++records_;
    if (record->has_sweep() && !record->sweep().provisional()) {
      took_ms_.push_back(NowMs() - given_ms_);
    }
    return key;
  }

  void Given() { given_ms_ = NowMs(); }
  void Print(double cpu_s, double simulated_s) {
    std::sort(took_ms_.begin(), took_ms_.end());
    const auto quantile = [&](double part) {
      return took_ms_.empty() ? 0.0
                              : took_ms_[static_cast<size_t>(
                                    part * static_cast<double>(took_ms_.size() - 1))];
    };
    std::printf(
        "{\"cpu_s\":%.3f,\"simulated_s\":%.1f,\"records\":%llu,\"bytes\":%llu,\"sweeps\":%zu,"
        "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"most_ms\":%.3f,\"peak_mib\":%.1f}\n",
        cpu_s, simulated_s, static_cast<unsigned long long>(records_),
        static_cast<unsigned long long>(bytes_), took_ms_.size(), quantile(0.5), quantile(0.99),
        quantile(1), ResidentMib());
  }

 private:
  const OriginId origin_ = OriginId::FromBytes(std::string(16, 'o'));
  uint64_t counts_[16] = {};
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  double given_ms_ = 0;
  std::vector<double> took_ms_;
};

int Run(const std::string& address, const std::string& plan_path, double seconds, bool alone) {
  auto source = OpenSource(address);
  if (!source.ok()) {
    std::fprintf(stderr, "%s\n", std::string(source.status().message()).c_str());
    return 1;
  }
  MeasuringSink sink;
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  const absl::StatusOr<CasePlan> plan = LoadCasePlan(*files, plan_path);
  if (!plan.ok()) {
    std::fprintf(stderr, "%s\n", std::string(plan.status().message()).c_str());
    return 1;
  }
  auto analysis = CaseAnalysis::Create(*plan, (*source)->info(), sink);
  if (!analysis.ok()) {
    std::fprintf(stderr, "%s\n", std::string(analysis.status().message()).c_str());
    return 1;
  }
  (*analysis)->Begin();
  const double began = CpuSeconds();
  for (int64_t reached_ns = 0; static_cast<double>(reached_ns) < seconds * 1e9;) {
    const absl::StatusOr<Item> item = (*source)->Next();
    if (!item.ok() || std::holds_alternative<EndOfSource>(*item)) break;
    if (const auto* block = std::get_if<SampleBlock>(&*item)) reached_ns = block->end_time_ns;
    sink.Given();
    if (!alone) (*analysis)->Take(*item);
  }
  sink.Print(CpuSeconds() - began, seconds);
  return 0;
}

}  // namespace
}  // namespace remora::agent

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "remora-bench-theatre SOURCE PLAN SECONDS [source-only]\n");
    return 2;
  }
  const bool alone = argc > 4 && std::strcmp(argv[4], "source-only") == 0;
  return remora::agent::Run(argv[1], argv[2], std::atof(argv[3]), alone);
}
