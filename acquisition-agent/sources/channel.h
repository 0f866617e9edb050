// What a source knows about one of its channels, and how a channel is found by the name a person
// wrote.
//
// Immutable after the source is open; copied freely. Used by sources (to fill), pipelines (to
// scale, to detect clipping) and the app (to resolve a montage against a recording).
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora::agent {

// One channel. Samples are in microvolts if `is_voltage`, otherwise in `unit` as the device names
// it (a trigger line has the unit "").
//
//   sample = uv_offset + uv_per_count * count        count in [digital_min, digital_max]
//
// uv_per_count is negative for a channel recorded with inverted polarity; the sample is right as it
// is.
struct ChannelInfo {
  std::string label;           // unique within the source
  std::string original_label;  // as the device or file wrote it; differs only for duplicates
  std::string unit;            // "uV" if is_voltage (whatever the file used), else as recorded
  bool is_voltage = true;
  double sample_rate_hz = 0;  // > 0
  int rate_group = 0;         // index into SourceInfo::rate_groups

  double uv_per_count = 0;  // the digital resolution; never 0
  double uv_offset = 0;     // the sample at count 0
  int32_t digital_min = 0;
  int32_t digital_max = 0;  // > digital_min
  double physical_min = 0;  // the sample at digital_min, in uV (or `unit`)
  double physical_max = 0;  // the sample at digital_max; below physical_min if polarity is inverted

  // Codes in its low 16 bits, device states above them (BDF "Status"): its height means nothing.
  bool is_status_word = false;

  std::string prefilter;   // "HP:0.1Hz LP:75Hz"; as recorded, may be empty
  std::string transducer;  // "AgAgCl electrode"; as recorded, may be empty

  // The digital count that this sample came from (exact for samples of this channel).
  int64_t CountOf(double sample) const { return std::llround((sample - uv_offset) / uv_per_count); }
  // True at or beyond either end of the digital range: the true voltage is unknown there. Also true
  // for NaN and infinity.
  bool IsClipped(double sample) const {
    if (!std::isfinite(sample)) return true;
    const double count = (sample - uv_offset) / uv_per_count;
    return count <= digital_min + 0.5 || count >= digital_max - 0.5;
  }
};

// How many microvolts one of `dimension` is ("uV" 1, "mV" 1000); empty if it is no voltage.
std::optional<double> MicrovoltsPer(const std::string& dimension);

// The range of a channel whose samples come as floating-point numbers: no converter's limits are
// known. 2^31 steps of 0.001 to either side: +-2.1 V for a voltage, finer than any amplifier. A
// sample beyond is told as clipped.
void SetFloatRange(ChannelInfo* channel);

// Sets `label` from `original_label`: the first of equal ones keeps it, the others get " #2",
// " #3". Each that was changed is noted.
void MakeLabelsUnique(std::vector<ChannelInfo>* channels, std::vector<std::string>* notes);

// The index of the channel that `name` means. Tried in this order, the first that fits wins: the
// unique label; the same without regard to case; the label without the EDF signal type before it
// and the reference after it ("EEG CP3-Ref" is found as "CP3"). Two that fit equally well are an
// error.
//   kNotFound         no such channel; the message lists what there is
//   kInvalidArgument  more than one fits; the message names them
absl::StatusOr<int> FindChannel(const std::vector<ChannelInfo>& channels, absl::string_view name);

}  // namespace remora::agent
