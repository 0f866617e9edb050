#include "hub/identity/permissions.h"

#include <algorithm>
#include <array>

#include "remora/v1/alert.pb.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {
namespace {

using Record = v1::Record;

// Columns: agent, technologist, neurophysiologist, surgical team, centre. The hub's own records
// (presence, timer, signed head, unrecorded interval, certificate, escalation) nobody sends; of
// link states only the view that a participant has of its own link (record_author.h).
struct Row {
  uint32_t kind;
  bool agent;
  bool technologist;
  bool neurophysiologist;
  bool surgical_team;
  bool centre;
};

constexpr bool x = true;
constexpr bool o = false;

// clang-format off
constexpr std::array<Row, 48> kTable = {{
    // Lane 0.                          agent tech neuro surg centre
    {Record::kAlert,                    x,    o,   o,    o,   o},
    {Record::kAlertAction,              o,    x,   x,    x,   x},
    {Record::kMessage,                  x,    x,   x,    x,   x},
    {Record::kMessageReceipt,           o,    x,   x,    x,   x},
    {Record::kRequest,                  x,    x,   x,    o,   o},
    {Record::kLinkState,                x,    x,   x,    x,   x},
    {Record::kEscalation,               o,    o,   o,    o,   o},
    // Lane 1.
    {Record::kCaseLifecycle,            x,    x,   x,    o,   x},
    {Record::kCasePlanSet,              x,    x,   x,    o,   o},
    {Record::kPhaseChange,              x,    x,   x,    o,   o},
    {Record::kBaselineSet,              x,    x,   x,    o,   o},
    {Record::kAnnotation,               o,    x,   x,    x,   x},
    {Record::kChecklistStep,            o,    x,   x,    x,   o},
    {Record::kVitals,                   x,    x,   o,    o,   o},
    {Record::kDrugGiven,                x,    x,   o,    x,   o},
    {Record::kStimulusChange,           x,    x,   o,    o,   o},
    {Record::kPresence,                 o,    o,   o,    o,   o},
    {Record::kFocus,                    o,    x,   x,    o,   x},
    {Record::kNecessityFinding,         o,    x,   x,    o,   x},
    {Record::kHandover,                 o,    x,   x,    o,   x},
    {Record::kExportMade,               o,    x,   x,    x,   x},
    {Record::kDataGap,                  x,    o,   o,    o,   o},
    {Record::kClockEstimate,            x,    x,   x,    x,   x},
    {Record::kTimerFired,               o,    o,   o,    o,   o},
    {Record::kSignedHead,               o,    o,   o,    o,   o},
    {Record::kUnrecordedInterval,       o,    o,   o,    o,   o},
    {Record::kCertificate,              o,    o,   o,    o,   o},
    {Record::kSourceNote,               x,    o,   o,    o,   o},
    {Record::kBacklogReviewed,          o,    o,   x,    o,   x},
    {Record::kViewSeen,                 o,    x,   x,    x,   x},
    {Record::kPublisherTotal,           x,    x,   x,    x,   x},
    {Record::kImpedances,               x,    x,   o,    o,   o},
    {Record::kPositionChange,           x,    x,   x,    x,   o},
    {Record::kInputTaken,               x,    o,   o,    o,   o},
    {Record::kDifferential,             x,    x,   x,    o,   o},
    {Record::kResponseEvent,            o,    x,   x,    x,   o},
    {Record::kAdverseEvent,             o,    x,   x,    o,   x},
    // Lane 2.
    {Record::kMeasurement,              x,    o,   o,    o,   o},
    {Record::kEmgActivity,              x,    o,   o,    o,   o},
    {Record::kTrainOfFour,              x,    x,   o,    o,   o},
    {Record::kSpectralEdge,             x,    o,   o,    o,   o},
    {Record::kStimulusThreshold,        x,    x,   o,    o,   o},
    {Record::kMappingContact,           x,    x,   o,    o,   o},
    {Record::kRelation,                 x,    o,   o,    o,   o},
    {Record::kEegActivity,              x,    o,   o,    o,   o},
    {Record::kMappingResult,            x,    o,   o,    o,   o},
    {Record::kAlarmLatency,             x,    o,   o,    o,   o},
    // Lanes 3-5; the others as this one.
    {Record::kSweep,                    x,    o,   o,    o,   o},
}};

// clang-format on

struct StepRow {
  v1::CaseTransition transition;
  bool agent;
  bool technologist;
  bool neurophysiologist;
  bool surgical_team;
  bool centre;
};

// clang-format off
constexpr std::array<StepRow, 10> kSteps = {{
    //                                   agent tech neuro surg centre
    {v1::CASE_TRANSITION_SCHEDULED,        o,    x,   o,    o,   x},
    {v1::CASE_TRANSITION_OPENED,           x,    x,   o,    o,   o},
    {v1::CASE_TRANSITION_OPENED_EMERGENCY, x,    x,   o,    o,   o},
    {v1::CASE_TRANSITION_MOVED,            x,    x,   o,    o,   x},
    {v1::CASE_TRANSITION_CORRECTED,        o,    x,   x,    o,   x},
    {v1::CASE_TRANSITION_CLOSING,          x,    x,   o,    o,   o},
    {v1::CASE_TRANSITION_CLOSED,           x,    x,   o,    o,   o},
    {v1::CASE_TRANSITION_REOPENED,         o,    x,   x,    o,   x},
    {v1::CASE_TRANSITION_SEALED,           o,    x,   x,    o,   x},
    {v1::CASE_TRANSITION_ABANDONED,        o,    x,   o,    o,   x},
}};

// clang-format on

template <typename R>
bool Allows(const R& row, v1::Role role) {
  switch (role) {
    case v1::ROLE_AGENT:
      return row.agent;
    case v1::ROLE_TECHNOLOGIST:
      return row.technologist;
    case v1::ROLE_NEUROPHYSIOLOGIST:
      return row.neurophysiologist;
    case v1::ROLE_SURGICAL_TEAM:
      return row.surgical_team;
    case v1::ROLE_CENTRE:
      return row.centre;
    default:
      return false;
  }
}

bool IsPerson(v1::Role role) {
  return role == v1::ROLE_TECHNOLOGIST || role == v1::ROLE_NEUROPHYSIOLOGIST ||
         role == v1::ROLE_SURGICAL_TEAM || role == v1::ROLE_CENTRE;
}

}  // namespace

