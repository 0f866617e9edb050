// A whole theatre through the agent's analysis and into its spool, as fast as it goes: what it
// costs, how late each result is, how much memory it takes. One JSON line; theatre_table.py reads
// it.
//
//   remora-bench-theatre SOURCE PLAN SECONDS FOLDER          FOLDER: for the spool; must not exist
//   remora-bench-theatre SOURCE PLAN SECONDS --by-modality   what each modality costs alone
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/strip.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/open.h"
#include "acquisition-agent/spool/case_spool.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "common/clock.h"
#include "common/file_system.h"
#include "common/record_codec.h"
#include "common/status_macros.h"
#include "tests/bench/theatre/part_plans.h"
#include "tests/bench/theatre/real_time.h"
#include "tests/bench/theatre/result_times.h"

namespace remora::agent {
namespace {

// Source blocks are made before they are analysed, so much at a time: one part's caches are not
// those of the next.
constexpr int64_t kStretchNs = 1'000'000'000;

int64_t NowNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}
// With the disk, and while other programs have the processor.
int64_t WallNs() { return NowNs(CLOCK_MONOTONIC); }
// This thread's work.
int64_t CpuNs() { return NowNs(CLOCK_THREAD_CPUTIME_ID); }

double PeakMegabytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

std::string NameOf(v1::Modality modality) {
  const std::string name = v1::Modality_Name(modality);
  return std::string(absl::StripPrefix(name, "MODALITY_"));
}

CaseIdentity SomeIdentity() {
  CaseIdentity identity;
  identity.case_id = CaseId::FromBytes(std::string(16, 'c'));
  identity.origin = OriginId::FromBytes(std::string(16, 'o'));
  identity.boot_id = 1;
  return identity;
}

nlohmann::json Quantiles(std::vector<double> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double part) {
    const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(values.size())));
    return values[std::max<size_t>(rank, 1) - 1];
  };
  return {{"count", values.size()},
          {"p50", quantile(0.5)},
          {"p99", quantile(0.99)},
          {"most", values.back()}};
}

// What came of one modality, in ms.
struct Tally {
  uint64_t results = 0;
  bool of_sweep = false;
  std::vector<double> added_ms;  // of those whose last sample is known
  std::vector<double> added_by_wall_clock_ms;
  std::vector<double> in_block_ms;
};

// Into the spool, as a case does; and notes how late each result is.
class MeasuringSink : public RecordSink {
 public:
  explicit MeasuringSink(SpoolRecorder& recorder) : recorder_(recorder) {}
  void Expect(const ResolvedPlan& plan) { times_ = std::make_unique<ResultTimes>(plan); }

  // A block that ends at `end_ns`, and what came before it.
  absl::Status Take(const std::vector<Item>& items, int64_t end_ns, CaseAnalysis& analysis,
                    CaseSpool& spool) {
    const int64_t began_ns = CpuNs();
    by_work_.Begin(end_ns, began_ns);
    by_wall_.Begin(end_ns, WallNs());
    for (const Item& item : items) analysis.Take(item);
    if (spool.has_uncommitted_alert() || end_ns - committed_ns_ >= kCommitInterval.nanoseconds()) {
      RETURN_IF_ERROR(spool.Commit());
      committed_ns_ = end_ns;
    }
    const int64_t ended_ns = CpuNs();
    by_work_.End(ended_ns);
    by_wall_.End(WallNs());
    cpu_ns_ += ended_ns - began_ns;
    return absl::OkStatus();
  }
  double cpu_s() const { return static_cast<double>(cpu_ns_) / 1e9; }

