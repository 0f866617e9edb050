#pragma once

// A case that a test fills by hand: its last frames are recent, all are in its journal, whose reads
// wait until the test answers or fails them. Thread-compatible.

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/record_codec.h"
#include "hub/fanout/case_feed.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {

class FakeFeed final : public CaseFeed {
 public:
  // A record of `lane` becomes the newest on disk; returns its seq.
  uint64_t Add(uint32_t lane) {
    v1::Record body;
    if (lane == 0) body.mutable_message()->set_text("text");
    if (lane == 1) body.mutable_phase_change()->set_phase(v1::PHASE_EXPOSURE);
    if (lane == 2) body.mutable_measurement()->set_trace_id("SEP/R");
    if (lane == 3) body.mutable_sweep()->set_trace_id("SEP/R");
    if (lane == 4) body.mutable_envelope()->set_trace_id("EMG/1");
    if (lane == 5) body.mutable_sample_block()->set_trace_id("EMG/1");
    body.set_case_id(std::string(16, 'c'));
    body.set_origin(std::string(16, 'o'));
    body.set_lane(lane);
    body.set_origin_seq(++head_.seq);
    std::string stamped = body.SerializeAsString();
    AppendStamp({1, head_.seq, HubTime::FromNanoseconds(1), false}, &stamped);
    std::string framed;
    AppendFrame(stamped, &framed);
    RecordFrame frame;
    frame.header_bytes = static_cast<uint8_t>(framed.size() - stamped.size());
    frame.bytes = SharedBytes(std::move(framed));
    frame.seq = head_.seq;
    frame.lane = static_cast<uint8_t>(lane);
    head_.lane_seq[lane] = head_.seq;
    frames_.push_back(std::move(frame));
    return head_.seq;
  }
  // From here on records can be visited; before, they must be read.
  void set_recent_from(uint64_t seq) { recent_from_ = seq; }

  // Reads that nobody has answered.
  size_t reads() const { return reads_.size(); }
  uint64_t read_from() const { return reads_.front().from_seq; }
  // Answers the oldest read with at most `max_records`.
  void Answer(size_t max_records = 1000) {
    const Read read = std::move(reads_.front());
    reads_.pop_front();
    FeedPage page;
    std::string bytes;
    size_t count = 0;
    for (const RecordFrame& frame : frames_) {
      const bool control = frame.lane < kControlLaneCount;
      if (frame.seq < read.from_seq || frame.seq > read.to_seq) continue;
      if (control ? !read.control : !read.bulk) continue;
      if (count == max_records) {
        page.next_seq = frame.seq;
        break;
      }
      bytes.append(frame.bytes.view().data(), frame.bytes.size());
      ++count;
    }
    page.frames = SharedBytes(std::move(bytes));
    read.done(std::move(page));
  }
  void Fail(absl::Status status) {
    const Read read = std::move(reads_.front());
    reads_.pop_front();
    read.done(std::move(status));
  }

  const CaseId& case_id() const override { return case_id_; }
  uint64_t VisitUnrecorded(uint64_t position,
                           const std::function<bool(const RecordFrame&)>&) const override {
    return position;
  }
  uint64_t unrecorded_end() const override { return 0; }
  uint32_t epoch() const override { return 1; }
  FeedHead head() const override { return head_; }
  bool CoversRecent(uint64_t from_seq, bool, bool) const override {
    return from_seq >= recent_from_;
  }
  void VisitRecent(uint64_t from_seq, bool control, bool bulk,
                   const std::function<bool(const RecordFrame&)>& visit) const override {
    for (const RecordFrame& frame : frames_) {
      if (frame.seq < std::max(from_seq, recent_from_)) continue;
      if (frame.lane < kControlLaneCount ? !control : !bulk) continue;
      if (!visit(frame)) return;
    }
  }
  void ReadJournal(uint64_t from_seq, uint64_t to_seq, bool control, bool bulk, size_t,
                   std::function<void(absl::StatusOr<FeedPage>)> done) override {
    reads_.push_back({from_seq, to_seq, control, bulk, std::move(done)});
  }
  std::string EncodeSnapshot(uint32_t, absl::string_view) override { return "snapshot"; }

 private:
  struct Read {
    uint64_t from_seq;
    uint64_t to_seq;
    bool control;
    bool bulk;
    std::function<void(absl::StatusOr<FeedPage>)> done;
  };

  const CaseId case_id_ = CaseId::FromBytes(std::string(16, 'c'));
  FeedHead head_;
  uint64_t recent_from_ = 1;
  std::vector<RecordFrame> frames_;
  std::deque<Read> reads_;
};

}  // namespace remora::hub
