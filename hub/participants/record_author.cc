#include "hub/participants/record_author.h"

#include "absl/strings/str_cat.h"
#include "hub/identity/permissions.h"

namespace remora::hub {
namespace {

// The field that names the author; null where the kind has none.
const std::string* AuthorOf(const v1::Record& record) {
  switch (record.body_case()) {
    case v1::Record::kAlertAction:
      return &record.alert_action().actor();
    case v1::Record::kMessage:
      return &record.message().sender();
    case v1::Record::kMessageReceipt:
      return &record.message_receipt().recipient();
    case v1::Record::kCaseLifecycle:
      // Empty unless something has to be answered for.
      return record.case_lifecycle().actor().empty() && !record.case_lifecycle().with_gaps()
                 ? nullptr
                 : &record.case_lifecycle().actor();
    case v1::Record::kPhaseChange:
      return &record.phase_change().actor();
    case v1::Record::kBaselineSet:
      return &record.baseline_set().actor();
    case v1::Record::kAnnotation:
      return &record.annotation().actor();
    case v1::Record::kChecklistStep:
      return &record.checklist_step().actor();
    // Of these four only a device's own agent leaves it empty.
    case v1::Record::kVitals:
      return &record.vitals().actor();
    case v1::Record::kDrugGiven:
      return &record.drug_given().actor();
    case v1::Record::kPositionChange:
      return &record.position_change().actor();
    case v1::Record::kMappingContact:
      return &record.mapping_contact().actor();
    case v1::Record::kFocus:
      return &record.focus().actor();
    case v1::Record::kRequest:
      return &record.request().actor();
    case v1::Record::kDifferential:
      return &record.differential().pick().actor();
    case v1::Record::kResponseEvent:
      return &record.response_event().run().actor();
    case v1::Record::kAdverseEvent:
      return &record.adverse_event().actor();
    case v1::Record::kExportMade:
      return &record.export_made().actor();
    case v1::Record::kBacklogReviewed:
      return &record.backlog_reviewed().actor();
    case v1::Record::kViewSeen:
      return &record.view_seen().actor();
    case v1::Record::kHandover:
      // Who gives offers it, who takes accepts it.
      return record.handover().accepted() ? &record.handover().to_actor()
                                          : &record.handover().from_actor();
    default:
      return nullptr;
  }
}

// Of the kinds that a person and a program share, each writes its own half.
std::string WrongHalf(bool is_agent, const v1::Record& record) {
  if (record.has_differential() && record.differential().has_ranking() != is_agent) {
    return is_agent ? "an agent ranks causes, a person picks" : "a person picks, and ranks nothing";
  }
  if (!record.has_response_event()) return "";
  if (record.response_event().has_facts()) return "the facts beside a step are the hub's";
  if (record.response_event().run().state() == v1::PROTOCOL_RUN_STATE_PROPOSED) {
    return "a protocol is proposed by the hub";
  }
  return "";
}

}  // namespace

std::string WrongAuthor(const Identity& identity, const v1::Record& record) {
  if (record.has_link_state()) {
    // Who has never been greeted does not know its name.
    const std::string& whose = record.link_state().participant();
    if (!record.link_state().own_view() || (!whose.empty() && whose != identity.name)) {
      return "a link state of your own: own_view, and your name or none as participant";
    }
  }
  const bool is_agent = identity.role == v1::ROLE_AGENT;
  if (std::string wrong = WrongHalf(is_agent, record); !wrong.empty()) return wrong;
  if (is_agent && !record.has_message()) return "";
  const std::string* author = AuthorOf(record);
  if (author != nullptr && *author != identity.display_name) {
    return absl::StrCat("the author is '", *author, "', but you are '", identity.display_name, "'");
  }
  if (record.has_alert_action()) {
    const v1::Place place = PlaceOfRole(identity.role);
    if (record.alert_action().place() != place) {
      return absl::StrCat("place must be ", v1::Place_Name(place), ": where you are");
    }
  }
  return "";
}

}  // namespace remora::hub
