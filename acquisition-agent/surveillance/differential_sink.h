// Puts the causes of a change beside its alert: a sink in front of the case's, which follows what
// passes (acquisition-agent/reasoning). Without a table of causes it only passes on.
// Thread-compatible, on the agent's sequence.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/reasoning/case_follower.h"

namespace remora::agent {

class DifferentialSink : public RecordSink {
 public:
  // `behind` outlives it.
  DifferentialSink(std::unique_ptr<CaseFollower> follower, RecordSink& behind)
      : follower_(std::move(follower)), behind_(behind) {}

  RecordKey Put(v1::Record* record, int64_t at_ns) override;
  // A record of somebody else.
  void OnInput(const v1::Record& record, const RecordKey& key, int64_t at_ns);

 private:
  void Follow(const v1::Record& record, const RecordKey& key, int64_t at_ns);

  std::unique_ptr<CaseFollower> follower_;  // null: no table of causes
  RecordSink& behind_;
};

}  // namespace remora::agent
