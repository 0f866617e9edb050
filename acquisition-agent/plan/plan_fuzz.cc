// libFuzzer target for plans: any three texts (plan, montage, criteria, with a line "---" between
// them) give a plan that is resolved over a source, or an error that names its file.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "common/testing/fake_file_system.h"

namespace {

using namespace remora;         // NOLINT
using namespace remora::agent;  // NOLINT

void Require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "plan_fuzz: %s\n", what.c_str());
  std::abort();
}

SourceInfo EightChannels() {
  SourceInfo info;
  for (const char* label : {"C3", "C4", "Cz", "Fz", "TA L", "TA R", "G1", "TRIG"}) {
    ChannelInfo channel;
    channel.label = label;
    channel.sample_rate_hz = 5000;
    channel.uv_per_count = 0.1;
    info.channels.push_back(channel);
  }
  info.rate_groups = {RateGroup{5000, {0, 1, 2, 3, 4, 5, 6, 7}}};
  return info;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  std::vector<std::string> parts = absl::StrSplit(text, "\n---\n");
  parts.resize(3);
  FakeFileSystem files;
  const char* names[] = {"/p/a.plan", "/p/a.montage", "/p/a.criteria"};
  Require(files.CreateDirectory("/p").ok(), "a folder");
  for (size_t i = 0; i < 3; ++i) {
    auto file = files.OpenAppend(names[i]);
    Require(file.ok() && (*file)->Append(parts[i]).ok(), "a file");
  }
  const absl::StatusOr<CasePlan> plan = LoadCasePlan(files, names[0]);
  if (!plan.ok()) {
    const std::string message(plan.status().message());
    Require(absl::StrContains(message, "/p/"), "an error that names no file: " + message);
    return 0;
  }
  const absl::StatusOr<ResolvedPlan> resolved = ResolvePlan(*plan, EightChannels());
  if (!resolved.ok()) {
    Require(!resolved.status().message().empty(), "an error without a word");
    return 0;
  }
  for (const ResolvedEvoked& evoked : resolved->evoked) {
    Require(evoked.plan.epoch_to_ms() > evoked.plan.epoch_from_ms(), "an epoch");
    Require(evoked.plan.sweep_count() > 0, "an average of nothing");
  }
  return 0;
}
