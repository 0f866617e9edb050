#pragma once

// The hub's directory, put together from its updates: a complete one, which may be the first of
// several pages, then changes. Nothing in the contract marks the last page; pages follow each other
// at once, so that a full one without a successor for a while was the last. Thread-compatible
// value.

#include <map>
#include <optional>
#include <vector>

#include "common/ids.h"
#include "common/time.h"
#include "remora/v1/room.pb.h"

namespace remora::reader {

// A page with so many cases may have a successor (kMaxDirectoryPage of the hub).
inline constexpr int kFullDirectoryPage = 64;
// So long a successor may take: the hub sends pages back to back, a slow link takes this for one.
inline constexpr Duration kNextDirectoryPage = Duration::Milliseconds(500);

class DirectoryView {
 public:
  void Apply(const v1::DirectoryUpdate& update, DeviceTime now);

  // From when on it is whole, unless another page comes before; nothing while there is no page.
  std::optional<DeviceTime> whole_at() const { return whole_at_; }
  std::vector<v1::CaseSummary> Cases() const;

 private:
  std::map<CaseId, v1::CaseSummary> cases_;
  std::optional<DeviceTime> whole_at_;
};

}  // namespace remora::reader
