#pragma once

// The hub's metrics: what the core counts (hub/metrics.h) and what the transports see, as the text
// that Prometheus reads. Names have base units; labels never say who somebody is, and each metric
// has at most kMaxLabelValues of them. Counting is thread-safe and takes a lock for some 100 ns;
// the text may be asked for on any thread.

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/mutex.h"
#include "hub/metrics.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace remora::hub {

// Values of one metric's labels; what comes beyond is counted as "other".
inline constexpr size_t kMaxLabelValues = 64;

class PrometheusMetrics final : public HubMetrics {
 public:
  PrometheusMetrics();
  ~PrometheusMetrics() override;

  // HubMetrics. `label` is "key=value", several of them separated by commas, or empty.
  void Count(absl::string_view name, absl::string_view label, uint64_t by) override;
  void Gauge(absl::string_view name, double value) override;
  void ObserveSeconds(absl::string_view name, double seconds) override;

  // As Gauge, with a label, and relative.
  void AddToGauge(absl::string_view name, absl::string_view label, double by);

  // Of a gauge without labels; 0 where nobody has set it.
  double GaugeValue(absl::string_view name) const;

  // Everything, with the process's own figures, in Prometheus's text format 0.0.4.
  std::string Text() const;

 private:
  using LabelMap = std::map<std::string, std::string>;
  // Splits `label`; "other" for its values when the metric `name` has too many.
  LabelMap Labels(absl::string_view name, absl::string_view label)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Valid until the next call: counting must not allocate.
  const std::string& Key(absl::string_view name, absl::string_view label) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::unique_ptr<prometheus::Registry> registry_;
  mutable Mutex mutex_;
  mutable std::string key_ ABSL_GUARDED_BY(mutex_);
  // By name, a NUL, and label.
  absl::flat_hash_map<std::string, prometheus::Counter*> counters_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, prometheus::Gauge*> gauges_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, prometheus::Histogram*> histograms_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, size_t> label_values_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora::hub
