#include "common/fold/origin_clocks.h"

#include <algorithm>
#include <cmath>

namespace remora {
namespace {

// Times of a damaged record may lie anywhere. False: the sum is no time.
bool Add(int64_t a, int64_t b, int64_t* sum) { return !__builtin_add_overflow(a, b, sum); }

}  // namespace

MadeAt MadeAtOf(const v1::Record& record, int64_t recorded_unix_ns) {
  return {OriginId::FromBytes(record.origin()), record.captured_at().boot_id(),
          record.captured_at().monotonic_ns(), record.has_captured_at(), recorded_unix_ns};
}

void OriginClocks::Put(const OriginId& origin, const v1::ClockEstimate& estimate) {
  newest_[origin.Hex()] = estimate;
}

void OriginClocks::KeepOnly(const RecordShelf& shelf) {
  if (newest_.size() <= shelf.size()) return;
  std::erase_if(newest_, [&shelf](const auto& entry) { return !shelf.HasKey(entry.first); });
}

int64_t OriginClocks::HubUnixNs(const MadeAt& made) const {
  const auto known = newest_.find(made.origin.Hex());
  if (known == newest_.end() || !made.captured || known->second.boot_id() != made.boot_id) {
    return made.recorded_unix_ns;
  }
  const v1::ClockEstimate& estimate = known->second;
  int64_t since = 0;
  int64_t at = 0;
  if (__builtin_sub_overflow(made.monotonic_ns, estimate.at_monotonic_ns(), &since) ||
      !Add(made.monotonic_ns, estimate.offset_ns(), &at)) {
    return made.recorded_unix_ns;
  }
  const double drift_ns = static_cast<double>(since) * estimate.drift_ppb() / 1e9;
  constexpr double kLargest = 4e18;
  if (!(std::abs(drift_ns) < kLargest) || !Add(at, static_cast<int64_t>(drift_ns), &at)) {
    return made.recorded_unix_ns;
  }
  return std::min(at, made.recorded_unix_ns);
}

}  // namespace remora
