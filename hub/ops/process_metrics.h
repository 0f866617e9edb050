#pragma once

// What the process itself uses, read from /proc when asked. Names as Prometheus's own clients have
// them. Thread-safe.

#include <prometheus/metric_family.h>

#include <vector>

namespace remora::hub {

std::vector<prometheus::MetricFamily> CollectProcessMetrics();

}  // namespace remora::hub
