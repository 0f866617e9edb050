// Writes down what a strip says: a sweep and a contact's amplitude and polarity for each contact,
// then between which two the response turns over.
//
// Records it makes: Sweep, MappingContact (amplitude: the rms, in the plan's window, of what the
// contact has of the shape that all have in common; polarity: its correlation with that shape; the
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
  RecordKey PutSweep(const MappingRound& round, const ContactAverage& contact, int64_t now_ns);

  const ResolvedMapping plan_;
  RecordSink& sink_;
};

}  // namespace remora::agent
