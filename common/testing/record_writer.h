#pragma once

// Writes valid records of one origin in one case, with dense numbers: what an agent or a reader
// publishes in tests. Thread-compatible.

#include <array>
#include <cstdint>
#include <string>

#include "common/fold/case_fold.h"
#include "common/ids.h"
#include "common/limits.h"
#include "remora/v1/record.pb.h"

namespace remora {

class RecordWriter {
 public:
  RecordWriter(const CaseId& case_id, const OriginId& origin)
      : case_id_(case_id), origin_(origin) {}

  // The bytes of a record with this body, under the next number of its lane.
  std::string Write(v1::Record body);
  // The same under a number of the caller's choice.
  std::string WriteAs(uint64_t origin_seq, v1::Record body) const;
  // What was written so far, as a PublisherTotal, under the next number of its lane.
  std::string WriteTotal();
  // The id of the last record written in the lane.
  RecordKey LastKey(uint32_t lane) const { return {origin_, lane, next_[lane] - 1}; }
  uint64_t next(uint32_t lane) const { return next_[lane]; }
  void set_next(uint32_t lane, uint64_t next) { next_[lane] = next; }

 private:
  CaseId case_id_;
  OriginId origin_;
  std::array<uint64_t, kLaneCount> next_ = {1, 1, 1, 1, 1, 1};
};

// Bodies that pass validation.
v1::Record LifecycleBody(v1::CaseTransition transition, const std::string& theatre = "",
                         const std::string& reason = "");
v1::Record MessageBody(const std::string& text, const std::string& sender);
v1::Record AlertBody(const std::string& summary,
                     v1::AlertPriority priority = v1::ALERT_PRIORITY_HIGH);
v1::Record AlertUpdateBody(const RecordKey& raised_by, v1::AlertCondition condition,
                           const std::string& summary,
                           v1::AlertPriority priority = v1::ALERT_PRIORITY_HIGH);
v1::Record ActionBody(const RecordKey& alert, v1::AlertActionKind kind, v1::Place place,
                      const std::string& actor);
v1::Record PhaseBody(v1::Phase phase, const std::string& actor = "plan");
v1::Record AnnotationBody(const std::string& text, const std::string& actor);
v1::Record MeasurementBody(const std::string& trace_id, double amplitude_percent,
                           v1::MeasurementState state);
v1::Record EmgActivityBody(const std::string& trace_id, int64_t started_monotonic_ns);
// `padding_samples` makes it larger: about 2 bytes a sample.
v1::Record SweepBody(const std::string& trace_id, uint32_t block_index, bool provisional,
                     int padding_samples = 32);
v1::Record EnvelopeBody(const std::string& trace_id, int64_t started_monotonic_ns);
v1::Record BlockBody(const std::string& trace_id, uint64_t first_sample_index,
                     int padding_samples = 64);

// What a journal would hold, as the fold takes it.
FoldedRecord StampedForFold(const std::string& bytes, uint64_t seq, int64_t recorded_unix_ns,
                            uint32_t epoch = 1);

}  // namespace remora