bool MayPublish(v1::Role role, uint32_t kind) {
  const auto row =
      std::find_if(kTable.begin(), kTable.end(), [kind](const Row& r) { return r.kind == kind; });
  if (row != kTable.end()) return Allows(*row, role);
  // Envelopes, spectra, blocks, and kinds of later versions.
  return role == v1::ROLE_AGENT;
}

bool MayTransition(v1::Role role, v1::CaseTransition transition) {
  const auto row = std::find_if(kSteps.begin(), kSteps.end(), [transition](const StepRow& r) {
    return r.transition == transition;
  });
  return row != kSteps.end() && Allows(*row, role);
}

bool MayCreateCase(v1::Role role) {
  return MayTransition(role, v1::CASE_TRANSITION_SCHEDULED) ||
         MayTransition(role, v1::CASE_TRANSITION_OPENED);
}

bool MayFollowCase(v1::Role role) { return role == v1::ROLE_AGENT || IsPerson(role); }
bool MayFollowDirectory(v1::Role role) { return MayFollowCase(role); }

v1::Place PlaceOfRole(v1::Role role) {
  switch (role) {
    case v1::ROLE_NEUROPHYSIOLOGIST:
      return v1::PLACE_READER;
    case v1::ROLE_TECHNOLOGIST:
    case v1::ROLE_SURGICAL_TEAM:
      return v1::PLACE_THEATRE;
    case v1::ROLE_CENTRE:
      return v1::PLACE_CENTRE;
    default:
      return v1::PLACE_UNSPECIFIED;
  }
}

}  // namespace remora::hub
