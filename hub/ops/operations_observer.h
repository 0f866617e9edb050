#pragma once

// What the transports tell operations: counted always, logged where a person would ask.
// Thread-safe.

#include "common/clock.h"
#include "common/mutex.h"
#include "hub/ops/event_log.h"
#include "hub/ops/prometheus_metrics.h"
#include "hub/participants/transport_observer.h"

namespace remora::hub {

// Lines a second about those who are turned away: enough to see it, not enough to fill a disk.
inline constexpr int kMaxRefusalLinesPerSecond = 5;

class OperationsObserver final : public TransportObserver {
 public:
  // All outlive it.
  OperationsObserver(PrometheusMetrics& metrics, EventLog& log, Clock& clock)
      : metrics_(metrics), log_(log), clock_(clock) {}

  void OnSessionOpened(Transport transport, v1::Role role) override;
  void OnSessionClosed(Transport transport, v1::Role role, const absl::Status& status) override;
  void OnRefused(Transport transport, TransportRefusal refusal) override;
  void OnMessageReceived(Transport transport, size_t bytes) override;
  void OnBatchWritten(Transport transport, size_t slices, size_t bytes) override;
  void OnHttpResponse(int status_code) override;
  void OnDrain(int events, Duration busy) override;

 private:
  // False when enough has been said about refusals in this second; else how many went unsaid.
  bool MaySayRefusal(int* unsaid);

  PrometheusMetrics& metrics_;
  EventLog& log_;
  Clock& clock_;
  Mutex mutex_;
  DeviceTime second_start_ ABSL_GUARDED_BY(mutex_);
  int lines_ ABSL_GUARDED_BY(mutex_) = 0;
  int unsaid_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace remora::hub
