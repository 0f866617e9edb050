// The middle of some values, and how far they spread, neither of which a few wild ones move.
//
// Pure functions for the criteria of this folder.
#pragma once

#include <vector>

namespace remora::dsp {

// The middle value, or the mean of the two middle ones; NaN of none.
double Median(std::vector<double> values);

// 1.4826 times the median distance from `centre`: the standard deviation of a normal distribution,
// and hardly more when one value in four comes from elsewhere (Rousseeuw and Croux 1993). NaN of
// none.
double RobustSpread(const std::vector<double>& values, double centre);

}  // namespace remora::dsp
