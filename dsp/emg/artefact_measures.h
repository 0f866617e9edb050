// What an ArtefactClassifier measures of one channel's chunk. Pure, thread-safe; for
// artefact_class.cc alone.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace remora::dsp {

// Geometric mean of the power at 24 lines up to `to_hz` over what each would have if all the power
// were spread evenly up to there: a tone between two lines does not look flat. White noise: 0.56,
// for the logarithm of one line is low; of one stretch within 0.26 to 1.2. Looks at the last 512
// samples; 0 for silence and under 3 samples.
double FlatnessOf(std::span<const double> samples_uv, double sample_rate_hz, double to_hz);

// Part of `power` (uV^2, mean of the squares) that lies at the mains and its harmonics, 0 to 1; 0
// where there is as much between them, or next to none at the first: what a muscle has there.
// At least two periods long.
double MainsShareOf(std::span<const double> samples_uv, double sample_rate_hz, double mains_hz,
                    double power);

// By boxcar, to a rate of at most about twice to_hz.
std::vector<double> Reduced(std::span<const double> samples, double rate_hz, double to_hz,
                            double* reduced_hz);

// |r| at no lag; of one length.
double Likeness(std::span<const double> a, std::span<const double> b);

}  // namespace remora::dsp
