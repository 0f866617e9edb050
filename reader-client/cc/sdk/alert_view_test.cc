#include "reader-client/cc/sdk/alert_view.h"

#include "common/testing/sample_records.h"
#include "gtest/gtest.h"

namespace remora::reader {
namespace {

const OriginId kAgent = OriginIdForTest(0xa0);
const OriginId kMaya = OriginIdForTest(0x01);
const OriginId kLee = OriginIdForTest(0x02);

// One alert, raised by the agent's record 1, and what was done about it.
class Script {
 public:
  struct Met {
    v1::AlertPriority priority = v1::ALERT_PRIORITY_HIGH;
    uint32_t episode = 0;
    v1::AlertCondition condition = v1::ALERT_CONDITION_RAISED;
  };
  Script& Alert(Met met) {
    v1::Record record;
    v1::Alert& alert = *record.mutable_alert();
    if (agent_seq_ > 0) *alert.mutable_raised_by() = ToProto(Raised());
    alert.set_priority(met.priority);
    alert.set_episode(met.episode);
    alert.set_condition(met.condition);
    Take(kAgent, ++agent_seq_, record);
    return *this;
  }
  Script& Recover(uint32_t episode = 0) {
    return Alert({v1::ALERT_PRIORITY_HIGH, episode, v1::ALERT_CONDITION_RECOVERED});
  }
  struct Did {
    v1::AlertActionKind kind = v1::ALERT_ACTION_KIND_ACKNOWLEDGED;
    OriginId who = kMaya;
    v1::Place place = v1::PLACE_READER;
    uint64_t seen = 0;    // number of the agent's record; 0: absent
    uint64_t undone = 0;  // number of the actor's own record; 0: absent
  };
  Script& Do(Did did) {
    v1::Record record;
    v1::AlertAction& action = *record.mutable_alert_action();
    *action.mutable_alert() = ToProto(Raised());
    action.set_kind(did.kind);
    action.set_place(did.place);
    action.set_actor(did.who == kMaya ? "Maya" : "Lee");
    if (did.seen > 0) *action.mutable_seen() = ToProto({kAgent, 0, did.seen});
    if (did.undone > 0) *action.mutable_undone() = ToProto({did.who, 0, did.undone});
    Take(did.who, ++action_seq_[did.who], record);
    return *this;
  }
  Script& Acknowledge(uint64_t seen = 0) { return Do({.seen = seen}); }

  static RecordKey Raised() { return {kAgent, 0, 1}; }
  bool At(v1::Place place) const { return view_.IsAcknowledged(Raised(), place); }
  bool Open() const { return view_.IsOpen(Raised()); }
  const AlertView& view() const { return view_; }

 private:
  void Take(const OriginId& origin, uint64_t origin_seq, const v1::Record& record) {
    StampedRecord stamped;
    stamped.header.origin = origin;
    stamped.header.origin_seq = origin_seq;
    stamped.stamp.seq = ++seq_;
    view_.Take(stamped, record);
  }

