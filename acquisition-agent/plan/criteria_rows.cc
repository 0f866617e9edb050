#include "acquisition-agent/plan/criteria_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace remora::agent {
namespace {

bool AppliesTo(const v1::Criterion& row, v1::Modality modality, v1::ProcedureKind kind) {
  if (row.modality() != modality || row.only_when_named()) return false;
  return row.procedure().empty() ||
         std::find(row.procedure().begin(), row.procedure().end(), kind) != row.procedure().end();
}

}  // namespace

std::vector<v1::Criterion> RowsFor(const CasePlan& plan, const CriterionKeys& keys,
                                   v1::Modality modality) {
  std::vector<v1::Criterion> rows;
  for (const std::string& key : keys) {
    if (const v1::Criterion* row = plan.FindCriterion(key)) rows.push_back(*row);
  }
  if (!keys.empty()) return rows;
  for (const v1::Criterion& row : plan.criteria.criterion()) {
    if (AppliesTo(row, modality, plan.plan.procedure_kind())) rows.push_back(row);
  }
  return rows;
}

v1::CriteriaPack LayOver(const v1::CriteriaPack& base, const v1::CriteriaPack& site) {
  v1::CriteriaPack both = base;
  for (const v1::Criterion& row : site.criterion()) {
    const auto same =
        std::find_if(both.mutable_criterion()->begin(), both.mutable_criterion()->end(),
                     [&](const v1::Criterion& one) { return one.key() == row.key(); });
    if (same != both.mutable_criterion()->end()) {
      *same = row;
    } else {
      *both.add_criterion() = row;
    }
  }
  both.set_version(absl::StrCat(base.version(), "+", site.version()));
  both.set_overlay(absl::StrCat(site.name(), " ", site.version()));
  return both;
}

}  // namespace remora::agent
