#include "acquisition-agent/app/case_choice.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/setup_digest.h"
#include "acquisition-agent/app/spool_closer.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/app/spool_repair.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

CaseIdentity IdentityOf(const CaseSpool& spool) {
  return {spool.case_id(), spool.origin(), spool.info()->boot_id};
}

// For a case that is not run any more: nothing is made again.
absl::Status Repair(CaseSpool& spool, const Clock& clock, Console& console) {
  if (!spool.recovery().is_damaged()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t lost,
                   FillHoles(IdentityOf(spool), spool, clock, LastTimeNs(spool)));
  console.Say(absl::StrCat("The spool of case ", spool.case_id().Hex(), " is damaged: ",
                           spool.recovery().damage.skipped_bytes, " bytes cannot be read; ", lost,
                           " records that the hub did not have are lost"));
  return spool.Commit();
}

absl::Status CloseLeftOpen(CaseSpool& spool, const Clock& clock) {
  SpoolRecorder recorder(IdentityOf(spool), spool, clock, nullptr);
  // When its last record was made: its source says nothing later.
  const int64_t at_ns = LastTimeNs(spool);
  v1::Record closing = ClosingRecord(v1::CASE_TRANSITION_CLOSING, "a new case was begun");
  recorder.PutOnce(&closing, at_ns);
  RETURN_IF_ERROR(recorder.status());
  SpoolCloser(spool, clock).PutTotal(at_ns);
  RETURN_IF_ERROR(spool.Close());
  return spool.Commit();
}

absl::StatusOr<std::unique_ptr<CaseSpool>> BeginCase(const AgentOptions& options,
                                                     const CasePlan& plan, SpoolFolder& folder,
                                                     const CaseId& case_id, Random& random) {
  ASSIGN_OR_RETURN(std::unique_ptr<CaseSpool> spool, folder.NewCase(case_id));
  CaseInfo info;
  info.boot_id = random.Uint64();
  info.setup_digest = SetupDigest(options.source, plan);
  info.source = options.source;
  info.theatre = options.theatre;
  info.procedure = options.procedure.empty() ? plan.plan.procedure() : options.procedure;
  RETURN_IF_ERROR(spool->SetInfo(info));
  RETURN_IF_ERROR(spool->Commit());
  return spool;
}

}  // namespace

absl::StatusOr<Cases> ChooseCase(const AgentOptions& options, const CasePlan& plan,
                                 SpoolFolder& folder, Random& random, const Clock& clock,
                                 Console& console) {
  std::optional<CaseId> wanted;
  if (!options.case_id.empty()) {
    wanted = CaseIdFromHex(options.case_id);
    if (!wanted) {
      return absl::InvalidArgumentError(
          absl::StrCat("--case: \"", options.case_id, "\" is not 32 hexadecimal digits"));
    }
  }
  const uint64_t digest = SetupDigest(options.source, plan);
  Cases cases;
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<CaseSpool>> found, folder.OpenCases());
  for (std::unique_ptr<CaseSpool>& spool : found) {
    if (spool->closed() || options.new_case) RETURN_IF_ERROR(Repair(*spool, clock, console));
    if (!spool->closed() && options.new_case) RETURN_IF_ERROR(CloseLeftOpen(*spool, clock));
    if (spool->closed()) {
      if (wanted && *wanted == spool->case_id()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--case: ", options.case_id, " is closed in this spool"));
      }
      if (cases.old.size() < kMaxOldCases && !SpoolCloser(*spool, clock).IsOver())
        cases.old.push_back(std::move(spool));
      continue;
    }
    const bool same = spool->info()->setup_digest == digest && cases.current == nullptr &&
                      (!wanted || *wanted == spool->case_id());
    if (!same) {
      return absl::InvalidArgumentError(
          absl::StrCat(options.spool, ": case ", spool->case_id().Hex(),
                       " is still open, with source ", spool->info()->source,
                       " and another plan, source or case than now. Start with the same ones to go "
                       "on with it, or with --new-case to close it"));
    }
    cases.current = std::move(spool);
    cases.resumed = true;
  }
  if (cases.current == nullptr) {
    ASSIGN_OR_RETURN(cases.current, BeginCase(options, plan, folder,
                                              wanted ? *wanted : CaseId::Draw(random), random));
  }
  return cases;
}

}  // namespace remora::agent
