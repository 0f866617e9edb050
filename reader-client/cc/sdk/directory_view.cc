#include "reader-client/cc/sdk/directory_view.h"

namespace remora::reader {

void DirectoryView::Apply(const v1::DirectoryUpdate& update, DeviceTime now) {
  if (update.complete()) cases_.clear();
  for (const v1::CaseSummary& summary : update.cases()) {
    cases_[CaseId::FromBytes(summary.case_id())] = summary;
  }
  const bool paging = whole_at_.has_value() && now < *whole_at_;
  if (!update.complete() && !paging) return;
  whole_at_ = update.cases_size() < kFullDirectoryPage ? now : now + kNextDirectoryPage;
}

std::vector<v1::CaseSummary> DirectoryView::Cases() const {
  std::vector<v1::CaseSummary> cases;
  for (const auto& [id, summary] : cases_) cases.push_back(summary);
  return cases;
}

}  // namespace remora::reader
