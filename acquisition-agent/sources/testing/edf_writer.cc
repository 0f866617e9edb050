#include "acquisition-agent/sources/testing/edf_writer.h"

#include <algorithm>

namespace remora::agent::edf {
namespace {

void AppendField(std::string text, size_t width, std::string* out) {
  text.resize(width, ' ');
  out->append(text);
}

void AppendColumn(const std::vector<TestSignal>& signals, size_t width,
                  const std::function<std::string(const TestSignal&)>& field, std::string* out) {
  for (const TestSignal& signal : signals) AppendField(field(signal), width, out);
}

std::string OrElse(const std::string& text, const std::string& otherwise) {
  return text.empty() ? otherwise : text;
}

void AppendHeader(const TestRecording& r, std::string* out) {
  AppendField(OrElse(r.version, r.bdf ? "\xFF"
                                        "BIOSEMI"
                                      : "0"),
              8, out);
  AppendField(r.patient, 80, out);
  AppendField(r.recording, 80, out);
  AppendField(r.start_date, 8, out);
  AppendField(r.start_time, 8, out);
  AppendField(OrElse(r.header_bytes, std::to_string(256 * (r.signals.size() + 1))), 8, out);
  AppendField(r.reserved, 44, out);
  AppendField(OrElse(r.records_text, std::to_string(r.records)), 8, out);
  AppendField(r.record_duration_s, 8, out);
  AppendField(OrElse(r.signals_text, std::to_string(r.signals.size())), 4, out);
  AppendColumn(
      r.signals, 16, [](const TestSignal& s) { return s.label; }, out);
  AppendColumn(
      r.signals, 80, [](const TestSignal& s) { return s.transducer; }, out);
  AppendColumn(
      r.signals, 8, [](const TestSignal& s) { return s.dimension; }, out);
  AppendColumn(
      r.signals, 8, [](const TestSignal& s) { return s.physical_min; }, out);
  AppendColumn(
      r.signals, 8, [](const TestSignal& s) { return s.physical_max; }, out);
  AppendColumn(
      r.signals, 8, [](const TestSignal& s) { return s.digital_min; }, out);
  AppendColumn(
      r.signals, 8, [](const TestSignal& s) { return s.digital_max; }, out);
  AppendColumn(
      r.signals, 80, [](const TestSignal& s) { return s.prefilter; }, out);
  AppendColumn(
      r.signals, 8, [](const TestSignal& s) { return std::to_string(s.samples_per_record); }, out);
  AppendColumn(
      r.signals, 32, [](const TestSignal&) { return std::string(); }, out);
}

}  // namespace

std::vector<uint8_t> WriteRecording(const TestRecording& recording) {
  std::string out;
  AppendHeader(recording, &out);
  const int bytes_per_sample = recording.bdf ? 3 : 2;
  for (int record = 0; record < recording.records; ++record) {
    for (const TestSignal& signal : recording.signals) {
      const size_t room = static_cast<size_t>(signal.samples_per_record) * bytes_per_sample;
      if (!signal.annotations.empty()) {
        std::string bytes;
        if (record < static_cast<int>(signal.annotations.size()))
          bytes = signal.annotations[record];
        bytes.resize(room, '\0');
        out.append(bytes);
        continue;
      }
      for (int i = 0; i < signal.samples_per_record; ++i) {
        const int64_t index = int64_t{record} * signal.samples_per_record + i;
        const uint32_t count = static_cast<uint32_t>(
            signal.count ? signal.count(index) : static_cast<int32_t>(index % 1000));
        for (int b = 0; b < bytes_per_sample; ++b)
          out.push_back(static_cast<char>((count >> (8 * b)) & 0xFF));
      }
    }
  }
  return std::vector<uint8_t>(out.begin(), out.end());
}

std::string RecordTime(const std::string& onset) {
  return onset + "\x14\x14" + std::string(1, '\0');
}

std::string AnnotationList(const std::string& onset, const std::string& duration,
                           const std::string& text) {
  std::string out = onset;
  if (!duration.empty()) out += "\x15" + duration;
  return out + "\x14" + text + "\x14" + std::string(1, '\0');
}

TestSignal AnnotationSignal(bool bdf, std::vector<std::string> bytes_of_record) {
  TestSignal signal;
  signal.label = bdf ? "BDF Annotations" : "EDF Annotations";
  signal.transducer = "";
  signal.dimension = "";
  signal.physical_min = "-1";
  signal.physical_max = "1";
  signal.prefilter = "";
  signal.samples_per_record = 30;
  signal.annotations = std::move(bytes_of_record);
  return signal;
}

}  // namespace remora::agent::edf
