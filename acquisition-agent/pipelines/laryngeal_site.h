// Where the larynx's nerves are stimulated, in the order of a thyroid operation: L1, V1, R1,
// (dissection) R2, V2, L2. L is the laryngoscopy, V the vagus, R the recurrent nerve; 1 before the
// dissection, 2 behind it (INMSG, Randolph et al. 2011). Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "remora/v1/waveform.pb.h"

namespace remora::agent {

struct LaryngealSite {
  enum class Nerve : uint8_t { kLaryngoscopy, kVagus, kRecurrent };
  Nerve nerve = Nerve::kVagus;
  bool is_second = false;                // behind the dissection
  v1::Side side = v1::SIDE_UNSPECIFIED;  // as the text says it
  std::string rest;                      // other words of the text, as they were
};

// "V1", "v1 left", "R2R", "left R2, proximal": words in any order and case, the side as a word or
// a letter. Nothing: no such station, two of them, or both sides.
std::optional<LaryngealSite> LaryngealSiteOf(absl::string_view text);

// "V1", "V1 left", "R2 left proximal": the same for every spelling, and read back the same. At most
// a name long.
std::string NameOf(const LaryngealSite& site);

}  // namespace remora::agent
