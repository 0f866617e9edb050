// Second-order notch at one frequency, for EEG against mains. Off for evoked potentials and EMG by
// default: it rings on the stimulus artefact.
//
// Pure, thread-safe. As SciPy's iirnotch: gain 1 at DC and Nyquist, 0 at the notch, -3 dB bandwidth
// notch_hz / quality. Source: Orfanidis 1996, Introduction to Signal Processing, 11.3.
//
// Errors: kInvalidArgument -> frequency not inside (0, sample_rate/2) or quality not positive.
#pragma once

#include "absl/status/statusor.h"
#include "dsp/filter/sos.h"

namespace remora::dsp {

absl::StatusOr<Section> DesignNotch(double notch_hz, double quality, double sample_rate_hz);

}  // namespace remora::dsp
