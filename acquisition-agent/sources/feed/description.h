// What devices say they are, as one source: channels and rate groups of all of them, one after the
// other, and their counts as microvolts. Stateless; any thread.
#pragma once

#include <string>
#include <vector>

#include "acquisition-agent/sources/feed/message.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::feed {

// Microvolts that a unit stands for; 0 for what is no voltage.
double MicrovoltsOf(absl::string_view unit);

// "ISIS Xpert 1234", for people.
std::string NameOf(const wire::Describe& describe);

// `describes`: one a device, each as DecodeMessage let it through. Rate groups of a device follow
// those of the device before it. A label that two devices have gets the device's name before it
// ("ISIS Xpert: C3"), on both; where that is no help, a number behind it.
SourceInfo MakeSourceInfo(const std::vector<wire::Describe>& describes, const std::string& name);

// Samples of a block that CheckBlock let through, channel-major, in uV (or the channel's unit).
// "No value" becomes NaN.
std::vector<double> UnpackSamples(const wire::Samples& samples, const wire::Describe& describe);

}  // namespace remora::agent::feed
