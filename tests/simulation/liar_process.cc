#include "tests/simulation/liar_process.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/seq_ranges.h"
#include "common/testing/record_writer.h"
#include "remora/v1/room.pb.h"
#include "tests/simulation/participant.h"

namespace remora::simulation {
namespace {

constexpr char kNoRecord = 1;

constexpr const char* kLieNames[] = {
    "liar: nothing wrong",       "liar: truncated record",   "liar: garbage as a record",
    "liar: oversized record",    "liar: forbidden kind",     "liar: wrong author",
    "liar: id with other bytes", "liar: out of order",       "liar: another's origin",
    "liar: another case",        "liar: a stamp of its own", "liar: records and control",
    "liar: second hello",        "liar: wild shown",         "liar: wild follow",
    "liar: no message"};

}  // namespace

std::vector<std::string> LiarProcess::LieNames() {
  return {std::begin(kLieNames), std::end(kLieNames)};
}

LiarProcess::LiarProcess(Context& context, Plan plan)
    : context_(context),
      plan_(std::move(plan)),
      process_(context.loop, plan_.id, plan_.name, {}),
      random_(MakeSeededRandom(Mix(plan_.seed, plan_.id))),
      port_(process_, *context.hub, *context.tap, context.counters,
            {plan_.name, absl::StrCat("Liar ", plan_.name), plan_.role, {}}, plan_.link,
            Speaks::kAll, Planted::kNone, Mix(plan_.seed, plan_.id + 1000)),
      origin_(OriginId::Draw(*random_)) {
  port_.honest = false;
}

void LiarProcess::Start() {
  Dial();
  process_.PostAfter(plan_.interval, [this] { Next(); });
}

void LiarProcess::Stop() {
  stopped_ = true;
  stream_.reset();
}

void LiarProcess::Dial() {
  if (stopped_) return;
  greeted_ = false;
  stream_ = port_.Dial(*this);
}

void LiarProcess::OnMessage(SharedBytes bytes) {
  v1::Down down;
  if (!down.ParseFromString(std::string(bytes.view())) || !down.has_joined()) return;
  // It goes on where the hub stands, or it could tell no more lies.
  for (uint32_t lane = 0; lane < next_.size(); ++lane) {
    SeqRanges used;
    for (const auto* lanes : {&down.joined().held(), &down.joined().refused()}) {
      for (const v1::LaneRanges& one : *lanes) {
        if (one.lane() != lane) continue;
        for (const v1::SeqRange& range : one.ranges())
          used.InsertRange(range.first(), range.last());
      }
    }
    next_[lane] = used.contiguous() + 1;
  }
}

void LiarProcess::OnClosed(absl::Status) {
  process_.PostAfter(Duration::Milliseconds(200), [this] { Dial(); });
}

void LiarProcess::Write(std::string up) {
  if (stream_ != nullptr && stream_->writable()) stream_->Write(std::move(up));
}

void LiarProcess::Greet() {
  v1::Up up;
  up.mutable_hello()->set_minimum_version(1);
  up.mutable_hello()->set_maximum_version(random_->Below(2) == 0 ? 2 : 99);
  up.mutable_hello()->set_origin(origin_.ToString());
  greeted_ = true;
  Write(up.SerializeAsString());
  process_.Post([this] {
    v1::Up join;
    join.mutable_join()->set_case_id(plan_.case_id.ToString());
    join.mutable_join()->set_theatre(plan_.theatre);
    Write(join.SerializeAsString());
  });
}

void LiarProcess::Next() {
  if (stopped_) return;
  process_.PostAfter(plan_.interval, [this] { Next(); });
  if (stream_ == nullptr || !stream_->writable()) return;
  if (!greeted_) return Greet();
  const Lie lie = static_cast<Lie>(random_->Below(static_cast<uint64_t>(Lie::kLies)));
  // What ends the session is rarer, so that the rest is said at all.
  if (lie >= Lie::kRecordsAndControl && random_->Below(4) != 0) return;
  context_.counters.Count(kLieNames[static_cast<int>(lie)]);
  if (lie >= Lie::kRecordsAndControl) return TellMessageLie(lie);
  TellRecordLie(lie);
}

v1::Record LiarProcess::Body(bool own_name) {
  const std::string name = own_name ? absl::StrCat("Liar ", plan_.name) : "Somebody Else";
  return MessageBody(std::string(1 + random_->Below(200), 'x'), name);
}

void LiarProcess::SendRecord(const std::string& bytes) {
  context_.oracle.OnLie(origin_, bytes);
  std::string frames;
  AppendFrame(bytes, &frames);
  Write(std::move(frames));
}

void LiarProcess::TellRecordLie(Lie lie) {
  const auto encode = [&](const CaseId& case_id, const OriginId& origin, uint64_t number,
                          v1::Record body) {
    return EncodeRecord(case_id, origin, number, process_.clock(), std::move(body));
  };
  const uint64_t number = next_[0];
  std::string right = encode(plan_.case_id, origin_, number, Body(true));
  switch (lie) {
    case Lie::kTruncated:
      ++next_[0];
      return SendRecord(right.substr(0, random_->Below(right.size())));
    case Lie::kGarbage:
      for (char& byte : right) {
        if (random_->Below(8) == 0) byte = static_cast<char>(random_->Below(256));
      }
      return SendRecord(right);
    case Lie::kOversized:
      ++next_[0];
      return SendRecord(
          encode(plan_.case_id, origin_, number, MessageBody(std::string(70'000, 'x'), "Liar")));
    case Lie::kForbidden: {
      v1::Record body;
      body.mutable_timer_fired()->set_timer("x");
      return SendRecord(encode(plan_.case_id, origin_, next_[1]++, std::move(body)));
    }
    case Lie::kWrongAuthor:
      ++next_[0];
      return SendRecord(encode(plan_.case_id, origin_, number, Body(false)));
    case Lie::kReusedNumber:
      return SendRecord(
          encode(plan_.case_id, origin_, std::max<uint64_t>(number, 2) - 1, Body(true)));
    case Lie::kOutOfOrder:
      return SendRecord(encode(plan_.case_id, origin_, number + 1 + random_->Below(5), Body(true)));
    case Lie::kWrongOrigin:
      return SendRecord(encode(plan_.case_id, OriginId::Draw(*random_), number, Body(true)));
    case Lie::kWrongCase:
      return SendRecord(encode(CaseId::Draw(*random_), origin_, number, Body(true)));
    case Lie::kStamped:
      AppendStamp({1, 1, HubTime::FromNanoseconds(1), false}, &right);
      return SendRecord(right);
    default:
      ++next_[0];
      return SendRecord(right);
  }
}

void LiarProcess::TellMessageLie(Lie lie) {
  v1::Up up;
  switch (lie) {
    case Lie::kRecordsAndControl:
      up.add_records(std::string(1, kNoRecord));
      up.mutable_heartbeat();
      break;
    case Lie::kSecondHello:
      up.mutable_hello()->set_origin(origin_.ToString());
      break;
    case Lie::kWildShown:
      up.mutable_shown()->set_bulk_bytes_total(random_->Uint64());
      break;
    case Lie::kWildFollow:
      up.mutable_follow()->set_follow_id(static_cast<uint32_t>(random_->Below(3)));
      up.mutable_follow()->set_case_id(plan_.case_id.ToString());
      up.mutable_follow()->set_delivery(static_cast<v1::Delivery>(random_->Below(4)));
      up.mutable_follow()->add_lanes(static_cast<uint32_t>(random_->Below(9)));
      if (random_->Below(2) == 0) {
        v1::Cursor* cursor = up.mutable_follow()->mutable_cursor();
        cursor->set_epoch(static_cast<uint32_t>(random_->Below(3)));
        v1::LaneCursor* lane = cursor->add_lanes();
        lane->set_lane(static_cast<uint32_t>(random_->Below(8)));
        lane->set_seq(random_->Below(50));
        lane->set_digest(random_->Below(2) * random_->Uint64());
        cursor->set_complete_seq(random_->Below(50));
        cursor->set_complete_digest(random_->Below(2) * random_->Uint64());
      }
      break;
    default: {
      std::string bytes;
      bytes.resize(1 + random_->Below(100));
      for (char& byte : bytes) byte = static_cast<char>(random_->Below(256));
      return Write(std::move(bytes));
    }
  }
  Write(up.SerializeAsString());
}

}  // namespace remora::simulation
