#include "acquisition-agent/surveillance/alert_slot.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/random.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

class AlertSlotTest : public ::testing::Test, public RecordSink {
 protected:
  RecordKey Put(v1::Record* record, int64_t /*captured_ns*/) override {
    alerts_.push_back(record->alert());
    return {origin_, 0, alerts_.size()};
  }
  void Show(v1::AlertPriority priority) {
    v1::Alert alert;
    alert.set_priority(priority);
    slot_.Show(std::move(alert), 1, 2, *this);
  }
  void Recover() { slot_.Recover(v1::Alert(), 3, *this); }

  const OriginId origin_ = OriginId::Draw(*MakeSeededRandom(1));
  std::vector<v1::Alert> alerts_;
  AlertSlot slot_;
};

TEST_F(AlertSlotTest, CountsHowOftenTheConditionCameBack) {
  Show(v1::ALERT_PRIORITY_MEDIUM);
  Show(v1::ALERT_PRIORITY_HIGH);
  Recover();
  Show(v1::ALERT_PRIORITY_HIGH);
  ASSERT_EQ(alerts_.size(), 4u);
  EXPECT_EQ(alerts_[0].condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_EQ(alerts_[1].episode(), 0u) << "worse is not again";
  EXPECT_EQ(alerts_[2].condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_EQ(alerts_[2].episode(), 0u);
  EXPECT_EQ(alerts_[3].condition(), v1::ALERT_CONDITION_UPDATED);
  EXPECT_EQ(alerts_[3].episode(), 1u);
}

TEST_F(AlertSlotTest, ResolvedAlertIsRaisedAnewWhenItsConditionComesBack) {
  Show(v1::ALERT_PRIORITY_HIGH);
  slot_.OnResolved({origin_, 0, 1});
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(alerts_.back().condition(), v1::ALERT_CONDITION_UPDATED) << "it has not gone yet";
  Recover();
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(alerts_.back().condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_EQ(alerts_.back().episode(), 0u);
  EXPECT_FALSE(alerts_.back().has_raised_by());
}

TEST_F(AlertSlotTest, IsOpenUntilAPersonClosesItAndAgainWhenItGetsWorse) {
  EXPECT_FALSE(slot_.is_open());
  Show(v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_TRUE(slot_.is_open());
  slot_.OnResolved({origin_, 0, 1});
  EXPECT_FALSE(slot_.is_open());
  Show(v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_FALSE(slot_.is_open());
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_TRUE(slot_.is_open()) << "worse calls again";
  Recover();
  EXPECT_FALSE(slot_.is_open());
}

}  // namespace
}  // namespace remora::agent
