// libFuzzer target for plans: any three texts (plan, montage, criteria, with a line "---" between
// them) give a plan whose records are those of the contract (CheckCasePlan makes them) and that is
// resolved over a source, each entry of it, or an error that names its file.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/planned_traces.h"
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

void RequireDerivation(const ResolvedDerivation& derivation) {
  Require(!derivation.plus.empty() && derivation.sample_rate_hz > 0, "a derivation of nothing");
}

// Everything that the pipelines take for granted.
void RequireEntries(const CasePlan& plan, const ResolvedPlan& resolved) {
  std::vector<std::string> ids;
  for (const ResolvedEvoked& evoked : resolved.evoked) {
    ids.push_back(evoked.trace_id);
    Require(evoked.plan.epoch_to_ms() > evoked.plan.epoch_from_ms(), "an epoch");
    Require(evoked.plan.sweep_count() > 0, "an average of nothing");
  }
  for (const ResolvedEmg& emg : resolved.emg) {
    ids.push_back(emg.trace_id);
    Require(emg.plan.sent_rate_hz() > 0, "EMG that is never sent");
  }
  for (const ResolvedMotor& motor : resolved.motor) {
    Require(!motor.muscles.empty(), "a stimulus that nothing answers");
    Require(motor.plan.window_to_ms() > motor.plan.window_from_ms(), "a window");
    for (const ResolvedMuscle& muscle : motor.muscles) {
      ids.push_back(muscle.trace_id);
      Require(muscle.derivation.rate_group == motor.muscles[0].derivation.rate_group, "a rate");
    }
  }
  for (const ResolvedEeg& eeg : resolved.eeg) {
    ids.push_back(eeg.trace_id);
    Require(eeg.plan.step_s() > 0 && eeg.plan.window_s() >= eeg.plan.step_s(), "an EEG window");
    Require(eeg.plan.mirror_derivation().empty() == eeg.mirror_trace_id.empty(), "a mirror");
    Require(eeg.plan.has_after_discharge_trigger() == eeg.after_discharge.has_value(), "a trigger");
  }
  for (const ResolvedTrainOfFour& tof : resolved.train_of_four) {
    ids.push_back(tof.trace_id);
    Require(tof.plan.window_to_ms() > tof.plan.window_from_ms(), "a window");
  }
  for (const ResolvedMapping& mapping : resolved.mapping) {
    ids.insert(ids.end(), mapping.trace_ids.begin(), mapping.trace_ids.end());
    Require(mapping.derivations.size() == mapping.trace_ids.size(), "a contact");
    Require(mapping.derivations.size() >= 2, "a strip of one contact");
  }
  for (const ResolvedDerivation* derivation : resolved.derivations())
    RequireDerivation(*derivation);
  std::vector<std::string> planned;
  for (const PlannedTrace& trace : PlannedTraces(plan.plan)) planned.push_back(trace.trace_id);
  Require(ids == planned, "a trace that is not the plan's");
  std::sort(ids.begin(), ids.end());
  Require(std::adjacent_find(ids.begin(), ids.end()) == ids.end(), "two traces of one name");
  const std::vector<const ResolvedTrigger*> triggers = resolved.triggers();
  for (size_t i = 0; i < triggers.size(); ++i) {
    Require(triggers[i]->listener == i, "listeners have holes");
    Require(!StimulusName(triggers[i]->plan).empty(), "a stimulus without a name");
  }
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
  RequireEntries(*plan, *resolved);
  return 0;
}
