// Which contact of a strip or grid people mean. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace remora::agent {

// Takes the number at the end of "3", "contact 3", "T10 contact 3", "C3" or "grid 12"; what is left
// is what was said beside it. 0, and nothing is taken: it says none, or a level of the spine
// ("T10", "Th4", "L1").
uint32_t TakeContact(std::string* site);

}  // namespace remora::agent
