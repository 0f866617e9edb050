// Which stimuli a recording holds: from its annotations, or from a trigger channel. The same for
// all formats; pure, thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

struct TriggerOptions {
  enum class From {
    kAuto,  // annotations with the prefix if there are any, else FindTriggerChannel
    kAnnotations,
    kChannel,
    kNone,
  };
  From from = From::kAuto;
  std::string annotation_prefix = "STIM";
  std::string channel;                         // for kChannel: see FindChannel
  double threshold = 0.5;                      // in the channel's unit; at or above is "on"
  std::map<int32_t, std::string> code_labels;  // names for codes, "1" -> "MED R"
};

// "STIM MED R 4.7Hz 25mA" with prefix "STIM": label "MED R", 4.7 Hz, 25 mA delivered. What is not a
// number with a unit belongs to the label. The text need not be anything: what cannot be read is
// label.
StimulusTrigger TriggerFromAnnotation(absl::string_view text, absl::string_view prefix,
                                      int64_t time_ns);

// The number of a marker: "S  1" 1, "R 12" 12, "17" 17; 0 where it has none.
int32_t CodeOf(absl::string_view label);

// As TriggerFromAnnotation, for markers that carry a code: `code` from the label, and the name that
// the options give that code.
StimulusTrigger TriggerFromMarker(absl::string_view text, absl::string_view prefix,
                                  const TriggerOptions& options);

// The channel that kAuto takes: one called TRIG, Trigger, STI, DTRIG or Status, with or without a
// type before it.
std::optional<int> FindTriggerChannel(const std::vector<ChannelInfo>& channels);

// What TriggerOptions come to in one recording.
struct TriggerChoice {
  bool annotations = false;    // those that begin with the prefix
  std::optional<int> channel;  // index into the channels; never together with annotations
  std::string note;            // for SourceInfo::notes; empty if nothing was to choose
};
// `texts`: the distinct annotations of the recording.
//   kInvalidArgument  the channel that was asked for is not there
absl::StatusOr<TriggerChoice> ChooseTriggers(const TriggerOptions& options,
                                             std::span<const std::string> texts,
                                             const std::vector<ChannelInfo>& channels);

// The names that stimuli of a trigger channel may have.
std::vector<std::string> LabelsOf(const TriggerChoice& choice, const TriggerOptions& options);
// SourceInfo::texts: labels, then others, each once, no empty ones.
std::vector<std::string> Distinct(std::vector<std::string> labels, std::vector<std::string> others);

// Finds stimuli in the samples of a trigger channel, sample by sample.
//
//   level channel: a rising edge, that is a sample at or above the threshold after one below it.
//   Its code is the sample rounded.
//
//   status channel (BDF "Status", 24 bits): a change of the low 16 bits to another value that is
//   not 0. Its code is those bits.
//
// The first sample of a recording is never an edge: what was before is unknown. The onset is the
// time of the sample; the true one lies within the sample period before it.
class TriggerChannel {
 public:
  TriggerChannel(const ChannelInfo& channel, const TriggerOptions& options);

  // Gives the next sample and the count it was stored as; returns the code if a stimulus begins
  // with it.
  std::optional<int32_t> Push(double sample, int64_t count);

  StimulusTrigger MakeTrigger(int32_t code, int64_t time_ns) const;

 private:
  const bool status_bits_;
  const double threshold_;
  const std::map<int32_t, std::string> code_labels_;
  std::optional<int32_t> previous_;  // level: 0 or 1; status: the low 16 bits
};

// The stimuli that begin in a block, in order. `channel`: the index of the trigger channel, which
// is of the block's rate group. Samples that are no number are passed over.
std::vector<StimulusTrigger> TriggersIn(const SampleBlock& block, const SourceInfo& info,
                                        int channel, TriggerChannel* trigger_channel);

}  // namespace remora::agent
