#pragma once

// A follower behind a thin link, in virtual time. The link takes whatever the hub writes at once,
// as a kernel's buffers do, and carries one byte after the other: only the hub's own restraint
// keeps the queue in it short.

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/fanout/limits.h"
#include "hub/participants/testing/one_case.h"

namespace remora::hub {

struct ThinLink {
  double bytes_per_second;
  Duration round_trip;
};
constexpr double kMbit = 125'000;  // bytes a second
constexpr ThinLink kLinkOf64Kbit = {0.064 * kMbit, Duration::Milliseconds(60)};
constexpr ThinLink kLinkOf256Kbit = {0.256 * kMbit, Duration::Milliseconds(40)};
constexpr ThinLink kLinkOf2Mbit = {2 * kMbit, Duration::Milliseconds(20)};
constexpr ThinLink kLinkOf10Mbit = {10 * kMbit, Duration::Milliseconds(20)};
// Of blocks, a second.
constexpr double kTheatreBytes = 45'000;
constexpr double kLightBytes = 2'000;

class ThinLinkTest : public OneCaseTest {
 protected:
  ThinLinkTest();
  // Whatever the link: what a record leaves behind came before it, or was told before it.
  void TearDown() override;

  void Follow(const ThinLink& link, uint32_t budget = 0, uint32_t version = 2);
  // Blocks of so many bytes a second, a sweep and a measurement each second, an alert each 0.7 s.
  void RunFor(Duration time, double block_bytes_per_second);
  // Nothing is published.
  void IdleFor(Duration time);
  // From here on: how old what is shown was, and how long the hub was not heard.
  void StartMeasuring();
  void Measure(Duration time, double block_bytes_per_second) {
    StartMeasuring();
    RunFor(time, block_bytes_per_second);
  }
  // Of what was shown of a lane since the measurement began.
  double AgeMs(uint32_t lane, double percentile) const;
  size_t ShownOf(uint32_t lane) const { return ages_ms_[lane].size(); }

  // Another case, of another theatre, with so many blocks of 4 KB on record.
  CaseId CaseWithBlocks(int blocks);
  // And one with so many messages of some 350 bytes.
  CaseId CaseWithMessages(int messages);
  void AskForHistory(const CaseId& case_id);
  int HistoryPages() const { return reader_->CountOf(v1::Down::kHistoryPage); }
  bool HasAllHistory() const;
  size_t CameOf(const CaseId& case_id) const;
  uint64_t GapRecords(v1::GapCause cause, uint32_t lane) const;
  // A block that waited at its sender.
  void PublishBacklogBlock();

  std::unique_ptr<TestParticipant> reader_;
  ThinLink link_ = kLinkOf10Mbit;
  // When the link has carried all that it has taken.
  DeviceTime free_at_;
  // Questions are given back.
  bool answers_ = true;
  bool stopped_ = false;
  Duration longest_silence_;
  std::array<std::vector<double>, kLaneCount> ages_ms_;

 private:
  struct Sent {
    bool is_gap;
    uint32_t lane;
    uint64_t seq;
    uint64_t count;
  };
  struct Arrival {
    DeviceTime at;
    size_t records;
    uint64_t bulk_bytes;
    bool asked;
    uint32_t question;
  };
  struct Report {
    DeviceTime at;
    uint64_t shown;
    uint32_t answered;
  };
  std::string Block() { return writer_.Write(BlockBody("EMG/1", ++blocks_, 1'900)); }
  size_t Publish(const std::string& bytes);
  void Carry();
  void CarryDown(DeviceTime now);
  // What the hub gave to the link: the records from `first_record` on, or a control message.
  void Note(size_t first_record, const v1::Down* control);
  void Arrive(const Arrival& arrival, DeviceTime now);
  // Another case with so many of what `body` gives.
  template <typename Body>
  CaseId OtherCase(int count, const Body& body);

  std::deque<Arrival> down_;
  std::vector<Sent> sent_;
  uint64_t live_from_ = 0;
  std::deque<Report> up_;
  std::map<std::pair<uint32_t, uint64_t>, DeviceTime> published_at_;
  size_t shown_ = 0;
  uint64_t reported_ = 0;
  DeviceTime arrived_at_;
  double owed_bytes_ = 0;
  uint32_t blocks_ = 0, sweeps_ = 0;
  int64_t steps_ = 0;
};

}  // namespace remora::hub
