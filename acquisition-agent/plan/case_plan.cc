#include "acquisition-agent/plan/case_plan.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/plan/cause_file.h"
#include "acquisition-agent/plan/criteria_rows.h"
#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/plan_rules.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

std::string BesideOf(const std::string& path, const std::string& file) {
  if (absl::StartsWith(file, "/")) return file;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? file : absl::StrCat(path.substr(0, slash + 1), file);
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// What is no file, or too large a one, is as wrong as one that cannot be parsed.
absl::StatusCode CodeOf(const absl::Status& read) {
  return absl::IsOutOfRange(read) ? absl::StatusCode::kInvalidArgument : read.code();
}

// A file that cannot be read is a mistake of the plan that names it.
absl::Status ReadNamed(FileSystem& files, const CasePlan& plan, absl::string_view field,
                       const std::string& path, google::protobuf::Message* message,
                       FieldPlaces* places) {
  const absl::StatusOr<std::string> text = files.ReadWhole(path, kMaxPlanFileBytes);
  if (text.ok()) return ParseWithPlaces(*text, path, message, places);
  return absl::Status(
      CodeOf(text.status()),
      absl::StrCat(plan.plan_places.At(plan.plan_path, field), ": ", text.status().message()));
}

}  // namespace

const v1::Derivation* CasePlan::FindDerivation(absl::string_view name) const {
  for (const v1::Derivation& derivation : montage.derivation()) {
    if (derivation.name() == name) return &derivation;
  }
  return nullptr;
}

const v1::Criterion* CasePlan::FindCriterion(absl::string_view key) const {
  for (const v1::Criterion& row : criteria.criterion()) {
    if (row.key() == key) return &row;
  }
  return nullptr;
}

std::string TraceId(v1::Modality modality, v1::Side side, absl::string_view derivation) {
  absl::string_view name = v1::Modality_Name(modality);
  absl::ConsumePrefix(&name, "MODALITY_");
  const char* letter = "-";
  switch (side) {
    case v1::SIDE_LEFT:
      letter = "L";
      break;
    case v1::SIDE_RIGHT:
      letter = "R";
      break;
    case v1::SIDE_MIDLINE:
      letter = "M";
      break;
    case v1::SIDE_BILATERAL:
      letter = "B";
      break;
    default:
      break;
  }
  return absl::StrCat(name, "/", letter, "/", derivation);
}

std::string DidYouMean(absl::string_view word, const std::vector<std::string>& known) {
  const std::string lower = absl::AsciiStrToLower(word);
  size_t best = 0;
  const std::string* nearest = nullptr;
  for (const std::string& name : known) {
    const size_t distance = EditDistance(lower, absl::AsciiStrToLower(name));
    // Half of the longer one may be wrong: beyond that they have nothing in common.
    if (2 * distance > std::max<size_t>(4, std::max(word.size(), name.size()))) continue;
    if (nearest == nullptr || distance < best) {
      best = distance;
      nearest = &name;
    }
  }
  return nearest == nullptr ? "" : absl::StrCat(" Did you mean \"", *nearest, "\"?");
}

absl::StatusOr<CasePlan> LoadCasePlan(FileSystem& files, const std::string& plan_path) {
  CasePlan plan;
  plan.plan_path = plan_path;
  const absl::StatusOr<std::string> text = files.ReadWhole(plan_path, kMaxPlanFileBytes);
  if (!text.ok()) return absl::Status(CodeOf(text.status()), text.status().message());
  RETURN_IF_ERROR(ParseWithPlaces(*text, plan_path, &plan.plan, &plan.plan_places));
  if (plan.plan.montage_file().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan_path,
        ": montage_file: is missing: the montage beside the plan, such as \"scoliosis.montage\""));
  }
  plan.montage_path = BesideOf(plan_path, plan.plan.montage_file());
  RETURN_IF_ERROR(ReadNamed(files, plan, "montage_file", plan.montage_path, &plan.montage,
                            &plan.montage_places));
  if (!plan.plan.criteria_file().empty()) {
    plan.criteria_path = BesideOf(plan_path, plan.plan.criteria_file());
    RETURN_IF_ERROR(ReadNamed(files, plan, "criteria_file", plan.criteria_path, &plan.criteria,
                              &plan.criteria_places));
  }
  if (!plan.plan.site_criteria_file().empty()) {
    const std::string path = BesideOf(plan_path, plan.plan.site_criteria_file());
    v1::CriteriaPack site;
    FieldPlaces places;
    RETURN_IF_ERROR(ReadNamed(files, plan, "site_criteria_file", path, &site, &places));
    // By itself first, so that what is wrong is told of the file that it is in.
    RETURN_IF_ERROR(CheckCriteriaPack(site, path, places));
    plan.criteria = LayOver(plan.criteria, site);
  }
  if (!plan.plan.causes_file().empty()) {
    absl::StatusOr<dsp::CauseModel> causes =
        LoadCauses(files, BesideOf(plan_path, plan.plan.causes_file()));
    if (!causes.ok()) {
      return absl::Status(CodeOf(causes.status()), absl::StrCat(plan.InPlan("causes_file"), ": ",
                                                                causes.status().message()));
    }
    plan.causes = *std::move(causes);
  }
  FillDefaults(&plan.plan);
  RETURN_IF_ERROR(CheckCasePlan(plan));
  return plan;
}

}  // namespace remora::agent
