// Writes down what EEG or ECoG of one derivation amounts to: its samples, the measures and the
// spectrum of each window, and what is left out.
//
// Records it makes: SampleBlock, SpectralEdge, SpectrumSlice, EegActivity. Thread-compatible, on
// the agent's sequence.
//
// A window with a mirror waits for the mirror's, so that both sides say how they differ. Behind an
// artefact a side's windows begin anew: two are compared when they begin within half a step (a
// quarter of a window at most). A window waits that long and half a second, not more: where the
// mirror is off, or has a gap, it is told without asymmetry. They are told in their order.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "acquisition-agent/pipelines/eeg_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"

namespace remora::agent {

// The powers of the newest windows of every EEG channel of the case, so that a side can be compared
// with its mirror.
class EegPowers {
 public:
  // In the order of the windows of a trace.
  void Note(const std::string& trace_id, int64_t started_ns, double total_uv2);
  // In uV^2, of that trace's window that began nearest; nothing where none began within `within_ns`
  // of `started_ns`.
  std::optional<double> Near(const std::string& trace_id, int64_t started_ns,
                             int64_t within_ns) const;

 private:
  struct Power {
    int64_t started_ns = 0;
    double total_uv2 = 0;
  };
  std::map<std::string, std::deque<Power>> powers_;  // as many as the plan has entries
};

class EegWatch {
 public:
  // Both outlive it.
  EegWatch(const ResolvedEeg& plan, EegPowers& powers, RecordSink& sink)
      : plan_(plan), powers_(powers), sink_(sink) {}

  void OnOutput(EegOutput* output, int64_t now_ns);
  // Tells what still waits for its mirror.
  void OnEnd(int64_t now_ns);

 private:
  // A window that is not told yet.
  struct Held {
    v1::Record record;
    std::optional<double> own_uv2;  // waits for its mirror
    int64_t until_ns = 0;
  };

  // Of a stretch of this channel; no numbers yet.
  v1::SpectralEdge EdgeFrom(int64_t started_ns, double window_ms) const;
  void HoldWindow(const EegWindow& window, int64_t now_ns);
  // How far apart windows begin that are compared.
  int64_t WithinNs() const;
  void Release(bool all, int64_t now_ns);
  void PutSlice(const EegWindow& window, int64_t now_ns);
  void PutDischarge(const EegDischarge& discharge, int64_t now_ns);
  void PutArtefact(const EegArtefact& artefact, int64_t now_ns);

  const ResolvedEeg plan_;
  EegPowers& powers_;
  RecordSink& sink_;
  std::deque<Held> held_;  // a window or two
  // A stretch that is left out is told once a second.
  int64_t artefact_told_ns_ = -1'000'000'000;
};

}  // namespace remora::agent
