#include "acquisition-agent/plan/cause_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/text_proto.h"
#include "dsp/assess/causes/feature.h"
#include "remora/v1/cause.pb.h"

namespace remora::agent {
namespace {

absl::StatusOr<dsp::CauseGroup> GroupOf(v1::CauseGroup group) {
  switch (group) {
    case v1::CAUSE_GROUP_TECHNICAL:
      return dsp::CauseGroup::kTechnical;
    case v1::CAUSE_GROUP_SYSTEMIC:
      return dsp::CauseGroup::kSystemic;
    case v1::CAUSE_GROUP_POSITION:
      return dsp::CauseGroup::kPosition;
    case v1::CAUSE_GROUP_SURGICAL:
      return dsp::CauseGroup::kSurgical;
    default:
      return absl::InvalidArgumentError(
          "group: one of CAUSE_GROUP_TECHNICAL, _SYSTEMIC, _POSITION, _SURGICAL");
  }
}

// Where a feature and its value stand; InvalidArgument names what is unknown.
absl::StatusOr<std::pair<size_t, size_t>> PlaceOf(const dsp::CauseModel& model,
                                                  absl::string_view feature,
                                                  absl::string_view value) {
  const size_t at = model.FeatureAt(feature);
  if (at == model.features.size()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no feature ", feature));
  }
  const size_t value_at = model.features[at].ValueAt(value);
  if (value_at == model.features[at].values.size()) {
    return absl::InvalidArgumentError(absl::StrCat(feature, " has no value ", value));
  }
  return std::make_pair(at, value_at);
}

absl::StatusOr<dsp::Cause> CauseOf(const dsp::CauseModel& model, const v1::Cause& row) {
  dsp::Cause cause;
  cause.key = row.key();
  cause.name = row.name();
  cause.source = row.source();
  cause.prior = row.prior_log_likelihood();
  ASSIGN_OR_RETURN(cause.group, GroupOf(row.group()));
  for (const dsp::CauseFeature& feature : model.features) {
    cause.weights.emplace_back(feature.values.size(), 0.0);
  }
  for (const v1::CauseWeight& weight : row.weight()) {
    std::pair<size_t, size_t> at;
    ASSIGN_OR_RETURN(at, PlaceOf(model, weight.feature(), weight.value()));
    double& place = cause.weights[at.first][at.second];
    if (place != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(weight.feature(), " ", weight.value(), " is weighed twice"));
    }
    place = weight.log_likelihood();
  }
  return cause;
}

absl::StatusOr<dsp::KeptInFirstTwo> KeptOf(const dsp::CauseModel& model,
                                           const v1::KeptInFirstTwo& row) {
  dsp::KeptInFirstTwo kept;
  ASSIGN_OR_RETURN(kept.group, GroupOf(row.group()));
  kept.reason = row.reason();
  for (const v1::SeenValue& seen : row.when()) {
    dsp::KeptInFirstTwo::Seen when;
    when.or_missing = seen.or_missing();
    for (const std::string& value : seen.value()) {
      std::pair<size_t, size_t> at;
      ASSIGN_OR_RETURN(at, PlaceOf(model, seen.feature(), value));
      when.feature = at.first;
      when.values.push_back(at.second);
    }
    kept.when.push_back(std::move(when));
  }
  return kept;
}

absl::StatusOr<dsp::CauseModel> ModelOf(const v1::CauseTable& table) {
  dsp::CauseModel model;
  model.name = table.name();
  model.version = table.version();
  for (const v1::CauseFeature& row : table.feature()) {
    dsp::CauseFeature feature;
    feature.key = row.key();
    feature.name = row.name();
    feature.test = row.test();
    for (const v1::CauseFeatureValue& value : row.value()) {
      feature.values.push_back({value.key(), value.words()});
    }
    model.features.push_back(std::move(feature));
  }
  for (const v1::Cause& row : table.cause()) {
    absl::StatusOr<dsp::Cause> cause = CauseOf(model, row);
    if (!cause.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("cause ", row.key(), ": ", cause.status().message()));
    }
    model.causes.push_back(*std::move(cause));
  }
  for (const v1::KeptInFirstTwo& row : table.kept_in_first_two()) {
    absl::StatusOr<dsp::KeptInFirstTwo> kept = KeptOf(model, row);
    if (!kept.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("kept_in_first_two: ", kept.status().message()));
    }
    model.kept.push_back(*std::move(kept));
  }
  RETURN_IF_ERROR(dsp::ValidateCauseModel(model));
  RETURN_IF_ERROR(dsp::ValidateFeatures(model));
  return model;
}

absl::StatusOr<dsp::CauseModel> ModelIn(const v1::CauseTable& table, const std::string& path) {
  absl::StatusOr<dsp::CauseModel> model = ModelOf(table);
  if (model.ok()) return model;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", model.status().message()));
}

}  // namespace

absl::StatusOr<dsp::CauseModel> ParseCauses(const std::string& text, const std::string& path) {
  v1::CauseTable table;
  RETURN_IF_ERROR(ParseTextProto(text, path, &table));
  return ModelIn(table, path);
}

absl::StatusOr<dsp::CauseModel> LoadCauses(FileSystem& files, const std::string& path) {
  v1::CauseTable table;
  RETURN_IF_ERROR(ReadTextProto(files, path, &table));
  return ModelIn(table, path);
}

}  // namespace remora::agent
