// Numbers the records of a live case and lays them into its spool; after a restart, recognises
// those that are there.
//
// The analysis is deterministic: run again from the source's start it makes the same records. Each
// one that the spool holds already gets its old number, and is compared byte for byte (but for what
// the machine's clock said at the time); only what is new is appended. So nothing is missing and
// nothing doubled, whenever the agent was killed.
//
// Records that depend on more than source and commands (clock estimates, notes on the spool) are
// put with PutOnce: they stand between the others and are never made again. Sequence-bound to the
// agent's sequence.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "acquisition-agent/app/record_maker.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/spool/case_spool.h"
#include "common/clock.h"
#include "common/limits.h"

namespace remora::agent {

class SpoolRecorder : public RecordSink {
 public:
  // `on_new` (may be empty) is called for each record that was not there before. All outlive it.
  SpoolRecorder(const CaseIdentity& identity, CaseSpool& spool, const Clock& clock,
                std::function<void(const v1::Record&, int64_t at_ns)> on_new);

  RecordKey Put(v1::Record* record, int64_t at_ns) override;
  RecordKey PutOnce(v1::Record* record, int64_t at_ns);
  // Before the first Put: nothing is made again, as of a source that cannot be read again. What is
  // put from now on is new.
  void SkipRecovered() { ordinals_ = recovered_ordinals_; }

  // The first failure to keep a record; the agent must stop then.
  const absl::Status& status() const { return status_; }
  // Records made again that were not what the spool holds: another build, or a source that changed.
  uint64_t mismatches() const { return mismatches_; }
  // All that the spool held when it was opened has been made again.
  bool caught_up() const;

 private:
  RecordKey Append(uint32_t lane, uint64_t seq, uint32_t ordinal, v1::Record* record, int64_t at_ns,
                   bool is_new);
  void Compare(uint32_t lane, uint64_t seq, v1::Record* record, int64_t at_ns);
  // A number that damage has left free below what was recovered; 0 for none.
  uint64_t TakeHole(uint32_t lane);

  const CaseIdentity identity_;
  CaseSpool& spool_;
  const Clock& clock_;
  const std::function<void(const v1::Record&, int64_t)> on_new_;
  std::array<uint32_t, kLaneCount> ordinals_{};
  std::array<uint32_t, kLaneCount> recovered_ordinals_{};
  std::array<uint64_t, kLaneCount> recovered_seqs_{};
  std::array<uint64_t, kLaneCount> next_hole_{};
  absl::Status status_;
  uint64_t mismatches_ = 0;
};

// A sink for what cannot be made again: how full a disk is, what a restart found.
class OnceSink : public RecordSink {
 public:
  explicit OnceSink(SpoolRecorder& recorder) : recorder_(recorder) {}
  RecordKey Put(v1::Record* record, int64_t at_ns) override {
    return recorder_.PutOnce(record, at_ns);
  }

 private:
  SpoolRecorder& recorder_;
};

}  // namespace remora::agent
