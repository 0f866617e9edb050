// Writes down what EEG or ECoG of one derivation amounts to: its samples, the measures and the
// spectrum of each window, and what is left out.
//
// Records it makes: SampleBlock, SpectralEdge, SpectrumSlice, EegActivity. Thread-compatible, on
// the agent's sequence.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "acquisition-agent/pipelines/eeg_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"

namespace remora::agent {

// The newest power of every EEG channel of the case, so that a side can be compared with its
// mirror.
class EegPowers {
 public:
  void Note(const std::string& trace_id, int64_t started_ns, double total_uv2) {
    powers_[trace_id] = {started_ns, total_uv2};
  }
  // (right - left) / (right + left), of windows that began within half a second; nothing when the
  // mirror has none. `own_is_right`: the channel that asks.
  std::optional<double> Asymmetry(const std::string& mirror_trace_id, int64_t started_ns,
                                  double own_uv2, bool own_is_right) const;

 private:
  struct Power {
    int64_t started_ns = 0;
    double total_uv2 = 0;
  };
  std::map<std::string, Power> powers_;  // as many as the plan has entries
};

class EegWatch {
 public:
  // Both outlive it.
  EegWatch(const ResolvedEeg& plan, EegPowers& powers, RecordSink& sink)
      : plan_(plan), powers_(powers), sink_(sink) {}

  void OnOutput(EegOutput* output, int64_t now_ns);

 private:
  // Of a stretch of this channel; no numbers yet.
  v1::SpectralEdge EdgeFrom(int64_t started_ns, double window_ms) const;
  void PutWindow(const EegWindow& window, int64_t now_ns);
  void PutSlice(const EegWindow& window, int64_t now_ns);
  void PutDischarge(const EegDischarge& discharge, int64_t now_ns);
  void PutArtefact(const EegArtefact& artefact, int64_t now_ns);

  const ResolvedEeg plan_;
  EegPowers& powers_;
  RecordSink& sink_;
  // A stretch that is left out is told once a second.
  int64_t artefact_told_ns_ = -1'000'000'000;
};

}  // namespace remora::agent
