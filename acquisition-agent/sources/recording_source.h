// A recording of one sampling clock as a SignalSource: what the readers of BrainVision and WFDB
// share. A reader describes its files as a Recording; this class delivers it in the order that
// source.h promises, cut into short blocks, with stimuli of a trigger channel if there is one.
//
// A recording is a row of frames. Each channel has the same whole number of samples in every frame
// (one, unless a file has several rates). Frames follow each other without a break within a
// stretch.
//
// Memory: the marks (24 bytes each, their texts once) and one block. Samples are read as they are
// delivered.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/read_options.h"
#include "acquisition-agent/sources/source.h"
#include "acquisition-agent/sources/triggers.h"

namespace remora::agent {

// Reads samples of a rate group by their index, counted from the recording's first frame without
// holes.
class SampleReader {
 public:
  virtual ~SampleReader() = default;
  // Fills `out`: `count` samples from `first` of each channel of the group, channel-major, in uV
  // (or the channel's unit); NaN where the file says "no value".
  //   kDataLoss  the storage failed
  virtual absl::Status Read(int group, int64_t first, int64_t count, std::span<double> out) = 0;
};

// When frames are: exact, as a fraction, so that nothing accumulates over a long recording.
class FrameClock {
 public:
  // `rate_hz` to a millionth of a hertz; from 1e-3 to 1e7.
  static FrameClock OfRate(double rate_hz);
  // From 100 ns to 1000 s.
  static FrameClock OfIntervalPs(int64_t interval_ps);

  double rate_hz() const { return 1e9 * static_cast<double>(den_) / static_cast<double>(num_); }
  // Nanoseconds from a frame to the start of part `part` of `parts` equal parts of frame `frames`
  // later. Within +-kMaxRecordingNs for the frames of a recording.
  int64_t Ns(int64_t frames, int64_t part = 0, int64_t parts = 1) const;
  // The frame whose start is the last at or before `ns` from frame 0.
  int64_t FrameAt(int64_t ns) const;

 private:
  FrameClock(int64_t num, int64_t den) : num_(num), den_(den) {}
  int64_t num_;  // a frame lasts num / den nanoseconds
  int64_t den_;
};

// Frames without a break between them.
struct Stretch {
  int64_t first_frame = 0;
  int64_t start_ns = 0;       // device time of its first frame
  int64_t clock_step_ns = 0;  // negative if the recorded time went back here; otherwise 0
};

// A text that marks have, and the stimulus that it stands for, if it does.
struct MarkText {
  std::string text;  // cleaned; distinct within a recording
  std::optional<StimulusTrigger> stimulus;
};

struct Mark {
  int64_t time_ns = 0;  // device time
  int64_t duration_ns = 0;
  int32_t text = 0;  // index into Recording::texts
};

struct Recording {
  SourceInfo info;  // without duration_ns and texts, which are derived
  FrameClock clock = FrameClock::OfRate(1);
  int64_t frames = 0;
  std::vector<int32_t> samples_per_frame;  // by rate group, at least 1
  std::vector<Stretch> stretches;          // in order, the first at frame 0 and time 0
  std::vector<MarkText> texts;
  std::vector<Mark> marks;       // in any order
  std::optional<Gap> truncated;  // from the end on, where more was promised
  std::optional<int> trigger_channel;
  ReadOptions options;  // whose triggers are of trigger_channel
  std::unique_ptr<SampleReader> samples;
};

class RecordingSource : public SignalSource {
 public:
  // The reader has checked the recording: frames within kMaxRecordingNs.
  explicit RecordingSource(Recording recording);

  const SourceInfo& info() const override { return recording_.info; }
  absl::StatusOr<Item> Next() override;
  void SkipBefore(int64_t time_ns) override;

 private:
  int64_t StretchEnd(size_t stretch) const;  // its end frame
  int64_t TickNs(int64_t tick) const;
  void AddBreak();
  absl::Status AddSlice();
  absl::Status AddBlock(int group, int64_t first, int64_t last, std::vector<Item>* items);
  void AddMarksBefore(int64_t time_ns, std::vector<Item>* items);
  void AddEnd();

  Recording recording_;
  // A frame is cut into as many equal ticks as its blocks need, usually one; a slice is some ticks.
  int64_t ticks_per_frame_ = 1;
  int64_t ticks_per_slice_ = 1;
  std::optional<TriggerChannel> trigger_channel_;
  std::deque<Item> ready_;
  size_t stretch_ = 0;
  int64_t tick_ = 0;  // the next slice begins with it
  size_t next_mark_ = 0;
  bool ended_ = false;
};

}  // namespace remora::agent
