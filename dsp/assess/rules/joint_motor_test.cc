#include "dsp/assess/rules/joint_motor.h"

#include <gtest/gtest.h>

#include <cmath>

namespace remora::dsp {
namespace {

JointMotorReading Read(std::optional<double> fall, std::optional<bool> lost, bool tumour = true) {
  return ReadJointly({tumour, fall, lost});
}

TEST(JointMotor, ReadsEachRow) {
  EXPECT_EQ(Read(0, false).outlook, JointMotorOutlook::kUnchanged);
  EXPECT_EQ(Read(50, false).outlook, JointMotorOutlook::kUnchanged);
  EXPECT_EQ(Read(35, true).outlook, JointMotorOutlook::kTransient);
  EXPECT_EQ(Read(50, true).outlook, JointMotorOutlook::kTransient);
  EXPECT_EQ(Read(50.1, true).outlook, JointMotorOutlook::kLongTerm);
  EXPECT_EQ(Read(70, true).outlook, JointMotorOutlook::kLongTerm);
  EXPECT_EQ(Read(70, false).outlook, JointMotorOutlook::kNotInTable);
}

TEST(JointMotor, IsWordedAsLiterature) {
  for (const double fall : {35.0, 70.0}) {
    EXPECT_NE(Read(fall, true).words.find("in the literature"), std::string::npos);
  }
  EXPECT_EQ(Read(35, true).words.substr(0, 11), "D-wave -35 ");
}

TEST(JointMotor, DoesNotApplyWithoutTumourDWaveOrMuscles) {
  EXPECT_NE(Read(35, true, false).words.find("intramedullary"), std::string::npos);
  EXPECT_EQ(Read(std::nullopt, true).outlook, JointMotorOutlook::kNotInTable);
  EXPECT_EQ(Read(std::nan(""), true).outlook, JointMotorOutlook::kNotInTable);
  EXPECT_EQ(Read(35, std::nullopt).outlook, JointMotorOutlook::kNotInTable);
}

}  // namespace
}  // namespace remora::dsp
