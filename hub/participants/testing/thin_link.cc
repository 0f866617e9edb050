#include "hub/participants/testing/thin_link.h"

#include <algorithm>

namespace remora::hub {
namespace {

constexpr Duration kStep = Duration::Milliseconds(2);

bool IsOf(const CaseId& case_id, const Received& record) {
  return record.stamped.header.case_id == case_id;
}

}  // namespace

ThinLinkTest::ThinLinkTest() {
  reader_ = std::make_unique<TestParticipant>(hub_, ReaderIdentity());
  reader_->reads = false;
  reader_->shows = false;
}

void ThinLinkTest::TearDown() {
  std::array<std::vector<uint64_t>, kLaneCount> there;
  for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
    const StampedRecord record = *WalkStamped(bytes);
    if (record.stamp.seq > live_from_) there[record.header.lane].push_back(record.stamp.seq);
  }
  std::array<uint64_t, kLaneCount> came_or_told{};
  for (const Sent& sent : sent_) {
    came_or_told[sent.lane] += sent.count;
    if (sent.is_gap) continue;
    const std::vector<uint64_t>& seqs = there[sent.lane];
    const auto behind = std::upper_bound(seqs.begin(), seqs.end(), sent.seq);
    ASSERT_GE(came_or_told[sent.lane], static_cast<uint64_t>(behind - seqs.begin()))
        << "lane " << sent.lane << ", seq " << sent.seq;
  }
}

void ThinLinkTest::Follow(const ThinLink& link, uint32_t budget, uint32_t version) {
  link_ = link;
  reader_->speaks = version;
  reader_->Hello();
  hub_.Run();
  reader_->ReadAll();
  v1::Follow follow = FollowOf(1, case_id_);
  follow.set_bulk_budget_bytes_per_second(budget);
  reader_->Follow(follow);
}

void ThinLinkTest::RunFor(Duration time, double block_bytes_per_second) {
  const DeviceTime end = hub_.clock().Now() + time;
  while (hub_.clock().Now() < end) {
    owed_bytes_ += block_bytes_per_second * kStep.seconds();
    while (owed_bytes_ > 0) owed_bytes_ -= static_cast<double>(Publish(Block()));
    const int64_t ms = steps_++ * kStep.milliseconds();
    if (ms % 1'000 == 0) {
      Publish(writer_.Write(SweepBody("SEP/R", ++sweeps_, false)));
      Publish(writer_.Write(MeasurementBody("SEP/R", 90, v1::MEASUREMENT_STATE_WITHIN_LIMITS)));
    }
    if (ms % 700 == 0) Publish(writer_.Write(AlertBody("alert")));
    hub_.RunFor(kStep);
    Carry();
  }
}

void ThinLinkTest::IdleFor(Duration time) {
  for (const DeviceTime end = hub_.clock().Now() + time; hub_.clock().Now() < end; Carry()) {
    hub_.RunFor(kStep);
  }
}

void ThinLinkTest::StartMeasuring() {
  for (auto& ages : ages_ms_) ages.clear();
  longest_silence_ = Duration();
}

double ThinLinkTest::AgeMs(uint32_t lane, double percentile) const {
  std::vector<double> ages = ages_ms_[lane];
  EXPECT_FALSE(ages.empty());
  if (ages.empty()) return 0;
  std::sort(ages.begin(), ages.end());
  const double at = static_cast<double>(ages.size() - 1) * percentile / 100;
  return ages[static_cast<size_t>(at + 0.5)];
}

size_t ThinLinkTest::Publish(const std::string& bytes) {
  const RecordKey key = WalkRecord(bytes)->key();
  published_at_[{key.lane, key.origin_seq}] = hub_.clock().Now();
  agent_->Publish({bytes});
  return bytes.size();
}

void ThinLinkTest::Carry() {
  const DeviceTime now = hub_.clock().Now();
  if (!stopped_) CarryDown(now);
  for (; !down_.empty() && down_.front().at <= now; down_.pop_front()) Arrive(down_.front(), now);
  for (; !up_.empty() && up_.front().at <= now; up_.pop_front()) {
    reader_->Shown(up_.front().shown, answers_ ? up_.front().answered : 0);
  }
}