  AlertView view_;
  uint64_t seq_ = 0;
  uint64_t agent_seq_ = 0;
  std::map<OriginId, uint64_t> action_seq_;
};

struct Case {
  const char* name;
  Script script;
  bool reader;
  bool theatre;
  bool open;
};

std::vector<Case> Cases() {
  using Did = Script::Did;
  const auto raised = [] { return Script().Alert({}); };
  return {
      {"RaisedCalls", raised(), false, false, true},
      {"AcknowledgedAtItsPlaceOnly", raised().Acknowledge(1), true, false, true},
      {"SeenIsNoAcknowledgement", raised().Do({.kind = v1::ALERT_ACTION_KIND_SEEN}), false, false,
       true},
      {"WhatGoesBeyondAcknowledgesToo",
       raised().Do({.kind = v1::ALERT_ACTION_KIND_COMMUNICATED, .place = v1::PLACE_THEATRE}), false,
       true, true},
      {"ResolvedClosesAndAcknowledges", raised().Do({.kind = v1::ALERT_ACTION_KIND_RESOLVED}), true,
       false, false},
      {"AnUpdateOfTheSamePriorityKeepsIt",
       raised().Acknowledge(1).Alert({.condition = v1::ALERT_CONDITION_UPDATED}), true, false,
       true},
      {"RecoveredUnacknowledgedStaysOpen", raised().Recover(), false, false, true},
      {"RecoveredAndAcknowledgedIsOver", raised().Acknowledge(1).Recover(), true, false, false},
      {"ComingBackCallsAgain", raised().Acknowledge(1).Recover().Alert({.episode = 1}), false,
       false, true},
      {"ComingBackOpensWhatWasResolved",
       raised().Do({.kind = v1::ALERT_ACTION_KIND_RESOLVED}).Recover().Alert({.episode = 1}), false,
       false, true},
      {"AHigherPriorityCallsAgain",
       Script().Alert({v1::ALERT_PRIORITY_LOW}).Acknowledge(1).Alert({}), false, false, true},
      {"ALowerAndTheSameAgainDoNotCall",
       raised().Acknowledge(1).Alert({v1::ALERT_PRIORITY_LOW}).Alert({}), true, false, true},
      {"ALaterEpisodeMayCallWithLess",
       raised().Acknowledge(1).Recover().Alert({v1::ALERT_PRIORITY_LOW, 1}), false, false, true},
      {"AnActionThatDidNotSeeTheCallDoesNotHold",
       Script().Alert({v1::ALERT_PRIORITY_LOW}).Alert({}).Acknowledge(1), false, false, true},
      {"AnActionThatSawTheCallHolds",
       Script().Alert({v1::ALERT_PRIORITY_LOW}).Alert({}).Acknowledge(2), true, false, true},
      {"WithoutSeenItIsWhatWasOnRecord",
       Script().Alert({v1::ALERT_PRIORITY_LOW}).Alert({}).Acknowledge(), true, false, true},
      {"OneUndoneTakesBackOne",
       raised().Acknowledge(1).Acknowledge(1).Do({.kind = v1::ALERT_ACTION_KIND_UNDONE}), true,
       false, true},
      {"UndoneTakesBackItsActorsLast",
       raised().Acknowledge(1).Do({.kind = v1::ALERT_ACTION_KIND_UNDONE}), false, false, true},
      {"NobodyUndoesForAnother",
       raised().Acknowledge(1).Do({.kind = v1::ALERT_ACTION_KIND_UNDONE, .who = kLee}), true, false,
       true},
      {"UndoneNamesWhatItTakesBack",
       raised()
           .Acknowledge(1)
           .Do({.kind = v1::ALERT_ACTION_KIND_RESOLVED})
           .Do({.kind = v1::ALERT_ACTION_KIND_UNDONE, .undone = 2}),
       true, false, true},
      {"UndoneOfAStrangersRecordIsNothing",
       raised().Do(Did{.who = kLee}).Do({.kind = v1::ALERT_ACTION_KIND_UNDONE, .undone = 1}), true,
       false, true},
  };
}

TEST(AlertView, FollowsTheRuleOfTheContract) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(c.script.At(v1::PLACE_READER), c.reader);
    EXPECT_EQ(c.script.At(v1::PLACE_THEATRE), c.theatre);
    EXPECT_EQ(c.script.Open(), c.open);
    const bool calls = c.open && !c.reader;
    EXPECT_EQ(c.script.view().Calling(v1::PLACE_READER).size(), calls ? 1u : 0u);
  }
}

TEST(AlertView, KnowsAnAlertByAnyOfItsRecordsAndItsNewestAndCall) {
  const Script script = Script().Alert({v1::ALERT_PRIORITY_LOW}).Alert({}).Recover();
  const RecordKey third{kAgent, 0, 3};
  EXPECT_EQ(script.view().Raised(third), Script::Raised());
  EXPECT_EQ(script.view().Newest(Script::Raised()), third);
  EXPECT_EQ(script.view().Call(Script::Raised()), (RecordKey{kAgent, 0, 2}));
  EXPECT_FALSE(script.view().Raised({kMaya, 0, 1}).has_value());
}

TEST(AlertView, HostileRecordsOfAStateAreLeftOut) {
  v1::CaseState state;
  state.add_alerts("no record");
  std::string alert = SampleRecord(v1::Record::kAlert, 1).SerializeAsString();
  AppendStamp({1, 5, HubTime(), false}, &alert);
  state.add_alerts(alert);
  state.add_alerts(alert);
  state.add_alert_actions("\x0a");
  AlertView view;
  view.Take(state);
  EXPECT_EQ(view.size(), 1u);
}

}  // namespace
}  // namespace remora::reader
