// The header of an EDF, EDF+, BDF or BDF+ recording.
//
// Strict where a wrong reading would give wrong signals, tolerant where files in the field differ
// harmlessly; what was tolerated is in `notes`. Pure functions over bytes; nothing here trusts a
// number before it is checked.
//
// Sources: Kemp et al., EEG Clin Neurophysiol 82 (1992) 391-393 (EDF); Kemp and Olivan, Clin
// Neurophysiol 114 (2003) 1755-1761 (EDF+); BioSemi's description of the 24-bit variant (BDF).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

#include "acquisition-agent/sources/byte_reader.h"

namespace remora::agent::edf {

inline constexpr int kFixedHeaderBytes = 256;  // also the bytes that each signal adds
inline constexpr int kSignalHeaderBytes = 256;

enum class Format { kEdf, kBdf };
enum class Continuity {
  kPlain,          // no "+": records follow each other
  kContinuous,     // EDF+C, BDF+C
  kDiscontinuous,  // EDF+D, BDF+D: each record says when it was
};

struct Signal {
  std::string label;  // cleaned, as written (not made unique)
  std::string transducer;
  std::string dimension;
  std::string prefilter;
  double physical_min = 0;  // in `dimension`
  double physical_max = 0;
  int32_t digital_min = 0;
  int32_t digital_max = 0;
  int32_t samples_per_record = 0;
  int64_t record_offset_bytes = 0;  // where its samples stand in a record
  bool is_annotations = false;
  // Why its samples cannot be given a physical value; empty if they can. Such a signal is left out.
  std::string problem;

  double gain() const {
    return (physical_max - physical_min) / (static_cast<double>(digital_max) - digital_min);
  }
  double offset() const { return physical_min - gain() * digital_min; }
};

struct Header {
  Format format = Format::kEdf;
  Continuity continuity = Continuity::kPlain;
  std::string patient;  // identity: never logged, never put into a record
  std::string recording;
  std::string reserved;
  std::string start_date_text;  // as written, "24.01.20"
  std::string start_time_text;
  std::optional<absl::CivilSecond> start_local;
  int64_t declared_records = 0;  // -1 if the recorder never closed the file
  int64_t record_duration_ns = 0;
  std::vector<Signal> signals;

  int64_t header_bytes = 0;
  int64_t record_bytes = 0;
  // From the size of the file: whole records that are there and may be read, and bytes of a last
  // one that is not whole.
  int64_t records = 0;
  int64_t partial_record_bytes = 0;

  std::vector<std::string> notes;

  int bytes_per_sample() const { return format == Format::kEdf ? 2 : 3; }
  double SampleRateHz(const Signal& signal) const {
    return record_duration_ns > 0 ? signal.samples_per_record * 1e9 / record_duration_ns : 0.0;
  }
};

// Reads and checks the header of `file`.
//   kInvalidArgument  no such recording, or damaged: byte, what is there, what would be right
//   kDataLoss         the storage failed
absl::StatusOr<Header> ReadHeader(const ByteReader& file);

}  // namespace remora::agent::edf
