// Writes down what a strip says: a sweep and a contact's amplitude and polarity for each contact,
// then between which two the response turns over, or left and right cross. A contact that the round
// does without has no record but its name in the result's reason.
//
// Records it makes: Sweep, MappingContact (amplitude: the rms, in the plan's window, of what the
// contact has of the shape that all have in common, of a gradient of what its odd and even halves
// have in common; polarity: its correlation with that shape; the
// current is the contact's own, as its last sweep had it), MappingResult. Thread-compatible, on the
// agent's sequence.
#pragma once

#include <cstdint>

#include "acquisition-agent/pipelines/mapping_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"

namespace remora::agent {

class MappingWatch {
 public:
  // `sink` outlives it.
  MappingWatch(const ResolvedMapping& plan, RecordSink& sink) : plan_(plan), sink_(sink) {}

  void OnRound(const MappingRound& round, int64_t now_ns);

 private:
  void PutContact(const MappingRound& round, size_t i, int64_t now_ns);
  RecordKey PutSweep(const MappingRound& round, const ContactAverage& contact, int64_t now_ns);

  const ResolvedMapping plan_;
  RecordSink& sink_;
};

}  // namespace remora::agent
