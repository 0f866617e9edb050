// Finds and opens LSL streams, and describes what they carry. Blocks while it looks for them; used
// once, when a source is opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/channel.h"
#include "acquisition-agent/sources/lsl/api.h"

namespace remora::agent::lsl {

// An open inlet; destroyed with this. Not copied: owned by one source.
class OpenStream {
 public:
  OpenStream(const LslApi& api, Inlet inlet) : api_(api), inlet_(inlet) {}
  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;
  ~OpenStream() { api_.destroy_inlet(inlet_); }

  Inlet inlet() const { return inlet_; }
  // Samples at a nominal rate; otherwise markers, as text or as numbers.
  bool has_samples() const { return rate_hz > 0 && format != kString; }

  std::string name;  // cleaned
  std::string type;
  std::string host;
  double rate_hz = 0;  // nominal; 0 if irregular
  int32_t format = kFloat32;
  int32_t channel_count = 0;
  std::vector<ChannelInfo> channels;  // of a stream of samples; rate_group is not set
  std::vector<double> uv_per_unit;    // of each: what a value is to be multiplied by
  double correction_s = 0;            // its clock to this machine's: to add
  std::vector<std::string> notes;

 private:
  const LslApi& api_;
  const Inlet inlet_;
};

// Opens the streams called `names`, or, without names, the one of type `type`; with both, of that
// name and type. `api` outlives them.
//   kNotFound            no such stream within `wait_s`; the message names those that are there
//   kInvalidArgument     several streams fit; or one that cannot be read (rate, channels)
//   kUnavailable         found, but it does not answer
absl::StatusOr<std::vector<std::unique_ptr<OpenStream>>> OpenStreams(
    const LslApi& api, const std::vector<std::string>& names, const std::string& type,
    double wait_s);

}  // namespace remora::agent::lsl
