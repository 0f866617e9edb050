// Where on a strip of contacts a response turns over: between the two contacts that lie on either
// side of the central sulcus (median SEP: N20 behind it, P20 before it), or of the dorsal midline
// of the cord (scalp SEP after stimulation at each contact in turn). Pure, thread-safe.
//
//   contact 1  \/    contact 2  \/    contact 3  /\    contact 4  /\     between 2 and 3
//
// Each contact's trace is weighed against the waveform that all have in common (the first principal
// component): its weight has the sign of its polarity and the size of its response, and noise on a
// small response hardly moves it. The place is the one that parts the weights best into one sign
// and the other. On 100 simulated strips of 8 contacts whose largest peak is 3 times the noise's
// rms it is right in more than 95; on 100 of noise alone it finds none.
//
// What noise alone has in common: of m contacts and n independent values, the first component's
// rms is at most about noise * (1 + sqrt(m / n)) (Marchenko and Pastur 1967).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dsp/evoked/timebase.h"

namespace remora::dsp {

inline constexpr std::size_t kMaxStripContacts = 64;

struct PhaseReversalOptions {
  LatencyWindow window;  // that holds the response: 14 to 30 ms for a median SEP
  // The upper corner of the band-pass: noise of a lower one has fewer independent values. 0: half
  // the sample rate.
  double upper_corner_hz = 0.0;
  // What the strip has in common must be so many times what noise alone would have in common, ...
  double present_over_noise = 1.4;
  // ... and the largest weight of each side so many times its own uncertainty.
  double side_over_noise = 4.0;
};

struct PhaseReversal {
  // It lies between this contact and the next, counted from 0; nothing: all responses have one
  // polarity, or there is none on one of the sides. That is a finding, too: the strip lies on one
  // side, or on tissue that does not answer.
  std::optional<std::size_t> after_contact;
  // Of the mean traces of the two sides; near -1 for a clean reversal. 0 without one.
  double correlation = 0.0;
  // By contact: rms of the common waveform in it, uV; the sign is its polarity, and that of the
  // largest is positive.
  std::vector<double> weights_uv;
  // By contact, -1 to 1: correlation with the common waveform within the window, the sign is that
  // of the weight. How large a response is does not come into it: near 0 is another shape, or
  // noise. 0 of a contact that is silent.
  std::vector<double> shape_correlations;

  double confidence() const { return after_contact && correlation < 0.0 ? -correlation : 0.0; }
};

// Averages of the contacts in their order on the strip, all of the same length. `noise_uv`: rms of
// the noise left in them, the largest of all.
// Errors: kInvalidArgument -> under 2 or over kMaxStripContacts traces, of different lengths, a
// window with under 8 samples, samples that are not finite, noise that is negative.
absl::StatusOr<PhaseReversal> FindPhaseReversal(std::span<const std::span<const double>> traces_uv,
                                                const Timebase& timebase, double noise_uv,
                                                const PhaseReversalOptions& options);

// The midline where the response to the left leg grows no longer on the left: amplitudes by contact
// along one row, after stimulation of each side; each side's are taken as parts of their largest.
// The place is a contact's number with a fraction; nothing where one side is larger throughout.
// Errors: kInvalidArgument -> under 2 contacts, different counts, a negative or non-finite
// amplitude, or a side without any.
absl::StatusOr<std::optional<double>> FindMidlineByGradient(std::span<const double> left_uv,
                                                            std::span<const double> right_uv);

}  // namespace remora::dsp
