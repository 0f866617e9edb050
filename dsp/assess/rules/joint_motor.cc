#include "dsp/assess/rules/joint_motor.h"

#include <cmath>

#include "absl/strings/str_format.h"

namespace remora::dsp {
namespace {

constexpr double kLargeFallPercent = 50;

}  // namespace

JointMotorReading ReadJointly(const JointMotorFindings& findings) {
  const auto not_in_table = [](const char* why) {
    return JointMotorReading{JointMotorOutlook::kNotInTable, why};
  };
  if (!findings.is_intramedullary_tumour) {
    return not_in_table("does not apply: the table is of intramedullary tumours");
  }
  if (!findings.d_wave_fall_percent || !std::isfinite(*findings.d_wave_fall_percent)) {
    return not_in_table("does not apply: there is no D-wave to compare");
  }
  if (!findings.muscles_are_lost) {
    return not_in_table("does not apply: there are no muscle responses to compare");
  }
  const double fall = *findings.d_wave_fall_percent;
  const bool large = fall > kLargeFallPercent;
  const std::string d_wave = absl::StrFormat("D-wave %+.0f %%", -fall);
  if (!*findings.muscles_are_lost) {
    if (large)
      return not_in_table("the table has no row for muscles that answer below such a D-wave");
    return {
        JointMotorOutlook::kUnchanged,
        absl::StrFormat("%s, muscles answer: in the literature motor function is expected to be "
                        "unchanged",
                        d_wave)};
  }
  if (!large) {
    return {JointMotorOutlook::kTransient,
            absl::StrFormat("%s, muscles lost: in the literature a transient deficit with a good "
                            "long-term outlook",
                            d_wave)};
  }
  return {JointMotorOutlook::kLongTerm,
          absl::StrFormat("%s, muscles lost: in the literature a high probability of a long-term "
                          "deficit",
                          d_wave)};
}

}  // namespace remora::dsp
