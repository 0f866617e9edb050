// `remora seen`: who had what before their eyes.

#include <memory>
#include <utility>

#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/seen_table.h"
#include "reader-client/cc/sdk/refusal.h"

namespace remora::reader {
namespace {

constexpr uint32_t kRequest = 1;

// Collects the views of a case's history.
class ViewCollector : public LinkObserver {
 public:
  void OnHistoryPage(const v1::HistoryPage& page) override {
    if (page.request_id() != kRequest) return;
    MutexLock lock(&mutex_);
    for (const std::string& bytes : page.records()) {
      v1::Record record;
      if (!record.ParseFromString(bytes) || !record.has_view_seen()) continue;
      views_.push_back({record.stamp().recorded_unix_ns(), record.stamp().seq(),
                        std::move(*record.mutable_view_seen())});
    }
    if (!page.last()) return;
    if (!page.error().empty()) status_ = absl::DataLossError(page.error());
    done_ = true;
    changed_.NotifyAll();
  }
  void OnRefused(const v1::Refused& refused) override {
    if (refused.request_id() == kRequest) End(RefusalStatus(refused));
  }
  void OnEnded(const absl::Status& status) override { End(status); }

  absl::StatusOr<std::vector<SeenView>> Wait(const Clock& clock, Duration timeout) {
    const DeviceTime deadline = clock.Now() + timeout;
    MutexLock lock(&mutex_);
    while (!done_) {
      const Duration left = deadline - clock.Now();
      if (left <= Duration()) return absl::UnavailableError("the hub gave no history in time");
      changed_.WaitFor(&mutex_, std::chrono::nanoseconds(left.nanoseconds()));
    }
    if (!status_.ok()) return status_;
    return std::move(views_);
  }

 private:
  void End(const absl::Status& status) {
    MutexLock lock(&mutex_);
    if (done_) return;
    status_ = status;
    done_ = true;
    changed_.NotifyAll();
  }

  Mutex mutex_;
  ConditionVariable changed_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::vector<SeenView> views_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status Seen(const Context& context, const SeenOptions& options) {
  ViewCollector collector;
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context.client, &collector));
  ASSIGN_OR_RETURN(const v1::CaseSummary found,
                   client->FindCase(options.case_name, context.timeout));
  v1::HistoryRequest request;
  request.set_request_id(kRequest);
  request.set_case_id(found.case_id());
  request.add_lanes(1);
  absl::Status asked = absl::UnavailableError("not asked");
  client->Run([&] { asked = client->RequestHistory(request); });
  RETURN_IF_ERROR(asked);
  ASSIGN_OR_RETURN(const std::vector<SeenView> views,
                   collector.Wait(client->clock(), context.timeout));
  if (options.at.empty()) return PrintLine(SeenOverTime(views).ToText(context.output));
  ASSIGN_OR_RETURN(const int64_t at, ParseSeenTime(options.at, found.last_record_unix_ns()));
  return PrintLine(SeenAt(views, at).ToText(context.output));
}

}  // namespace remora::reader
