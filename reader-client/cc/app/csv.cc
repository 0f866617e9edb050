#include "reader-client/cc/app/csv.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/record_json.h"
#include "reader-client/cc/app/record_words.h"
#include "remora/v1/record.pb.h"

namespace remora::reader {
namespace {

constexpr const char* kColumns[] = {"seq",
                                    "recorded_at_utc",
                                    "lane",
                                    "kind",
                                    "origin",
                                    "origin_seq",
                                    "captured_monotonic_ns",
                                    "trace_id",
                                    "component",
                                    "amplitude_uv",
                                    "amplitude_percent_of_baseline",
                                    "latency_ms",
                                    "latency_change_percent",
                                    "state",
                                    "accepted_count",
                                    "noise_uv_rms",
                                    "priority",
                                    "actor",
                                    "text"};

std::string Quoted(std::string text) {
  static constexpr absl::string_view kFormulaStarts = "=+-@\t\r";
  if (!text.empty() && kFormulaStarts.find(text[0]) != absl::string_view::npos) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string Decimal(double value) { return absl::StrFormat("%.4f", value); }

// What a row has besides the header columns; empty where it does not apply.
struct Values {
  std::string trace_id, component, amplitude_uv, amplitude_percent, latency_ms, latency_percent,
      state, accepted, noise_uv_rms, priority, actor, text;
};

template <typename Enum>
std::string Word(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? absl::StrCat(static_cast<int>(value)) : EnumText(*found);
}

void FromAlert(const v1::Alert& alert, Values* v) {
  const v1::AlertEvidence& evidence = alert.evidence();
  v->trace_id = alert.trace_id();
  v->component = evidence.component();
  if (evidence.baseline_amplitude_uv() != 0) {
    v->amplitude_uv = Decimal(evidence.amplitude_uv());
    v->amplitude_percent = Decimal(evidence.amplitude_percent_of_baseline());
    v->latency_ms = Decimal(evidence.latency_ms());
    v->latency_percent = Decimal(evidence.latency_change_percent());
  }
  v->priority = Word(alert.priority());
  v->state = Word(alert.condition());
  v->text = alert.summary();
}

void FromMeasurement(const v1::Measurement& m, Values* v) {
  v->trace_id = m.trace_id();
  v->component = m.component();
  v->amplitude_uv = Decimal(m.amplitude_uv());
  v->latency_ms = Decimal(m.latency_ms());
  if (m.has_baseline()) {
    v->amplitude_percent = Decimal(m.amplitude_percent_of_baseline());
    v->latency_percent = Decimal(m.latency_change_percent());
  }
  v->state = Word(m.state());
  v->text = m.reason();
}

Values FromRecord(const v1::Record& record) {
  Values v;
  switch (record.body_case()) {
    case v1::Record::kAlert:
      FromAlert(record.alert(), &v);
      break;
    case v1::Record::kMeasurement:
      FromMeasurement(record.measurement(), &v);
      break;
    case v1::Record::kAlertAction:
      v.state = Word(record.alert_action().kind());
      v.actor = record.alert_action().actor();
      v.text = record.alert_action().reason();
      break;
    case v1::Record::kMessage:
      v.actor = record.message().sender();
      v.text = record.message().text();
      break;
    case v1::Record::kMessageReceipt:
      v.actor = record.message_receipt().recipient();
      v.state = Word(record.message_receipt().kind());
      break;
    case v1::Record::kAnnotation:
      v.trace_id = record.annotation().trace_id();
      v.actor = record.annotation().actor();
      v.text = record.annotation().text();
      break;
    case v1::Record::kBaselineSet:
      v.trace_id = record.baseline_set().trace_id();
      v.component = record.baseline_set().component();
      v.amplitude_uv = Decimal(record.baseline_set().amplitude_uv());
      v.latency_ms = Decimal(record.baseline_set().latency_ms());
      v.actor = record.baseline_set().actor();
      v.text = record.baseline_set().reason();
      break;
    case v1::Record::kCaseLifecycle:
      v.state = Word(record.case_lifecycle().transition());
      v.text = record.case_lifecycle().theatre();
      break;
    case v1::Record::kPresence:
      v.state = Word(record.presence().change());
      v.actor = record.presence().display_name();
      break;
    case v1::Record::kSourceNote:
      v.text = record.source_note().text();
      break;
    case v1::Record::kEmgActivity:
      v.trace_id = record.emg_activity().trace_id();
      v.state = Word(record.emg_activity().kind());
      v.amplitude_uv = Decimal(record.emg_activity().peak_uv());
      v.text = record.emg_activity().reason();
      break;
    case v1::Record::kSweep:
      v.trace_id = record.sweep().trace_id();
      v.accepted = absl::StrCat(record.sweep().accepted_count());
      v.noise_uv_rms = Decimal(record.sweep().noise_uv_rms());
      v.state = record.sweep().provisional() ? "provisional" : "finished";
      break;
    case v1::Record::kEnvelope:
      v.trace_id = record.envelope().trace_id();
      break;
    case v1::Record::kSampleBlock:
      v.trace_id = record.sample_block().trace_id();
      break;
    default:
      v.text = RecordWords(record);
      break;
  }
  return v;
}

}  // namespace

std::string CsvHeader() {
  std::string row;
  for (const char* column : kColumns) absl::StrAppend(&row, row.empty() ? "" : ",", column);
  return row + "\r\n";
}

std::string CsvRow(const StampedRecord& stamped, absl::string_view record_bytes) {
  v1::Record record;
  Values v;
  // A kind that this version does not know still has its row.
  if (record.ParseFromArray(record_bytes.data(), static_cast<int>(record_bytes.size()))) {
    v = FromRecord(record);
  }
  const RecordHeader& header = stamped.header;
  std::string row =
      absl::StrCat(stamped.stamp.seq, ",", UtcText(stamped.stamp.recorded_at.nanoseconds()), ",",
                   header.lane, ",", KindName(header.kind), ",", header.origin.Hex(), ",",
                   header.origin_seq, ",", record.captured_at().monotonic_ns());
  for (const std::string* value : {&v.trace_id, &v.component, &v.amplitude_uv, &v.amplitude_percent,
                                   &v.latency_ms, &v.latency_percent, &v.state, &v.accepted,
                                   &v.noise_uv_rms, &v.priority, &v.actor, &v.text}) {
    // Numbers of our own making may start with a minus; text from outside is guarded.
    const bool number =
        value == &v.latency_percent || value == &v.amplitude_uv || value == &v.latency_ms;
    absl::StrAppend(&row, ",", number ? *value : Quoted(*value));
  }
  return row + "\r\n";
}

}  // namespace remora::reader
