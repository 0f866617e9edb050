// CaseFold: what people and programs do about a change: requests, response protocols,
// differentials, adverse events, escalations. See case_fold.h.

#include "absl/strings/str_cat.h"
#include "common/fold/case_fold.h"

namespace remora {
namespace {

constexpr char kSeparator[] = "\x1f";

}  // namespace

bool CaseFold::ApplyResponse(const v1::Record& record, const FoldedRecord& folded) {
  const StampedBytes& bytes = folded.bytes;
  switch (record.body_case()) {
    case v1::Record::kRequest:
      requests_.Put(folded.seq, "", bytes);
      return true;
    case v1::Record::kEscalation: {
      const v1::Escalation& step = record.escalation();
      escalations_.Put(
          folded.seq, absl::StrCat(step.alert().SerializeAsString(), kSeparator, step.step_index()),
          bytes);
      return true;
    }
    case v1::Record::kChecklistStep:
      responses_.Put(folded.seq, "", bytes);
      return true;
    case v1::Record::kResponseEvent: {
      const v1::ResponseEvent& event = record.response_event();
      // Of the facts beside a step the newest; of a run all that became of it.
      const std::string facts = event.has_facts()
                                    ? absl::StrCat(event.facts().run().SerializeAsString(),
                                                   kSeparator, event.facts().step_key())
                                    : "";
      responses_.Put(folded.seq, facts, bytes);
      return true;
    }
    case v1::Record::kDifferential: {
      const v1::Differential& differential = record.differential();
      const v1::RecordId& alert =
          differential.has_pick() ? differential.pick().alert() : differential.ranking().alert();
      differentials_.Put(folded.seq,
                         absl::StrCat(alert.SerializeAsString(), kSeparator,
                                      static_cast<int>(differential.what_case())),
                         bytes);
      return true;
    }
    case v1::Record::kAdverseEvent:
      adverse_events_.Put(folded.seq, "", bytes);
      return true;
    default:
      return false;
  }
}

}  // namespace remora
