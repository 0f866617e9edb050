// What muscle responses and D-wave say together in the resection of an intramedullary tumour: the
// table of the literature, in its words. Never this patient's prognosis.
//
//   muscle MEP    D-wave                      literature
//   preserved     unchanged, or down to 50 %  motor function expected unchanged
//   lost          down by 50 % at most        transient deficit, good long-term outlook
//   lost          down by more than 50 %      high probability of a long-term deficit
//   preserved     down by more than 50 %      the table has no such row
//
// Source: evokedpotential.com/d-wave.html, after Sala and Deletis. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace remora::dsp {

enum class JointMotorOutlook : std::uint8_t { kNotInTable, kUnchanged, kTransient, kLongTerm };

struct JointMotorFindings {
  bool is_intramedullary_tumour = false;
  // Fall of the caudal D-wave from its baseline, in percent; nothing: none at baseline, or not run.
  std::optional<double> d_wave_fall_percent;
  // Of the legs; nothing: not monitorable, or not run.
  std::optional<bool> muscles_are_lost;
};

struct JointMotorReading {
  JointMotorOutlook outlook = JointMotorOutlook::kNotInTable;
  std::string words;  // the row, or why the table does not apply
};

JointMotorReading ReadJointly(const JointMotorFindings& findings);

}  // namespace remora::dsp
