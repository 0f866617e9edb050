// Which side, and which contact of a strip or grid, people mean by a place. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "remora/v1/waveform.pb.h"

namespace remora::agent {

// The words of a place, as typed: "T10, contact 3" has three.
std::vector<std::string> WordsOf(absl::string_view site);
// Takes "L", "left", "R" and "right" out of the words, in any case; the last one counts.
std::optional<v1::Side> TakeSide(std::vector<std::string>* words);

// Takes the number at the end of "3", "contact 3", "T10 contact 3", "C3" or "grid 12"; what is left
// is what was said beside it. 0, and nothing is taken: it says none, or a level of the spine
// ("T10", "Th4", "L1").
uint32_t TakeContact(std::string* site);

}  // namespace remora::agent
