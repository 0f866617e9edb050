// What a stretch of EMG is that no nerve made: mains, diathermy, a drill, stimuli, or muscles that
// are all active at once.
//
// One channel cannot tell a drill from a train; all together can. One classifier a rate group's EMG
// channels, on the pipeline's sequence; thread-compatible. Takes a chunk of all channels at a time
// (50 to 500 ms, band-passed EMG in uV) and says what it holds, with the numbers that say so: a
// hint for the detectors of each channel (HintsOf) and a text for a person, no proof.
//
// The first that applies (a channel is active with an rms of 2.5 times its floor, or a peak of 8):
//
//   stimulus    80 % of the energy of half of the channels lies in 6 ms after stimuli that the
//               caller knows, or there are short pulses on 70 % of them, two at least, at once and
//               at even intervals (four, 20 to 500 ms apart, deviation under 3 %)
//   diathermy   over 5 mV; or broad noise that goes on: mean frequency over broad_hz, spectral
//               flatness 0.12 and more, and a peak of at most 7 times the rms (5 on few channels)
//   mains       half of an active channel's power lies at the mains' frequency and harmonics, a
//               quarter of that at the first, and 5 times as much as between them
//   drill       half of the channels active with one periodic waveform: autocorrelation 0.6, no
//               multiple of the mains, and the same shape (|r| 0.6 and more) in half of them.
//               An ultrasonic aspirator is such a tone, as it folds back into the band
//   all muscles 70 % of the channels, four at least, active with muscle (none of the above, mean
//               frequency 40 to 520 Hz), each its own, in 2 of the last 3 s: shivering where their
//               common level swings at 3 to 14 a second, else light anaesthesia
//   none        quiet, or muscle on some channels
//
// Diathermy, and mains, are what all have where half of the channels have it, two at least. On
// fewer it is a loose electrode's own: it holds for those alone, and is in no other's way. Parts
// are of the channels that can be judged: all finite, with a floor, 20 ms that are not left out.
//
// Source: what contaminates recordings in theatre (clinical practice; flatness as in speech coding,
// Gray & Markel 1974); all limits are Remora's own, tried on simulated channels
// (artefact_class_test.cc prints the table).
//
// Delay: none beyond the chunk; all muscles 2 s. Memory: 3 s of levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dsp/emg/burst_train.h"
#include "dsp/filter/sample_stretch.h"

namespace remora::dsp {

enum class NonMuscle : std::uint8_t {
  kNone,
  kStimulus,
  kDiathermy,
  kMains,
  kDrill,
  kAllMuscles,
};
inline constexpr std::size_t kNonMuscleKinds = 6;
// "diathermy"
const char* NonMuscleName(NonMuscle kind);
// The hints that a detector of each channel takes; none for kAllMuscles: those are discharges.
std::uint32_t HintsOf(NonMuscle kind);

struct ArtefactClassOptions {
  double sample_rate_hz = 0.0;  // 1000 to 100000
  double mains_hz = 50.0;       // 50 or 60; 0: not looked for
  double band_to_hz = 1500.0;   // upper corner of the band-pass, for the flatness
  double broad_hz = 520.0;      // at low rates 0.22 times the sample rate, if that is less
};

inline constexpr std::size_t kMaxArtefactChannels = 256;

struct ArtefactVerdict {
  // What one channel has by itself.
  struct Alone {
    std::size_t channel = 0;  // its place in Push
    NonMuscle kind = NonMuscle::kNone;
    std::vector<std::string> reasons;
  };

  NonMuscle kind = NonMuscle::kNone;  // of all channels together
  std::size_t channels = 0;           // of those that are active, which have what was found
  std::size_t active = 0;             // with those that have something of their own
  // "7 of 8 channels", "mean frequency 870 Hz", "flatness 0.52": empty for kNone.
  std::vector<std::string> reasons;
  std::vector<Alone> alone;  // a channel at most once

  // What holds for one channel: its own, or else that of all.
  ArtefactVerdict Of(std::size_t channel) const;
};

class ArtefactClassifier {
 public:
  // Errors: kInvalidArgument -> an option out of range.
  static absl::StatusOr<ArtefactClassifier> Create(const ArtefactClassOptions& options);

  // A chunk: a span a channel, all of one length, with each channel's noise floor (rms, uV; 0: not
  // known, the channel is left out) and the positions of stimuli in it that were not blanked. What
  // is left out of a channel (ascending; nothing, or a list a channel) has to be 0: what a muscle
  // answers is large, and alike in all. A chunk of under 50 or over 500 ms, of other lengths or too
  // many channels, or with a changed number of channels, is kNone and starts anew. Channels with a
  // sample that is not finite are left out.
  ArtefactVerdict Push(std::span<const std::span<const double>> channels_uv,
                       std::span<const double> floors_uv, std::span<const std::size_t> stimuli,
                       std::span<const std::vector<SampleStretch>> left_out = {});
  // After a gap.
  void Restart();

 private:
  struct Channel {
    std::span<const double> samples_uv;
    std::span<const double> stretch_uv;  // the longest of which nothing is left out
    std::size_t kept = 0;                // samples that are not left out: of these
    double energy = 0.0;
    double floor_uv = 0.0;
    double rms_uv = 0.0;
    double peak_uv = 0.0;
    double mean_hz = 0.0;
    bool judged = false;
    bool active = false;
  };
  // Channels that may have the same, and what says so.
  struct Suspects {
    std::vector<std::size_t> channels;
    std::vector<std::string> reasons;
  };

  struct Chunk {
    double ms = 0.0;
    bool muscle = false;  // on most channels
  };

  explicit ArtefactClassifier(const ArtefactClassOptions& options) : options_(options) {}
  bool Measure(std::span<const std::span<const double>> channels_uv,
               std::span<const double> floors_uv,
               std::span<const std::vector<SampleStretch>> left_out);
  void MeasureKept(std::span<const SampleStretch> left_out, Channel& channel);
  bool FindStimuli(std::span<const std::size_t> stimuli, ArtefactVerdict& verdict);
  bool FindPulses(ArtefactVerdict& verdict);
  Suspects FindBroad() const;
  Suspects FindHumming() const;
  std::vector<std::size_t> HugeAnd(std::vector<std::size_t> channels) const;
  bool FindDiathermy(const Suspects& broad, ArtefactVerdict& verdict);
  bool FindMains(const Suspects& humming, ArtefactVerdict& verdict) const;
  bool FindDrill(ArtefactVerdict& verdict) const;
  void KeepLevels();
  bool FindAllMuscles(ArtefactVerdict& verdict);
  double BroadHz() const;
  std::size_t Active() const;
  bool IsOfAll(const std::vector<std::size_t>& channels) const;
  // Tells it of these alone, and leaves them out of what is looked for next.
  void LeaveOut(const Suspects& suspects, NonMuscle kind, ArtefactVerdict& verdict);
  void Tell(const Suspects& suspects, NonMuscle kind, ArtefactVerdict& verdict) const;

  ArtefactClassOptions options_;
  std::vector<Channel> channels_;
  std::size_t samples_ = 0;     // of this chunk
  std::size_t judged_ = 0;      // channels that can be
  std::uint64_t position_ = 0;  // of its first sample
  std::deque<double> pulses_;   // positions of common pulses
  std::deque<double> levels_;   // of all channels together, each 20 ms, of the last 3 s
  std::deque<Chunk> chunks_;    // of the last 3 s
  double known_ms_ = 0.0;       // their length
};

}  // namespace remora::dsp
