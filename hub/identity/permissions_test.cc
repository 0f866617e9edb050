#include "hub/identity/permissions.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "common/fold/readers.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {
namespace {

// The matrix again, by role: what each may publish. Written from the roles' point of view, so that
// a slip in the table's columns is found.
std::set<std::string> KindsOf(v1::Role role) {
  const std::set<std::string> agent = {"alert",
                                       "message",
                                       "case_lifecycle",
                                       "case_plan_set",
                                       "phase_change",
                                       "baseline_set",
                                       "vitals",
                                       "drug_given",
                                       "stimulus_change",
                                       "data_gap",
                                       "clock_estimate",
                                       "link_state",
                                       "publisher_total",
                                       "source_note",
                                       "measurement",
                                       "emg_activity",
                                       "train_of_four",
                                       "spectral_edge",
                                       "stimulus_threshold",
                                       "mapping_contact",
                                       "relation",
                                       "eeg_activity",
                                       "mapping_result",
                                       "impedances",
                                       "position_change",
                                       "request",
                                       "input_taken",
                                       "differential",
                                       "alarm_latency",
                                       "sweep",
                                       "envelope",
                                       "spectrum_slice",
                                       "sample_block"};
  const std::set<std::string> every_person = {"alert_action", "message",         "message_receipt",
                                              "annotation",   "export_made",     "clock_estimate",
                                              "link_state",   "publisher_total", "view_seen"};
  std::set<std::string> kinds = every_person;
  switch (role) {
    case v1::ROLE_AGENT:
      return agent;
    case v1::ROLE_TECHNOLOGIST:
      kinds.insert({"request",       "case_lifecycle",     "case_plan_set",
                    "phase_change",  "baseline_set",       "checklist_step",
                    "differential",  "response_event",     "adverse_event",
                    "vitals",        "drug_given",         "stimulus_change",
                    "focus",         "necessity_finding",  "handover",
                    "train_of_four", "stimulus_threshold", "mapping_contact",
                    "impedances",    "position_change"});
      return kinds;
    case v1::ROLE_NEUROPHYSIOLOGIST:
      kinds.insert({"request", "case_lifecycle", "case_plan_set", "phase_change", "baseline_set",
                    "checklist_step", "differential", "response_event", "adverse_event", "focus",
                    "necessity_finding", "handover", "backlog_reviewed", "position_change"});
      return kinds;
    case v1::ROLE_SURGICAL_TEAM:
      kinds.insert({"checklist_step", "response_event", "drug_given", "position_change"});
      return kinds;
    case v1::ROLE_CENTRE:
      kinds.insert({"case_lifecycle", "focus", "necessity_finding", "handover", "backlog_reviewed",
                    "adverse_event"});
      return kinds;
    default:
      return {};
  }
}

TEST(Permissions, EveryRoleMayPublishExactlyItsKinds) {
  const google::protobuf::OneofDescriptor* body = v1::Record::descriptor()->FindOneofByName("body");
  ASSERT_NE(body, nullptr);
  ASSERT_GT(body->field_count(), 30);
  for (int role = v1::Role_MIN; role <= v1::Role_MAX; ++role) {
    const std::set<std::string> allowed = KindsOf(static_cast<v1::Role>(role));
    for (int i = 0; i < body->field_count(); ++i) {
      const auto* field = body->field(i);
      EXPECT_EQ(MayPublish(static_cast<v1::Role>(role), static_cast<uint32_t>(field->number())),
                allowed.contains(field->name()))
          << v1::Role_Name(static_cast<v1::Role>(role)) << " " << field->name();
    }
  }
}

TEST(Permissions, ReadersAreThoseWhoMaySayThatABacklogIsReviewed) {
  for (int role = v1::Role_MIN; role <= v1::Role_MAX; ++role) {
    const auto who = static_cast<v1::Role>(role);
    EXPECT_EQ(ReadsCases(who), MayPublish(who, v1::Record::kBacklogReviewedFieldNumber)) << role;
  }
}

TEST(Permissions, KindsOfALaterVersionAreTheAgentsAffair) {
  for (uint32_t kind : {30u, 63u, 79u, 95u, 110u, 127u}) {
    EXPECT_TRUE(MayPublish(v1::ROLE_AGENT, kind));
    EXPECT_FALSE(MayPublish(v1::ROLE_NEUROPHYSIOLOGIST, kind));
    EXPECT_FALSE(MayPublish(v1::ROLE_UNSPECIFIED, kind));
  }
}

TEST(Permissions, StepsOfACaseBelongToWhoStandsInTheTheatreOrRunsTheHouse) {
  const std::map<v1::CaseTransition, std::string> who = {
      {v1::CASE_TRANSITION_SCHEDULED, "tc"},        {v1::CASE_TRANSITION_OPENED, "at"},
      {v1::CASE_TRANSITION_OPENED_EMERGENCY, "at"}, {v1::CASE_TRANSITION_MOVED, "atc"},
      {v1::CASE_TRANSITION_CORRECTED, "tnc"},       {v1::CASE_TRANSITION_CLOSING, "at"},
      {v1::CASE_TRANSITION_CLOSED, "at"},           {v1::CASE_TRANSITION_REOPENED, "tnc"},
      {v1::CASE_TRANSITION_SEALED, "tnc"},          {v1::CASE_TRANSITION_ABANDONED, "tc"}};
  const std::map<v1::Role, char> letters = {{v1::ROLE_AGENT, 'a'},
                                            {v1::ROLE_TECHNOLOGIST, 't'},
                                            {v1::ROLE_NEUROPHYSIOLOGIST, 'n'},
                                            {v1::ROLE_SURGICAL_TEAM, 's'},
                                            {v1::ROLE_CENTRE, 'c'}};
  for (int number = 0; number <= v1::CaseTransition_MAX; ++number) {
    const auto transition = static_cast<v1::CaseTransition>(number);
    const auto it = who.find(transition);
    for (const auto& [role, letter] : letters) {
      const bool expected = it != who.end() && it->second.find(letter) != std::string::npos;
      EXPECT_EQ(MayTransition(role, transition), expected)
          << v1::Role_Name(role) << " " << v1::CaseTransition_Name(transition);
      if (expected) {
        EXPECT_TRUE(MayPublish(role, v1::Record::kCaseLifecycle));
      }
    }
    EXPECT_FALSE(MayTransition(v1::ROLE_HUB, transition));
  }
}

TEST(Permissions, NobodyComesInAsTheHub) {
  EXPECT_FALSE(MayFollowCase(v1::ROLE_HUB));
  EXPECT_FALSE(MayFollowCase(v1::ROLE_UNSPECIFIED));
  EXPECT_FALSE(MayCreateCase(v1::ROLE_SURGICAL_TEAM));
  EXPECT_TRUE(MayCreateCase(v1::ROLE_AGENT));
}

}  // namespace
}  // namespace remora::hub
