#include "acquisition-agent/app/dry_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/random.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr int64_t kProgressNs = 10'000'000'000;

// Local time without a zone, taken for UTC: wall times of a dry run are for people.
int64_t WallStart(const SourceInfo& info) {
  if (!info.start_local) return 0;
  return absl::ToUnixNanos(absl::FromCivil(*info.start_local, absl::UTCTimeZone())) +
         info.start_subsecond_ns;
}

class CountingSink : public RecordSink {
 public:
  CountingSink(const CaseIdentity& identity, int64_t wall_start_ns, DryRunSummary* summary,
               const std::function<void(const v1::Record&, absl::string_view)>& on_record)
      : identity_(identity),
        wall_start_ns_(wall_start_ns),
        summary_(summary),
        on_record_(on_record) {}

  RecordKey Put(v1::Record* record, int64_t at_ns) override {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
    const RecordKey key{identity_.origin, lane, ++summary_->records[lane]};
    const std::string bytes =
        EncodeRecord(identity_, lane, key.origin_seq, at_ns, wall_start_ns_ + at_ns, record);
    summary_->bytes += bytes.size();
    if (record->has_alert()) {
      const v1::AlertCondition condition = record->alert().condition();
      summary_->alerts_raised += condition == v1::ALERT_CONDITION_RAISED ? 1 : 0;
      summary_->alerts_recovered += condition == v1::ALERT_CONDITION_RECOVERED ? 1 : 0;
    }
    Check(bytes);
    on_record_(*record, bytes);
    return key;
  }

 private:
  // As the hub would at ingest.
  void Check(absl::string_view bytes) {
    absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
    absl::Status status = header.status();
    if (status.ok()) {
      v1::Record parsed;
      status = ValidateBody(*header, bytes, &parsed);
    }
    if (status.ok()) return;
    if (summary_->invalid++ == 0) summary_->first_invalid = std::string(status.message());
  }

  const CaseIdentity identity_;
  const int64_t wall_start_ns_;
  DryRunSummary* const summary_;
  const std::function<void(const v1::Record&, absl::string_view)>& on_record_;
};

}  // namespace

v1::Record OpeningRecord(const std::string& theatre, const std::string& procedure) {
  v1::Record record;
  v1::CaseLifecycle& step = *record.mutable_case_lifecycle();
  step.set_transition(v1::CASE_TRANSITION_OPENED);
  step.set_theatre(theatre);
  step.set_procedure(procedure);
  return record;
}

v1::Record ClosingRecord(v1::CaseTransition transition, const std::string& reason) {
  v1::Record record;
  record.mutable_case_lifecycle()->set_transition(transition);
  record.mutable_case_lifecycle()->set_reason(reason);
  return record;
}

absl::StatusOr<DryRunSummary> DryRun(
    const CasePlan& plan, SignalSource& source, const DryRunOptions& options,
    const std::function<void(const v1::Record&, absl::string_view bytes)>& on_record,
    const std::function<void(int64_t now_ns)>& on_progress) {
  DryRunSummary summary;
  const std::unique_ptr<Random> random = MakeSeededRandom(options.seed);
  summary.identity.case_id = CaseId::Draw(*random);
  summary.identity.origin = OriginId::Draw(*random);
  summary.identity.boot_id = random->Uint64();
  CountingSink sink(summary.identity, WallStart(source.info()), &summary, on_record);
  ASSIGN_OR_RETURN(const std::unique_ptr<CaseAnalysis> analysis,
                   CaseAnalysis::Create(plan, source.info(), sink));
  v1::Record opening = OpeningRecord(options.theatre, plan.plan.procedure());
  sink.Put(&opening, 0);
  analysis->Begin();
  int64_t told_ns = 0;
  for (bool ended = false; !ended;) {
    ASSIGN_OR_RETURN(const Item item, source.Next());
    ended = std::holds_alternative<EndOfSource>(item);
    analysis->Take(item);
    if (analysis->now_ns() - told_ns >= kProgressNs) {
      told_ns = analysis->now_ns();
      on_progress(told_ns);
    }
  }
  if (!options.keep_open) {
    for (const v1::CaseTransition step :
         {v1::CASE_TRANSITION_CLOSING, v1::CASE_TRANSITION_CLOSED}) {
      v1::Record closing = ClosingRecord(step, "end of the source");
      sink.Put(&closing, analysis->now_ns());
    }
  }
  summary.analysis = analysis->summary();
  summary.duration_ns = analysis->now_ns();
  return summary;
}

}  // namespace remora::agent