  RecordKey Put(v1::Record* record, int64_t at_ns) override {
    const RecordKey key = recorder_.Put(record, at_ns);
    const int64_t work_ns = CpuNs();
    const int64_t wall_ns = WallNs();
    ++kinds_[static_cast<size_t>(record->body_case())];
    const std::optional<TimedResult> result = times_->Of(*record, key);
    if (!result) return key;
    Tally& tally = tallies_[result->modality];
    ++tally.results;
    tally.of_sweep = result->of_sweep;
    if (!result->last_sample_ns) return key;
    const std::optional<Lateness> late = by_work_.Of(*result->last_sample_ns, work_ns);
    const std::optional<Lateness> wall = by_wall_.Of(*result->last_sample_ns, wall_ns);
    if (!late || !wall) return key;
    tally.added_by_wall_clock_ms.push_back(static_cast<double>(wall->added_ns) / 1e6);
    tally.added_ms.push_back(static_cast<double>(late->added_ns) / 1e6);
    tally.in_block_ms.push_back(static_cast<double>(late->in_block_ns) / 1e6);
    return key;
  }

  nlohmann::json ToJson(const std::vector<v1::Modality>& planned) const {
    nlohmann::json told;
    Tally sweeps;
    for (const v1::Modality modality : planned) {
      const auto found = tallies_.find(modality);
      const Tally tally = found == tallies_.end() ? Tally() : found->second;
      told["modalities"].push_back(
          {{"name", NameOf(modality)},
           {"results", tally.results},
           {"of_sweep", tally.of_sweep},
           {"added_ms", Quantiles(tally.added_ms)},
           {"added_by_wall_clock_ms", Quantiles(tally.added_by_wall_clock_ms)},
           {"in_block_ms", Quantiles(tally.in_block_ms)}});
      if (!tally.of_sweep) continue;
      sweeps.added_ms.insert(sweeps.added_ms.end(), tally.added_ms.begin(), tally.added_ms.end());
      sweeps.in_block_ms.insert(sweeps.in_block_ms.end(), tally.in_block_ms.begin(),
                                tally.in_block_ms.end());
    }
    told["sweeps"] = {{"added_ms", Quantiles(sweeps.added_ms)},
                      {"in_block_ms", Quantiles(sweeps.in_block_ms)}};
    for (size_t kind = 0; kind < kinds_.size(); ++kind) {
      if (kinds_[kind] == 0) continue;
      told["kinds"][v1::Record::descriptor()->FindFieldByNumber(static_cast<int>(kind))->name()] =
          kinds_[kind];
    }
    return told;
  }

 private:
  SpoolRecorder& recorder_;
  std::unique_ptr<ResultTimes> times_;
  RealTime by_work_;
  RealTime by_wall_;
  int64_t cpu_ns_ = 0;
  int64_t committed_ns_ = 0;
  std::map<v1::Modality, Tally> tallies_;
  std::array<uint64_t, 128> kinds_{};  // by number of the body
};

// Encodes, and keeps nothing.
class EncodingSink : public RecordSink {
 public:
  RecordKey Put(v1::Record* record, int64_t at_ns) override {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
    const RecordKey key{identity_.origin, lane, ++counts_[lane]};
    EncodeRecord(identity_, lane, key.origin_seq, at_ns, at_ns, record);
    return key;
  }

 private:
  const CaseIdentity identity_ = SomeIdentity();
  uint64_t counts_[kLaneCount] = {};
};

// A block with all that came before it and after the block before; nothing: the source has ended.
absl::StatusOr<std::vector<Item>> NextBlock(SignalSource& source) {
  std::vector<Item> items;
  do {
    ASSIGN_OR_RETURN(Item item, source.Next());
    if (std::holds_alternative<EndOfSource>(item)) return std::vector<Item>();
    items.push_back(std::move(item));
  } while (!std::holds_alternative<SampleBlock>(items.back()));
  return items;
}

int64_t EndOf(const std::vector<Item>& items) {
  return items.empty() ? 0 : std::get<SampleBlock>(items.back()).end_time_ns;
}

