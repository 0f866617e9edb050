#include "acquisition-agent/sources/edf/timeline.h"

#include <algorithm>
#include <optional>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/edf/annotations.h"
#include "acquisition-agent/sources/edf/limits.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::edf {
namespace {

// Reads the annotation signals of all records in order, many short records or a few stretches of a
// long one at a time.
class AnnotationScan {
 public:
  AnnotationScan(const ByteReader& file, const Header& header) : file_(file), header_(header) {
    for (const Signal& signal : header.signals) {
      if (signal.is_annotations) signals_.push_back(&signal);
    }
    records_per_chunk_ = std::max<int64_t>(1, kScanChunkBytes / header.record_bytes);
  }

  bool any() const { return !signals_.empty(); }
  int signals() const { return static_cast<int>(signals_.size()); }

  // The bytes of annotation signal `k` in `record`; valid until the next call. Records must ascend.
  absl::StatusOr<std::span<const uint8_t>> Bytes(int64_t record, int k) {
    const Signal& signal = *signals_[k];
    const int64_t length = int64_t{signal.samples_per_record} * header_.bytes_per_sample();
    if (records_per_chunk_ == 1) {
      buffer_.resize(static_cast<size_t>(length));
      const int64_t at =
          header_.header_bytes + record * header_.record_bytes + signal.record_offset_bytes;
      if (absl::Status status = file_.ReadAt(at, buffer_); !status.ok()) return status;
      return std::span<const uint8_t>(buffer_);
    }
    if (record >= chunk_end_) {
      chunk_begin_ = record;
      chunk_end_ = std::min(header_.records, record + records_per_chunk_);
      buffer_.resize(static_cast<size_t>((chunk_end_ - chunk_begin_) * header_.record_bytes));
      const int64_t at = header_.header_bytes + record * header_.record_bytes;
      if (absl::Status status = file_.ReadAt(at, buffer_); !status.ok()) return status;
    }
    const int64_t at = (record - chunk_begin_) * header_.record_bytes + signal.record_offset_bytes;
    return std::span<const uint8_t>(buffer_).subspan(static_cast<size_t>(at),
                                                     static_cast<size_t>(length));
  }

 private:
  const ByteReader& file_;
  const Header& header_;
  std::vector<const Signal*> signals_;
  int64_t records_per_chunk_ = 1;
  int64_t chunk_begin_ = 0;
  int64_t chunk_end_ = 0;
  std::vector<uint8_t> buffer_;
};

class TimelineBuilder {
 public:
  TimelineBuilder(const ByteReader& file, const Header& header)
      : header_(header), scan_(file, header) {}

  absl::StatusOr<Timeline> Build() {
    if (!scan_.any()) {
      if (header_.records > 0) timeline_.segments.push_back({});
      if (header_.continuity == Continuity::kDiscontinuous) {
        timeline_.notes.push_back(
            "a discontinuous recording (byte 192) without annotation signals: "
            "where its breaks are is unknown; read as continuous");
      }
      return std::move(timeline_);
    }
    for (int64_t record = 0; record < header_.records; ++record) {
      if (absl::Status status = AddRecord(record); !status.ok()) return status;
    }
    std::stable_sort(
        timeline_.annotations.begin(), timeline_.annotations.end(),
        [](const Annotation& a, const Annotation& b) { return a.time_ns < b.time_ns; });
    AddNotes();
    return std::move(timeline_);
  }

