// A plan laid over a source: which channels every trace is made of, at which rate, and whether its
// filter is possible.
//
// Made once by the app, handed to the pipelines; an immutable value. Holds copies, no pointers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/filter/sos.h"

namespace remora::agent {

// Indexes into SourceInfo::channels. All of one rate group.
struct ResolvedDerivation {
  std::string name;
  int rate_group = 0;
  double sample_rate_hz = 0;
  std::vector<int> plus;
  std::vector<int> minus;
};

// How the stimuli of one entry are told from all others. Whoever has one is a listener: a stimulus
// says by index whose it is.
struct ResolvedTrigger {
  size_t listener = 0;
  v1::TriggerPlan plan;
  int channel = -1;  // -1: by label or code
  double threshold = 0;
};

struct ResolvedEvoked {
  v1::EvokedPlan plan;
  std::string trace_id;
  ResolvedTrigger trigger;
  ResolvedDerivation derivation;
  dsp::Cascade filter;
};

struct ResolvedEmg {
  v1::EmgPlan plan;  // with its filter
  std::string trace_id;
  ResolvedDerivation derivation;
  dsp::Cascade filter;
};

struct ResolvedMuscle {
  v1::MusclePlan plan;
  std::string trace_id;
  ResolvedDerivation derivation;
};

struct ResolvedMotor {
  v1::MotorPlan plan;  // with its filter
  ResolvedTrigger trigger;
  std::vector<ResolvedMuscle> muscles;  // of one rate group
  dsp::Cascade filter;
};

struct ResolvedEeg {
  v1::EegPlan plan;
  std::string trace_id;
  std::string mirror_trace_id;  // of the other side; empty: none
  std::optional<ResolvedTrigger> after_discharge;
  ResolvedDerivation derivation;
  dsp::Cascade filter;
};

struct ResolvedTrainOfFour {
  v1::TrainOfFourPlan plan;  // with its filter
  std::string trace_id;
  ResolvedTrigger trigger;
  ResolvedDerivation derivation;
  dsp::Cascade filter;
};

struct ResolvedMapping {
  v1::MappingPlan plan;
  ResolvedTrigger trigger;
  // By contact; where the contacts are stimulated, the same one for all.
  std::vector<ResolvedDerivation> derivations;
  std::vector<std::string> trace_ids;
  dsp::Cascade filter;
};

struct ResolvedPlan {
  double mains_hz = 50;
  std::vector<ResolvedEvoked> evoked;
  std::vector<ResolvedEmg> emg;
  std::vector<ResolvedMotor> motor;
  std::vector<ResolvedEeg> eeg;
  std::vector<ResolvedTrainOfFour> train_of_four;
  std::vector<ResolvedMapping> mapping;

  // Every trigger by its listener, dense from 0.
  std::vector<const ResolvedTrigger*> triggers() const;
  // Every derivation that samples are needed of.
  std::vector<const ResolvedDerivation*> derivations() const;
};

// InvalidArgument: an electrode that the source does not have (its labels are listed), channels of
// different rates in one derivation or muscles of different rates after one stimulus, a channel
// that is no voltage, a corner at or over half the sample rate, a trigger channel whose threshold
// cannot be told, a label that none of the stimuli that the source knows of begins with.
absl::StatusOr<ResolvedPlan> ResolvePlan(const CasePlan& plan, const SourceInfo& source);

// Whether a stimulus of that label, or of the annotation that it comes from, is the plan's. A
// leading "STIM " counts for nothing on either side.
bool BeginsWithPrefix(absl::string_view label, absl::string_view prefix);

// Sections for a setting at a rate; a notch comes after the band-pass.
absl::StatusOr<dsp::Cascade> DesignFilter(const v1::FilterSetting& filter, double sample_rate_hz);

}  // namespace remora::agent