absl::Status MeasureWhole(SignalSource& source, const CasePlan& plan, int64_t until_ns,
                          const std::string& folder) {
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  const std::unique_ptr<Clock> clock = MakeSystemClock();
  const CaseIdentity identity = SomeIdentity();
  SpoolOptions options;
  options.directory = folder;
  options.case_id = identity.case_id;
  options.origin = identity.origin;
  RecoveryReport recovered;
  ASSIGN_OR_RETURN(std::unique_ptr<CaseSpool> spool, CaseSpool::Open(*files, options, &recovered));
  if (recovered.found) return absl::InvalidArgumentError(folder + ": holds a case already");
  SpoolRecorder recorder(identity, *spool, *clock, {});
  MeasuringSink sink(recorder);
  ASSIGN_OR_RETURN(auto analysis, CaseAnalysis::Create(plan, source.info(), sink));
  sink.Expect(analysis->resolved_plan());
  analysis->Begin();
  int64_t reached_ns = 0;
  while (reached_ns < until_ns) {
    ASSIGN_OR_RETURN(const std::vector<Item> items, NextBlock(source));
    if (items.empty()) break;
    reached_ns = EndOf(items);
    RETURN_IF_ERROR(sink.Take(items, reached_ns, *analysis, *spool));
  }
  RETURN_IF_ERROR(recorder.status());
  nlohmann::json told = sink.ToJson(ModalitiesOf(plan.plan));
  told["cpu_s"] = sink.cpu_s();
  told["simulated_s"] = static_cast<double>(reached_ns) / 1e9;
  told["channels"] = source.info().channels.size();
  told["sample_rate_hz"] = source.info().rate_groups[0].sample_rate_hz;
  told["peak_mb"] = PeakMegabytes();
  std::printf("%s\n", told.dump().c_str());
  return absl::OkStatus();
}

struct Part {
  std::string name;
  CasePlan plan;
  std::unique_ptr<EncodingSink> sink = std::make_unique<EncodingSink>();
  std::unique_ptr<CaseAnalysis> analysis;
  int64_t cpu_ns = 0;
};

absl::Status MeasureParts(SignalSource& source, const CasePlan& plan, int64_t until_ns) {
  std::vector<Part> parts;
  parts.push_back({"all", plan, std::make_unique<EncodingSink>(), nullptr, 0});
  for (const v1::Modality modality : ModalitiesOf(plan.plan)) {
    parts.push_back(
        {NameOf(modality), PartOf(plan, modality), std::make_unique<EncodingSink>(), nullptr, 0});
  }
  for (Part& part : parts) {
    ASSIGN_OR_RETURN(part.analysis, CaseAnalysis::Create(part.plan, source.info(), *part.sink));
    part.analysis->Begin();
  }
  int64_t reached_ns = 0;
  for (bool ended = false; !ended && reached_ns < until_ns;) {
    std::vector<Item> stretch;
    const int64_t stretch_until_ns = std::min(reached_ns + kStretchNs, until_ns);
    while (!ended && reached_ns < stretch_until_ns) {
      ASSIGN_OR_RETURN(std::vector<Item> items, NextBlock(source));
      ended = items.empty();
      if (ended) break;
      reached_ns = EndOf(items);
      std::move(items.begin(), items.end(), std::back_inserter(stretch));
    }
    for (Part& part : parts) {
      const int64_t began_ns = CpuNs();
      for (const Item& item : stretch) part.analysis->Take(item);
      part.cpu_ns += CpuNs() - began_ns;
    }
  }
  nlohmann::json told;
  for (const Part& part : parts) {
    told["cpu_s"][part.name] = static_cast<double>(part.cpu_ns) / 1e9;
  }
  told["simulated_s"] = static_cast<double>(reached_ns) / 1e9;
  std::printf("%s\n", told.dump().c_str());
  return absl::OkStatus();
}

absl::Status Run(const std::string& address, const std::string& plan_path, double seconds,
                 const std::string& how) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SignalSource> source, OpenSource(address));
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  ASSIGN_OR_RETURN(const CasePlan plan, LoadCasePlan(*files, plan_path));
  const auto until_ns = static_cast<int64_t>(seconds * 1e9);
  if (how == "--by-modality") return MeasureParts(*source, plan, until_ns);
  return MeasureWhole(*source, plan, until_ns, how);
}

}  // namespace
}  // namespace remora::agent

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr,
                 "remora-bench-theatre SOURCE PLAN SECONDS FOLDER\n"
                 "remora-bench-theatre SOURCE PLAN SECONDS --by-modality\n");
    return 2;
  }
  const absl::Status status = remora::agent::Run(argv[1], argv[2], std::atof(argv[3]), argv[4]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}
