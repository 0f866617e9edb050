// Alerts in the fold: which call, which are open, who has acknowledged them.

#include <gtest/gtest.h>

#include "common/testing/folded_case.h"

namespace remora {
namespace {

class AlertFoldTest : public CaseFoldTest {};

TEST_F(AlertFoldTest, AcknowledgementIsPerPlaceAndCanBeUndone) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 1u);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_THEATRE, "T"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
  EXPECT_TRUE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_THEATRE));
  EXPECT_FALSE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_READER));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_SEEN, v1::PLACE_READER, "Dr A"));
  EXPECT_FALSE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_READER));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 0u);
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_UNDONE, v1::PLACE_READER, "Dr B"));
  EXPECT_TRUE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_READER)) << "not B's to undo";
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_UNDONE, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
}

TEST_F(AlertFoldTest, AlertStaysOpenUntilItsConditionIsGoneAndAReaderKnows) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_RECOVERED, "SEP back"));
  EXPECT_TRUE(fold_.alerts().IsOpen(alert));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  EXPECT_FALSE(fold_.alerts().IsOpen(alert));
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -70 % again"));
  EXPECT_TRUE(fold_.alerts().IsOpen(alert));
  EXPECT_EQ(fold_.Summary().worst_alert(), "SEP -70 % again");
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_RESOLVED, v1::PLACE_READER, "Dr A"));
  EXPECT_FALSE(fold_.alerts().IsOpen(alert));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 0u);
}

TEST_F(AlertFoldTest, AlertThatWorsensCallsAgainAfterItsAcknowledgement) {
  const RecordKey alert = Apply(AlertBody("SEP -42 %", v1::ALERT_PRIORITY_MEDIUM));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().calling_priority(), v1::ALERT_PRIORITY_UNSPECIFIED);
  Apply(
      AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -45 %", v1::ALERT_PRIORITY_MEDIUM));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 0u) << "new numbers do not call";
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -85 %"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
  EXPECT_EQ(fold_.Summary().calling_priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(fold_.Summary().calling_alert(), "SEP -85 %");
  EXPECT_EQ(fold_.Summary().calling_alert_unix_ns(), static_cast<int64_t>(seq_) * kSecond);
}

TEST_F(AlertFoldTest, AlertThatComesBackCallsAgainThoughItWasResolved) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_RESOLVED, v1::PLACE_READER, "Dr A"));
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_RECOVERED, "SEP back"));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 0u);
  v1::Record again = AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -60 % again");
  again.mutable_alert()->set_episode(1);
  Apply(again);
  EXPECT_EQ(fold_.Summary().open_alert_count(), 1u);
  EXPECT_EQ(fold_.Summary().calling_alert(), "SEP -60 % again");
}

TEST_F(AlertFoldTest, AcknowledgementHoldsForTheCallThatWasSeen) {
  const RecordKey alert = Apply(AlertBody("SEP -42 %", v1::ALERT_PRIORITY_MEDIUM));
  const RecordKey worse = Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -85 %"));
  v1::Record late = ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A");
  *late.mutable_alert_action()->mutable_seen() = ToProto(alert);
  Apply(late);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u) << "-85 % had not been seen";
  *late.mutable_alert_action()->mutable_seen() = ToProto(worse);
  Apply(late);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 0u);
}

TEST_F(AlertFoldTest, UndoTakesBackTheActionThatItNames) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  const RecordKey seen =
      Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_SEEN, v1::PLACE_READER, "Dr A"));
  v1::Record undo = ActionBody(alert, v1::ALERT_ACTION_KIND_UNDONE, v1::PLACE_READER, "Dr A");
  *undo.mutable_alert_action()->mutable_undone() = ToProto(seen);
  Apply(undo);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
}

TEST_F(AlertFoldTest, CallingIsTheWorstThatNobodyHasAcknowledged) {
  const RecordKey high = Apply(AlertBody("SEP -64 %"));
  Apply(AlertBody("EMG train", v1::ALERT_PRIORITY_MEDIUM));
  EXPECT_EQ(fold_.Summary().calling_alert(), "SEP -64 %");
  Apply(ActionBody(high, v1::ALERT_ACTION_KIND_COMMUNICATED, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().worst_alert(), "SEP -64 %");
  EXPECT_EQ(fold_.Summary().calling_alert(), "EMG train");
  EXPECT_EQ(fold_.Summary().calling_priority(), v1::ALERT_PRIORITY_MEDIUM);
}

TEST_F(AlertFoldTest, HostileActionsOnOneAlertPushNoOtherOut) {
  const RecordKey other = Apply(AlertBody("other"));
  const RecordKey flooded = Apply(AlertBody("flooded"));
  v1::Record padded = ActionBody(flooded, v1::ALERT_ACTION_KIND_SEEN, v1::PLACE_READER, "Dr A");
  padded.mutable_alert_action()->set_reason(std::string(60'000, 'x'));
  for (int i = 0; i < 40; ++i) Apply(padded);
  EXPECT_TRUE(fold_.alerts().IsOpen(other));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 2u);
}

TEST_F(AlertFoldTest, OpenAlertsOutliveResolvedOnesWhenTheBoardIsFull) {
  const RecordKey open = Apply(AlertBody("the first, still open"));
  for (size_t i = 0; i < 3 * kMaxAlerts; ++i) {
    const RecordKey alert = Apply(AlertBody("resolved"));
    Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_RESOLVED, v1::PLACE_READER, "Dr A"));
  }
  EXPECT_LE(fold_.alerts().size(), kMaxAlerts);
  EXPECT_TRUE(fold_.alerts().IsOpen(open));
  EXPECT_EQ(fold_.Summary().worst_alert(), "the first, still open");
}

TEST_F(AlertFoldTest, WorstOpenAlertIsTheMostUrgentThenTheNewest) {
  Apply(AlertBody("high", v1::ALERT_PRIORITY_HIGH));
  Apply(AlertBody("medium", v1::ALERT_PRIORITY_MEDIUM));
  EXPECT_EQ(fold_.Summary().worst_alert(), "high");
  Apply(AlertBody("higher", v1::ALERT_PRIORITY_HIGH));
  EXPECT_EQ(fold_.Summary().worst_alert(), "higher");
}

}  // namespace
}  // namespace remora
