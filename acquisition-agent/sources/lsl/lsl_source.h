// Streams of the Lab Streaming Layer as a live SignalSource.
//
// Device time is the sample clock of the first stream of samples: its sample i, missing ones
// counted, is at i / nominal rate. LSL time (each stream's own clock, plus LSL's estimate of its
// offset, asked for each 5 s) is mapped onto it by StreamClock. So blocks of that
// stream follow each other exactly, and a stimulus falls on the sample that was taken when it came,
// however the clocks drift. Without a stream of samples device time is LSL time since opening.
//
//   marker:  stamp + its stream's correction --> LSL time of this machine --> sample of the first
//            stream --> device time
//
// Missing samples: a stamp that is gap_ms or more behind what is expected makes a Gap, as long as
// the samples that are missing; one that is so much ahead, or a clock that was reset, makes a Gap
// too, and the mapping starts anew. A further stream of samples that has drifted by 2 ms against
// the first is set right by a Gap, with some samples left out if it is the faster one.
//
// Order: streams arrive one later than another. With more than one stream, items are held until
// they are hold_ms old and every stream of samples has come as far, unless nothing has come from it
// for 2 s. An event that comes later still is told at the time at which it became known; a stimulus
// that does is told as an event that says so, since its sweep has gone by; of samples that do, a
// Gap is told.
//
// A float has no known limits (SetFloatRange); units that are not given are taken for microvolts,
// and noted.
//
// Thread-compatible: Next() does not wait. Memory: the items that are held, at most 20,000.
// Errors of Next(): kUnavailable where a stream went away for good; liblsl waits for one that comes
// back, meanwhile there is NothingYet, and afterwards a Gap.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/lsl/api.h"
#include "acquisition-agent/sources/lsl/stream_clock.h"
#include "acquisition-agent/sources/lsl/streams.h"
#include "acquisition-agent/sources/recording_source.h"
#include "acquisition-agent/sources/source.h"
#include "acquisition-agent/sources/triggers.h"
#include "common/clock.h"

namespace remora::agent::lsl {

struct LslOptions {
  std::vector<std::string> names;
  std::string type;
  // auto: markers that begin with the prefix, or are a number or like "S  1"; without a marker
  // stream, a trigger channel.
  TriggerOptions triggers;
  double wait_s = 5;
  int32_t hold_ms = 100;
  int32_t gap_ms = 50;
};

class LslSource : public SignalSource {
 public:
  // Errors as OpenStreams; kInvalidArgument also for a trigger channel that is not there. `clock`
  // is asked once: device time 0 is taken for the moment of opening, though the first sample of a
  // stream may be some chunks away from it.
  static absl::StatusOr<std::unique_ptr<SignalSource>> Open(LslApi api, const std::string& name,
                                                            const LslOptions& options,
                                                            const Clock& clock);

  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;

 private:
  // What is kept of a stream.
  struct Track {
    std::unique_ptr<OpenStream> stream;
    int rate_group = -1;  // of a stream of samples
    StreamClock clock{1};
    FrameClock grid = FrameClock::OfRate(1);
    int64_t next_index = 0;  // on the stream's grid
    int64_t delivered = 0;   // samples
    // Device time of sample `anchor_index`; of the first stream always 0 and 0.
    int64_t anchor_index = 0;
    int64_t anchor_ns = 0;
    int64_t resync_index = 0;  // when drift is looked at next
    int64_t leave_out = 0;     // samples, to set a drift right
    double arrived_s = 0;      // LSL time at which samples last came
    bool clock_was_reset = false;
  };

  LslSource(LslApi api, const LslOptions& options);
  absl::Status Start(const std::string& name);

  // Nothing before the first stream has given a sample.
  std::optional<int64_t> DeviceNs(double lsl_time_s) const;
  bool IsPrimary(const Track& track) const { return track.rate_group == 0; }

  void RefreshCorrections();
  absl::Status Poll();
  absl::Status PollSamples(Track* track);
  absl::Status PollNumbers(Track* track);
  absl::Status PollTexts(Track* track);
  void TakeChunk(Track* track, const std::vector<double>& values, const std::vector<double>& stamps,
                 int64_t samples);
  // Whether sample `next_index`, stamped so, follows; if not, makes the gap.
  bool Follows(double time_s, const Track& track) const;
  void Break(double time_s, Track* track);
  void Resync(Track* track);
  void AddGap(Gap::Kind kind, int64_t from_ns, int64_t to_ns, double step_s, std::string cause);
  void AddBlock(const std::vector<double>& values, int64_t first, int64_t count, Track* track);
  void AddMarker(const Track& track, const std::string& text, double stamp_s);
  bool IsStimulus(const std::string& text) const;
  // False: the item was too late, and something else was told in its place.
  bool Hold(Item item, const std::string& stream);
  void Release();

  const LslApi api_;
  const LslOptions options_;
  SourceInfo info_;
  std::vector<Track> tracks_;  // the first stream of samples first
  std::optional<int> trigger_channel_index_;
  std::optional<TriggerChannel> trigger_channel_;
  double opened_s_ = 0;
  double corrected_s_ = 0;
  double now_s_ = 0;
  std::multimap<int64_t, Item> held_;  // by time
  std::deque<Item> ready_;
  int64_t released_ns_ = INT64_MIN;
  absl::Status failed_;
  bool ended_ = false;
};

}  // namespace remora::agent::lsl
