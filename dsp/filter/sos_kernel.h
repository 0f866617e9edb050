// The inner loop of SosBank, for whatever vectors the processor has. Of no use by itself.
#pragma once

#include <cstddef>

#include "dsp/filter/sos.h"

namespace remora::dsp {

// Lanes are padded to a multiple of this: the widest vector of doubles (AVX-512).
inline constexpr std::size_t kSosLanes = 8;

// Runs `sections` over `frames` rows of `lanes` samples (a multiple of kSosLanes) in place. State:
// for each section `lanes` first delays, then `lanes` second ones. All 64-byte aligned.
void RunSections(const Section* sections, std::size_t section_count, std::size_t frames,
                 std::size_t lanes, double* states, double* samples);

// Whether |x| <= limit for all of `count` samples (a multiple of kSosLanes, aligned): not for NaN.
bool AllWithin(const double* samples, std::size_t count, double limit);

// The instructions that these use on this machine: "AVX2".
const char* SosVectors();

}  // namespace remora::dsp