 private:
  absl::Status AddRecord(int64_t record) {
    for (int k = 0; k < scan_.signals(); ++k) {
      absl::StatusOr<std::span<const uint8_t>> bytes = scan_.Bytes(record, k);
      if (!bytes.ok()) return bytes.status();
      bool placed = k > 0;
      absl::Status status;
      malformed_ += ParseAnnotations(*bytes, [&](const TimedText& timed) {
        if (!placed) {
          placed = true;
          status = PlaceRecord(
              record, timed.text.empty() ? std::optional<int64_t>(timed.onset_ns) : std::nullopt);
        }
        if (status.ok() && !timed.text.empty()) status = AddText(timed);
        return status.ok();
      });
      if (!placed) status = PlaceRecord(record, std::nullopt);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // `onset` is the time in the first list of its first annotation signal, if that begins with an
  // empty text.
  absl::Status PlaceRecord(int64_t record, std::optional<int64_t> onset) {
    if (!onset) ++records_without_time_;
    if (record == 0) {
      timeline_.first_onset_ns = onset.value_or(0);
      shift_ns_ = -timeline_.first_onset_ns;
      timeline_.segments.push_back({});
      return absl::OkStatus();
    }
    if (!onset || header_.record_duration_ns == 0) return absl::OkStatus();
    const Segment& last = timeline_.segments.back();
    const int64_t expected_ns = timeline_.RecordStartNs(last, record, header_);
    const int64_t found_ns = *onset + shift_ns_;
    const int64_t step_ns = found_ns - expected_ns;
    if (step_ns <= ToleranceNs() && step_ns >= -ToleranceNs()) return absl::OkStatus();
    if (static_cast<int64_t>(timeline_.segments.size()) >= kMaxSegments ||
        found_ns > kMaxRecordingNs || shift_ns_ > kMaxRecordingNs) {
      return absl::ResourceExhaustedError(
          absl::StrCat("record ", record + 1, " is at ", *onset / 1e9, " s; at most ", kMaxSegments,
                       " breaks in time and ", kMaxRecordingNs / 1e9, " s are read"));
    }
    if (step_ns > 0) {
      timeline_.segments.push_back({record, found_ns, 0});
    } else {
      shift_ns_ -= step_ns;  // device time goes on
      timeline_.segments.push_back({record, expected_ns, step_ns});
    }
    return absl::OkStatus();
  }

  absl::Status AddText(const TimedText& timed) {
    absl::string_view raw = timed.text;
    if (static_cast<int64_t>(raw.size()) > kMaxTextBytes) {
      ++cut_texts_;
      size_t length = kMaxTextBytes;  // not inside a UTF-8 sequence
      while (length > kMaxTextBytes - 3 && (static_cast<uint8_t>(raw[length]) & 0xC0) == 0x80)
        --length;
      raw = raw.substr(0, length);
    }
    std::string text = CleanText(raw);
    if (text.empty()) return absl::OkStatus();
    const auto [entry, is_new] =
        text_index_.try_emplace(text, static_cast<int32_t>(timeline_.texts.size()));
    if (is_new) {
      text_bytes_ += static_cast<int64_t>(text.size());
      timeline_.texts.push_back(std::move(text));
    }
    if (static_cast<int64_t>(timeline_.annotations.size()) >= kMaxAnnotations ||
        text_bytes_ > kMaxAnnotationTextBytes) {
      return absl::ResourceExhaustedError(absl::StrCat("more than ", kMaxAnnotations,
                                                       " annotations or ", kMaxAnnotationTextBytes,
                                                       " bytes of distinct annotation text"));
    }
    timeline_.annotations.push_back(
        {timed.onset_ns + shift_ns_, timed.duration_ns.value_or(0), entry->second});
    return absl::OkStatus();
  }

  // Onsets are decimal text; half a sample of the fastest signal is no break.
  int64_t ToleranceNs() {
    if (tolerance_ns_ == 0) {
      int64_t fastest = 1;
      for (const Signal& signal : header_.signals) {
        if (!signal.is_annotations) fastest = std::max<int64_t>(fastest, signal.samples_per_record);
      }
      tolerance_ns_ = std::max<int64_t>(1000, header_.record_duration_ns / fastest / 2);
    }
    return tolerance_ns_;
  }

  void AddNotes() {
    std::vector<std::string>& notes = timeline_.notes;
    if (malformed_ > 0)
      notes.push_back(
          absl::StrCat(malformed_, " stretches in annotation signals are no annotations; skipped"));
    if (cut_texts_ > 0)
      notes.push_back(absl::StrCat(cut_texts_, " annotation texts are longer than ", kMaxTextBytes,
                                   " bytes; cut"));
    if (records_without_time_ > 0) {
      notes.push_back(
          absl::StrCat(records_without_time_, " of ", header_.records,
                       " records do not say when they begin; taken as following the one before"));
    }
    if (timeline_.segments.size() > 1 && header_.continuity == Continuity::kContinuous) {
      notes.push_back(absl::StrCat("said to be continuous (byte 192), but its records' times have ",
                                   timeline_.segments.size() - 1, " breaks; these are kept"));
    }
  }

  const Header& header_;
  AnnotationScan scan_;
  Timeline timeline_;
  absl::flat_hash_map<std::string, int32_t> text_index_;
  int64_t text_bytes_ = 0;
  int64_t shift_ns_ = 0;  // device time = recorded time + shift
  int64_t tolerance_ns_ = 0;
  int64_t malformed_ = 0;
  int64_t cut_texts_ = 0;
  int64_t records_without_time_ = 0;
};

}  // namespace

absl::StatusOr<Timeline> BuildTimeline(const ByteReader& file, const Header& header) {
  return TimelineBuilder(file, header).Build();
}

}  // namespace remora::agent::edf
