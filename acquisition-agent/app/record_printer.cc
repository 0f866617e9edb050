#include "acquisition-agent/app/record_printer.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/record_codec.h"
#include "common/record_json.h"

namespace remora::agent {
namespace {

std::string TimeText(int64_t at_ns) {
  const int64_t tenths = at_ns / 100'000'000;
  return absl::StrFormat("%3d:%02d.%d", tenths / 600, tenths / 10 % 60, std::abs(tenths % 10));
}

std::string Short(const google::protobuf::EnumDescriptor* type, int value) {
  const google::protobuf::EnumValueDescriptor* named = type->FindValueByNumber(value);
  return named == nullptr ? absl::StrCat(value) : EnumText(*named);
}

struct TableRow {
  std::string kind;  // empty: not shown
  std::string trace;
  std::string text;
};

TableRow RowOf(const v1::Sweep& sweep) {
  if (sweep.provisional()) return {};
  return {"sweep", sweep.trace_id(),
          absl::StrFormat("block %d, %d of %d sweeps, noise %.2f uV, r %.2f", sweep.block_index(),
                          sweep.accepted_count(), sweep.requested_count(), sweep.noise_uv_rms(),
                          sweep.odd_even_correlation())};
}

TableRow RowOf(const v1::Measurement& measured) {
  std::string text = absl::StrFormat("%s %.2f uV", measured.component(), measured.amplitude_uv());
  if (measured.has_baseline()) {
    absl::StrAppendFormat(&text, " (%.0f %%)", measured.amplitude_percent_of_baseline());
  }
  absl::StrAppendFormat(&text, ", %.2f ms", measured.latency_ms());
  if (measured.has_baseline()) {
    absl::StrAppendFormat(&text, " (%+.1f %%)", measured.latency_change_percent());
  }
  absl::StrAppend(&text, ", ", Short(v1::MeasurementState_descriptor(), measured.state()));
  if (!measured.reason().empty()) absl::StrAppend(&text, ": ", measured.reason());
  return {"measurement", measured.trace_id(), text};
}

TableRow RowOf(const v1::Alert& alert) {
  return {"ALERT", alert.trace_id(),
          absl::StrCat(Short(v1::AlertPriority_descriptor(), alert.priority()), " ",
                       Short(v1::AlertCondition_descriptor(), alert.condition()), ": ",
                       alert.summary())};
}

TableRow RowOf(const v1::EmgActivity& found) {
  if (found.kind() == v1::EMG_ACTIVITY_KIND_SPIKE) return {};
  return {"emg", found.trace_id(),
          absl::StrFormat(
              "%s %.2f s, %.0f uV%s%s%s", Short(v1::EmgActivityKind_descriptor(), found.kind()),
              found.duration_ms() / 1000, found.peak_uv(), found.ongoing() ? ", going on" : "",
              found.reason().empty() ? "" : ": ", found.reason())};
}

TableRow RowOf(const v1::BaselineSet& set) {
  return {
      "baseline", set.trace_id(),
      absl::StrFormat("%.2f uV, %.2f ms (%s)", set.amplitude_uv(), set.latency_ms(), set.reason())};
}

TableRow RowOf(const v1::Record& record) {
  switch (record.body_case()) {
    case v1::Record::kSweep:
      return RowOf(record.sweep());
    case v1::Record::kMeasurement:
      return RowOf(record.measurement());
    case v1::Record::kBaselineSet:
      return RowOf(record.baseline_set());
    case v1::Record::kAlert:
      return RowOf(record.alert());
    case v1::Record::kEmgActivity:
      return RowOf(record.emg_activity());
    case v1::Record::kMessage:
      return {"message", "", record.message().text()};
    case v1::Record::kSourceNote:
      return {"note", "", record.source_note().text()};
    case v1::Record::kDataGap:
      return {"gap", "",
              absl::StrFormat("%s to %s", TimeText(record.data_gap().from_monotonic_ns()),
                              TimeText(record.data_gap().to_monotonic_ns()))};
    case v1::Record::kCaseLifecycle:
      return {"case", "",
              Short(v1::CaseTransition_descriptor(), record.case_lifecycle().transition())};
    default:
      return {};
  }
}

std::string TableLine(const v1::Record& record) {
  const TableRow row = RowOf(record);
  if (row.kind.empty()) return "";
  return absl::StrFormat("%9s  %-11s  %-24s  %s\n", TimeText(record.captured_at().monotonic_ns()),
                         row.kind, row.trace, row.text);
}

}  // namespace

std::string FormatHead(OutputFormat format) {
  if (format == OutputFormat::kNdjson) return "";
  return absl::StrFormat("%9s  %-11s  %-24s  %s\n", "time", "kind", "trace", "");
}

std::string FormatRecord(const v1::Record& record, absl::string_view bytes, OutputFormat format,
                         bool samples) {
  if (format == OutputFormat::kTable) return TableLine(record);
  const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
  if (!header.ok()) return "";  // counted as invalid by the dry run
  JsonOptions options;
  options.samples = samples;
  return RecordToJson(*header, nullptr, bytes, options) + "\n";
}

std::string AlertLine(const v1::Alert& alert, int64_t at_ns) {
  return absl::StrCat(
      TimeText(at_ns), "  ", Short(v1::AlertPriority_descriptor(), alert.priority()), " ",
      Short(v1::AlertCondition_descriptor(), alert.condition()), ": ", alert.summary());
}

}  // namespace remora::agent
