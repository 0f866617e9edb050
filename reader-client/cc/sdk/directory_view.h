#pragma once

// The hub's directory, put together from its updates: a complete one, which may be the first of
// several pages, then changes. Thread-compatible value.

#include <map>
#include <vector>

#include "common/ids.h"
#include "remora/v1/room.pb.h"

namespace remora::reader {

class DirectoryView {
 public:
  void Apply(const v1::DirectoryUpdate& update);

  // The whole list came once, and none of a newer one is missing.
  bool is_whole() const { return whole_; }
  std::vector<v1::CaseSummary> Cases() const;

 private:
  std::map<CaseId, v1::CaseSummary> cases_;
  bool listing_ = false;  // between the complete update and the one that says no `more`
  bool whole_ = false;
};

}  // namespace remora::reader
