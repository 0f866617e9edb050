#pragma once

// A case whose records are folded, for tests of the fold.

#include "common/fold/case_fold.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/random.h"
#include "common/record_codec.h"
#include "common/record_seal.h"
#include "common/testing/record_writer.h"
#include "common/testing/sample_records.h"

namespace remora {

inline constexpr int64_t kSecond = 1'000'000'000;

class CaseFoldTest : public ::testing::Test {
 protected:
  CaseFoldTest()
      : random_(MakeSeededRandom(5)),
        case_id_(CaseId::Draw(*random_)),
        writer_(case_id_, OriginId::Draw(*random_)),
        fold_(case_id_) {}

  RecordKey Apply(const v1::Record& body) {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(body.body_case()));
    ++seq_;
    frames_.push_back(StampedForFold(writer_.Write(body), seq_, seq_ * kSecond));
    fold_.Apply(frames_.back());
    return writer_.LastKey(lane);
  }
  // A day in random order, of everything that the fold knows.
  void ApplyRandom(int count) {
    std::vector<RecordKey> alerts;
    for (int i = 0; i < count; ++i) {
      const std::string name = std::to_string(random_->Below(5));
      switch (random_->Below(16)) {
        case 0:
          alerts.push_back(Apply(AlertBody("a" + std::to_string(i))));
          break;
        case 1:
          if (!alerts.empty()) {
            Apply(ActionBody(alerts[random_->Below(alerts.size())],
                             static_cast<v1::AlertActionKind>(1 + random_->Below(8)),
                             static_cast<v1::Place>(1 + random_->Below(3)), "Dr " + name));
          }
          break;
        case 2:
          if (!alerts.empty()) {
            v1::Record update = AlertUpdateBody(
                alerts[random_->Below(alerts.size())],
                random_->Below(2) ? v1::ALERT_CONDITION_UPDATED : v1::ALERT_CONDITION_RECOVERED,
                "u" + std::to_string(i), static_cast<v1::AlertPriority>(1 + random_->Below(4)));
            update.mutable_alert()->set_episode(static_cast<uint32_t>(random_->Below(3)));
            Apply(update);
          }
          break;
        case 3:
          Apply(MessageBody("m" + std::to_string(i), "Dr " + name));
          break;
        case 4:
          Apply(PhaseBody(static_cast<v1::Phase>(1 + random_->Below(18))));
          break;
        case 5:
          Apply(EmgActivityBody("EMG/" + name, i / 3));
          break;
        case 6: {
          v1::Record body;
          body.mutable_presence()->set_participant("p" + std::to_string(random_->Below(200)));
          body.mutable_presence()->set_role(v1::ROLE_CENTRE);
          body.mutable_presence()->set_change(random_->Below(2) ? v1::PRESENCE_CHANGE_JOINED
                                                                : v1::PRESENCE_CHANGE_LEFT);
          Apply(body);
          break;
        }
        case 7: {
          v1::Record body;
          body.mutable_link_state()->set_participant("agent" + name);
          body.mutable_link_state()->set_condition(
              static_cast<v1::LinkCondition>(1 + random_->Below(4)));
          body.mutable_link_state()->set_outage_ms(static_cast<double>(random_->Below(20'000)));
          body.mutable_link_state()->set_own_view(random_->Below(4) == 0);
          intervals_.push_back(Apply(body));
          break;
        }
        case 10: {
          v1::Record body;
          body.mutable_unrecorded_interval()->set_cause("disk full");
          intervals_.push_back(Apply(body));
          break;
        }
        case 11:
          if (!intervals_.empty()) Apply(ReviewBody(intervals_[random_->Below(intervals_.size())]));
          break;
        case 12: {
          v1::Record body;
          body.mutable_view_seen()->set_screen_id(random_->Below(30));
          body.mutable_view_seen()->set_mode(v1::SEEN_MODE_LIVE);
          Apply(body);
          break;
        }
        case 8: {
          v1::Record body;
          body.mutable_timer_fired()->set_timer("t" + name);
          body.mutable_timer_fired()->set_deadline_unix_ns(i / 7);
          Apply(body);
          break;
        }
        case 13: {
          v1::Record body;
          v1::LaneTotal* total = body.mutable_publisher_total()->add_lanes();
          total->set_lane(1);
          total->set_last_origin_seq(static_cast<uint64_t>(i));
          Apply(body);
          break;
        }
        case 14: {
          v1::Record body;
          body.mutable_certificate()->set_certificate_index(static_cast<uint32_t>(i) + 1);
          Apply(body);
          break;
        }
        case 15: {
          v1::Record body;
          body.mutable_signed_head()->set_seq(seq_);
          Apply(body);
          break;
        }
        case 9:
          Apply(AnnotationBody("note " + std::to_string(i), "Dr " + name));
          break;
        default:
          Apply(MeasurementBody("SEP/" + name, 20 + static_cast<double>(random_->Below(90)),
                                static_cast<v1::MeasurementState>(1 + random_->Below(6))));
      }
    }
  }

  static v1::Record ReviewBody(const RecordKey& interval) {
    v1::Record body;
    *body.mutable_backlog_reviewed()->mutable_interval() = ToProto(interval);
    body.mutable_backlog_reviewed()->set_actor("Dr A");
    return body;
  }
  static v1::Record OutageBody(double ms, bool own_view = false) {
    v1::Record body;
    body.mutable_link_state()->set_participant("agent");
    body.mutable_link_state()->set_condition(v1::LINK_CONDITION_LIVE);
    body.mutable_link_state()->set_outage_ms(ms);
    body.mutable_link_state()->set_own_view(own_view);
    return body;
  }
  v1::CaseState State() const {
    v1::CaseState state;
    EXPECT_TRUE(state.ParseFromString(fold_.EncodeCheckpoint()));
    return state;
  }

  std::vector<RecordKey> intervals_;
  std::unique_ptr<Random> random_;
  CaseId case_id_;
  RecordWriter writer_;
  CaseFold fold_;
  uint64_t seq_ = 0;
  std::vector<FoldedRecord> frames_;
};

}  // namespace remora
