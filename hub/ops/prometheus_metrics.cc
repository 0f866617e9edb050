#include "hub/ops/prometheus_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hub/ops/process_metrics.h"

namespace remora::hub {
namespace {

// From a loopback commit to a stall that a reader would notice.
const prometheus::Histogram::BucketBoundaries kSecondsBuckets = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};

struct HelpText {
  const char* name;
  const char* text;
};
constexpr HelpText kHelp[] = {
    {metric::kRecordsAccepted, "Records that the hub took into a room, by lane."},
    {metric::kRecordsDuplicate, "Records that were offered again and held already."},
    {metric::kRecordsRefused, "Records that were refused, by reason."},
    {metric::kMessagesRefused, "Messages of sessions that were refused, by reason."},
    {metric::kDeliveries, "Records handed to followers."},
    {metric::kDeliveredBytes, "Bytes of records handed to followers."},
    {metric::kGapRecords, "Records that a follower was not given, by cause."},
    {metric::kSnapshots, "Snapshots made for followers, by cause."},
    {metric::kRecordsShownUnrecorded, "Records shown that were not on disk."},
    {metric::kUnrecordedNotKept,
     "Of those, left out for who comes later: too many of lanes 0-1 of a case."},
    {metric::kJournalFailures, "Commits that failed."},
    {metric::kCasesArchived, "Records of cases written to the archive and proved there."},
    {metric::kCasesPurged, "Cases that left the journal for the archive."},
    {metric::kArchiveFailures, "Cases that could not be archived or purged, by reason."},
    {metric::kCasesDue, "Cases kept beyond their time: to be archived, or they cannot be."},
    {metric::kFollows, "Follows that are open."},
    {metric::kSessions, "Sessions that the core holds."},
    {metric::kRooms, "Cases that are in memory."},
    {metric::kCases, "Cases that the hub has, in memory or at rest."},
    {metric::kRoomsFailed, "Rooms whose journal fails: what they are sent waits with its senders."},
    {metric::kRoomsUnrecorded, "Cases of which what is shown is not on record."},
    {metric::kRoomsDamaged, "Cases that could not be restored: they refuse whoever asks."},
    {metric::kCasesUnreadable, "Cases that cannot be read at present; tried again each minute."},
    {metric::kFollowQueueBytes, "Bytes that wait for followers."},
    {metric::kUncommittedBytes, "Bytes accepted and not yet on disk."},
    {metric::kOldestUncommittedSeconds, "Age of the oldest record accepted and not yet on disk."},
    {metric::kCommitSeconds, "From handing records to the journal until they are on disk."},
    {"remora_sessions_open", "Sessions of a transport that are open."},
    {"remora_sessions_opened_total", "Sessions opened, by transport and role."},
    {"remora_sessions_closed_total", "Sessions closed, by transport and status."},
    {"remora_transport_refused_total", "Who was turned away or cut, by transport and reason."},
    {"remora_transport_messages_total", "Messages received from participants."},
    {"remora_transport_received_bytes_total", "Bytes of messages received from participants."},
    {"remora_transport_batches_total", "Messages written to participants."},
    {"remora_transport_written_slices_total", "Shared slices in messages written."},
    {"remora_transport_written_bytes_total", "Bytes of messages written to participants."},
    {"remora_http_responses_total", "Answers to HTTP requests, by status code."},
    {"remora_sequence_events_total", "Events that the hub's sequence handled."},
    {"remora_sequence_turn_seconds",
     "From the first event of a turn of the hub's sequence until its writes were started."},
};

std::string HelpFor(absl::string_view name) {
  for (const HelpText& help : kHelp) {
    if (help.name == name) return help.text;
  }
  return std::string(name);
}

}  // namespace

PrometheusMetrics::PrometheusMetrics()
    : registry_(
          std::make_unique<prometheus::Registry>(prometheus::Registry::InsertBehavior::Merge)) {}
PrometheusMetrics::~PrometheusMetrics() = default;

const std::string& PrometheusMetrics::Key(absl::string_view name, absl::string_view label) const {
  key_.assign(name.data(), name.size());
  key_.push_back('\0');
  key_.append(label.data(), label.size());
  return key_;
}

PrometheusMetrics::LabelMap PrometheusMetrics::Labels(absl::string_view name,
                                                      absl::string_view label) {
  LabelMap labels;
  if (label.empty()) return labels;
  const bool too_many = ++label_values_[std::string(name)] > kMaxLabelValues;
  for (absl::string_view field : absl::StrSplit(label, ',')) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
    const bool named = field.find('=') != absl::string_view::npos;
    labels[named ? pair.first : "kind"] = too_many ? "other" : (named ? pair.second : pair.first);
  }
  return labels;
}

void PrometheusMetrics::Count(absl::string_view name, absl::string_view label, uint64_t by) {
  MutexLock lock(&mutex_);
  prometheus::Counter*& counter = counters_[Key(name, label)];
  if (counter == nullptr) {
    counter = &prometheus::BuildCounter()
                   .Name(std::string(name))
                   .Help(HelpFor(name))
                   .Register(*registry_)
                   .Add(Labels(name, label));
  }
  counter->Increment(static_cast<double>(by));
}

void PrometheusMetrics::Gauge(absl::string_view name, double value) {
  MutexLock lock(&mutex_);
  prometheus::Gauge*& gauge = gauges_[Key(name, "")];
  if (gauge == nullptr) {
    gauge = &prometheus::BuildGauge()
                 .Name(std::string(name))
                 .Help(HelpFor(name))
                 .Register(*registry_)
                 .Add({});
  }
  gauge->Set(value);
}

double PrometheusMetrics::GaugeValue(absl::string_view name) const {
  MutexLock lock(&mutex_);
  const auto gauge = gauges_.find(Key(name, ""));
  return gauge == gauges_.end() ? 0 : gauge->second->Value();
}

void PrometheusMetrics::AddToGauge(absl::string_view name, absl::string_view label, double by) {
  MutexLock lock(&mutex_);
  prometheus::Gauge*& gauge = gauges_[Key(name, label)];
  if (gauge == nullptr) {
    gauge = &prometheus::BuildGauge()
                 .Name(std::string(name))
                 .Help(HelpFor(name))
                 .Register(*registry_)
                 .Add(Labels(name, label));
  }
  gauge->Increment(by);
}

void PrometheusMetrics::ObserveSeconds(absl::string_view name, double seconds) {
  MutexLock lock(&mutex_);
  prometheus::Histogram*& histogram = histograms_[std::string(name)];
  if (histogram == nullptr) {
    histogram = &prometheus::BuildHistogram()
                     .Name(std::string(name))
                     .Help(HelpFor(name))
                     .Register(*registry_)
                     .Add({}, kSecondsBuckets);
  }
  histogram->Observe(seconds);
}

std::string PrometheusMetrics::Text() const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  for (prometheus::MetricFamily& family : CollectProcessMetrics()) {
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace remora::hub
