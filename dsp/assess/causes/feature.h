// What the cause differential looks at, worked out from the picture of a case: for each feature a
// value, or why it is missing.
//
// The features are fixed, since each is a piece of code; their words and weights are in the table
// (CauseModel). Thresholds are in feature.cc, each with its reason. Pure.
//
//   peripheral, subcortical, cortical   of the limbs whose SEP or MEP changed: ok late reduced lost
//                                       noisy; cortical also one_channel: another derivation of the
//                                       same stimulus is well
//   sep_extent     none one_limb one_body_side both_sides
//   mep_extent     none one_muscle one_myotome one_limb one_body_side; on both sides: below_level
//                  below_more (than above) above_level all, or both_sides where nothing above the
//                  level can be judged
//   mep_depth      reduced lost
//   above_sep, above_mep   ok changed: the controls above the operated level
//   noise          all some none
//   all others     one value of the picture each
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "dsp/assess/causes/cause_model.h"
#include "dsp/assess/causes/differential.h"
#include "dsp/assess/causes/picture.h"

namespace remora::dsp {

// Whether each feature of the model is one that is worked out here, with all of its values.
// kInvalidArgument names the first that is not.
absl::Status ValidateFeatures(const CauseModel& model);

// In the order of the model's features; `model` is valid.
std::vector<SeenFeature> SeeFeatures(const CasePicture& picture, const CauseModel& model);

}  // namespace remora::dsp