void ThinLinkTest::CarryDown(DeviceTime now) {
  for (size_t r = reader_->records.size(), d = reader_->downs.size(); reader_->ReadOne();
       r = reader_->records.size(), d = reader_->downs.size()) {
    size_t bytes = 20;  // headers
    for (size_t i = r; i < reader_->records.size(); ++i) bytes += reader_->records[i].bytes.size();
    const bool control = reader_->downs.size() > d;
    Note(r, control ? &reader_->downs.back() : nullptr);
    if (control) bytes += reader_->downs.back().ByteSizeLong();
    free_at_ = std::max(free_at_, now) +
               Duration::FromSeconds(static_cast<double>(bytes) / link_.bytes_per_second);
    down_.push_back({free_at_ + link_.round_trip / 2, reader_->records.size(), reader_->bulk_bytes,
                     control && reader_->downs.back().has_heartbeat(), reader_->question});
  }
}

void ThinLinkTest::Note(size_t first_record, const v1::Down* control) {
  if (control != nullptr && control->has_snapshot()) live_from_ = control->snapshot().head_seq();
  if (control != nullptr && control->has_gap()) {
    const v1::Gap& gap = control->gap();
    sent_.push_back({true, gap.lane(), gap.to_seq(), gap.count()});
  }
  for (size_t i = first_record; i < reader_->records.size(); ++i) {
    const Received& record = reader_->records[i];
    if (record.lane() < 2 || !IsOf(case_id_, record)) continue;
    sent_.push_back({false, record.lane(), record.seq(), 1});
  }
}

void ThinLinkTest::Arrive(const Arrival& arrival, DeviceTime now) {
  longest_silence_ = std::max(longest_silence_, now - arrived_at_);
  arrived_at_ = now;
  for (; shown_ < arrival.records; ++shown_) {
    const RecordHeader& header = reader_->records[shown_].stamped.header;
    const auto published = published_at_.find({header.lane, header.origin_seq});
    // The hub writes records of its own.
    if (published == published_at_.end() || header.origin != origin_) continue;
    ages_ms_[header.lane].push_back((now - published->second).seconds() * 1e3);
  }
  // One of version 1 is not asked.
  const bool due = arrival.asked || reader_->speaks == 1;
  if (!due && arrival.bulk_bytes - reported_ < 16 * 1024) return;
  reported_ = arrival.bulk_bytes;
  up_.push_back({now + link_.round_trip / 2, reported_, arrival.question});
}

template <typename Body>
CaseId ThinLinkTest::OtherCase(int count, const Body& body) {
  AgentsCase other = OpenNewCase(hub_, "OR 2", "agent-2");
  for (int i = 0; i < count; ++i) {
    other.agent->Publish({other.writer.Write(body(i, *other.agent))});
  }
  hub_.Run();
  return other.case_id;
}

CaseId ThinLinkTest::CaseWithBlocks(int blocks) {
  return OtherCase(blocks,
                   [](int i, const TestParticipant&) { return BlockBody("EMG/1", i, 1'900); });
}

CaseId ThinLinkTest::CaseWithMessages(int messages) {
  return OtherCase(messages, [](int, const TestParticipant& agent) {
    return MessageBody(std::string(200, 'x'), agent.identity.display_name);
  });
}

void ThinLinkTest::AskForHistory(const CaseId& case_id) {
  v1::Up ask;
  ask.mutable_history_request()->set_request_id(7);
  ask.mutable_history_request()->set_case_id(case_id.ToString());
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) ask.mutable_history_request()->add_lanes(lane);
  reader_->SendUp(ask);
}

bool ThinLinkTest::HasAllHistory() const {
  const v1::Down* page = reader_->Last(v1::Down::kHistoryPage);
  return page != nullptr && page->history_page().last();
}

size_t ThinLinkTest::CameOf(const CaseId& case_id) const {
  return std::count_if(reader_->records.begin(), reader_->records.end(),
                       [&](const Received& record) { return IsOf(case_id, record); });
}

uint64_t ThinLinkTest::GapRecords(v1::GapCause cause, uint32_t lane) const {
  uint64_t count = 0;
  for (const v1::Down& down : reader_->downs) {
    if (down.gap().cause() == cause && down.gap().lane() == lane) count += down.gap().count();
  }
  return count;
}

void ThinLinkTest::PublishBacklogBlock() { agent_->PublishBacklog({Block()}); }

}  // namespace remora::hub
