#include "reader-client/cc/sdk/directory_view.h"

namespace remora::reader {

void DirectoryView::Apply(const v1::DirectoryUpdate& update) {
  if (update.complete()) {
    cases_.clear();
    listing_ = true;
  }
  for (const v1::CaseSummary& summary : update.cases()) {
    cases_[CaseId::FromBytes(summary.case_id())] = summary;
  }
  // A change may come in parts as well: that makes no known directory less whole.
  if (!listing_) return;
  listing_ = update.more();
  whole_ = !listing_;
}

std::vector<v1::CaseSummary> DirectoryView::Cases() const {
  std::vector<v1::CaseSummary> cases;
  for (const auto& [id, summary] : cases_) cases.push_back(summary);
  return cases;
}

}  // namespace remora::reader
