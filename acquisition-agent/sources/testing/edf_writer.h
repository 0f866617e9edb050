// Writes EDF, EDF+, BDF and BDF+ recordings in memory for tests and for the fuzzer's seeds, right
// ones and wrong ones: every header field is free text here. Not for exports.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace remora::agent::edf {

struct TestSignal {
  std::string label = "EEG Cz";
  std::string transducer = "AgAgCl";
  std::string dimension = "uV";
  std::string physical_min = "-3276.8";
  std::string physical_max = "3276.7";
  std::string digital_min = "-32768";
  std::string digital_max = "32767";
  std::string prefilter = "HP:0.1Hz";
  int samples_per_record = 10;
  // The count of sample `i` of the whole recording; a ramp if empty. Ignored for annotations.
  std::function<int32_t(int64_t i)> count;
  // The bytes of an annotation signal in each record; the rest is NUL.
  std::vector<std::string> annotations;
};

struct TestRecording {
  bool bdf = false;
  std::string version;  // empty: what the format wants
  std::string patient = "X X X X";
  std::string recording = "Startdate 02-MAR-2020 X X X";
  std::string start_date = "02.03.20";
  std::string start_time = "09.10.11";
  std::string header_bytes;  // empty: right
  std::string reserved = "";
  std::string records_text;  // empty: `records`
  int records = 3;
  std::string record_duration_s = "1";
  std::string signals_text;  // empty: right
  std::vector<TestSignal> signals;
};

std::vector<uint8_t> WriteRecording(const TestRecording& recording);

// "+1.5<20><20><0>": the time of a record.
std::string RecordTime(const std::string& onset);
// One annotation; `duration` may be empty.
std::string AnnotationList(const std::string& onset, const std::string& duration,
                           const std::string& text);

// An annotation signal with one entry of bytes a record, and room for 60 (EDF) or 90 (BDF) bytes
// each.
TestSignal AnnotationSignal(bool bdf, std::vector<std::string> bytes_of_record);

}  // namespace remora::agent::edf
