// Measures one muscle's response to one stimulus train: a MEP (transcranial, direct cortical), a
// CMAP of triggered EMG, a laryngeal response. One sweep, no average. Pure, thread-safe.
//
//            first                         amplitude   largest to smallest value, uV
//             /\                           latency     onset: where the response leaves the noise
//   ____o____/  \        ___e____          peak        latency of the first extreme
//       |        \      /   |              area        of |x| from onset to end, uV ms
//     onset       \____/   end             phases      stretches on one side of the base line
//                  second                  duration    onset to end
//
// Extremes are those of a cubic spline through the samples, so that 3 kHz reads as high as 30 kHz.
// Against the published table of two sets of 152 and 70 recorded MEPs (MEPFeatX, University of
// Eastern Finland, 2023) amplitude is within 1 % and the first extreme within 0.35 ms; their
// onsets differ from these by up to 2 ms, since authors define onset differently: compare onsets
// of one method only.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "dsp/evoked/peak.h"
#include "dsp/evoked/timebase.h"

namespace remora::dsp {

struct MotorResponseOptions {
  // Where the response is looked for: behind the stimulus' artefact, 8 to 100 ms for limbs.
  LatencyWindow search;
  // Where there is none for certain: before the stimulus, or the latencies before `search`.
  LatencyWindow noise;
  // Smaller is no response, however quiet the channel. 0: the noise alone decides, as for a
  // baseline, where what is small is monitored as "presence only". 50 uV for the all-or-none count
  // of a resting motor threshold (Rossini et al. 2015).
  double least_uv = 0.0;
  // Peak to peak, n independent values of noise come to about 2 sqrt(2 ln n) times its rms. What
  // does not reach this many times that, n being the samples of the search window, is no response;
  // up to the second it is doubtful.
  double present_over_noise_range = 1.25;
  double certain_over_noise_range = 1.75;
  // Onset and end: the larger of these two.
  double edge_over_noise = 4.0;         // times the noise's rms
  double edge_part_of_amplitude = 0.05;
  // Below the edge for longer than this, the response has not begun, or is over: phases cross the
  // base line on the way.
  double longest_crossing_ms = 3.0;
};

struct MotorResponse {
  Presence presence = Presence::kAbsent;
  std::uint32_t doubts = kDoubtNone;
  double noise_uv = 0.0;      // rms about its mean; NaN: the window has under 8 samples
  double amplitude_uv = 0.0;  // >= 0; what there is where the response is absent
  // Not meaningful where the response is absent. Largest and smallest value by time; of a response
  // with one phase, `first` is that phase, and `second` is noise. Values are about the mean of the
  // noise; prominence_uv is not set.
  Extremum first;
  Extremum second;
  double onset_ms = 0.0;
  double end_ms = 0.0;
  double area_uv_ms = 0.0;
  std::uint32_t phases = 0;

  double duration_ms() const { return end_ms - onset_ms; }
};

// Errors: kInvalidArgument -> windows that lie outside the sweep or overlap, a rate or limit that
// makes no sense. Non-finite samples inside the search window are no error: absent, kDoubtBadInput.
absl::StatusOr<MotorResponse> MeasureMotorResponse(std::span<const double> sweep_uv,
                                                   const Timebase& timebase,
                                                   const MotorResponseOptions& options);

}  // namespace remora::dsp
