// What a bad link needs to make EMG audible again: a few bytes for each 20 to 50 ms.
//
// A listener hears three things: how loud, how high, and whether it crackles. Each bin says so by
// its rms, the rate of its zero crossings, the middle of its spectrum and its number of
// discharges; a reader's synthesiser makes noise of that level and colour with that many clicks in
// it. It is no recording: two units that differ in shape alone sound alike.
//
// One a channel, on the pipeline's sequence; thread-compatible. Input is band-passed EMG in uV.
// Bins are aligned to the first sample after construction or Restart(). Delay: a bin comes when its
// last sample does.
//
// Dominant frequency: half the zero crossings a second, right to 1 / bin for one tone. Centroid:
// the root of the second moment of the power spectrum, from the differences of neighbouring samples
// (mobility, Hjorth 1970), corrected for sampling so that a tone reads its frequency; for noise it
// lies above the plain mean frequency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::dsp {

inline constexpr double kMinAudioBinMs = 5.0;
inline constexpr double kMaxAudioBinMs = 200.0;

struct AudioBin {
  std::uint64_t first_sample = 0;  // since construction or Restart
  std::uint32_t samples = 0;
  std::uint32_t non_finite_samples = 0;  // measured are the others
  double rms_uv = 0.0;
  double dominant_hz = 0.0;  // 0: no crossing
  double centroid_hz = 0.0;  // 0: silence
  std::uint32_t clicks = 0;  // discharges that begin in it
};

// Four bytes: 200 bytes/s at 20 ms.
struct PackedAudioBin {
  std::uint8_t level = 0;     // 0: under 0.1 uV or nothing measured; n: 0.1 uV * 10^(n / 40)
  std::uint8_t dominant = 0;  // 0: none; n: 10 Hz * 2^(n / 24), to 15.8 kHz
  std::uint8_t centroid = 0;  // as dominant
  std::uint8_t clicks = 0;    // 255: that many or more

  friend bool operator==(const PackedAudioBin&, const PackedAudioBin&) = default;
};

// Error: level within 3 %, frequencies within 1.5 %, inside their ranges; outside, the nearest end.
PackedAudioBin PackAudioBin(const AudioBin& bin);
// Of the packed fields alone.
AudioBin UnpackAudioBin(const PackedAudioBin& packed);

class AudioFeatures {
 public:
  // Errors: kInvalidArgument.
  static absl::StatusOr<AudioFeatures> Create(double sample_rate_hz, double bin_ms);

  // Appends each bin that is complete. A discharge is an excursion of |x| over `click_uv`, 3 ms or
  // more after the last one (BurstTrainDetector::threshold_uv(); 0 or less: none are counted).
  void Push(std::span<const double> samples_uv, double click_uv, std::vector<AudioBin>& bins);
  // After a gap: the part of a bin that is held is given out short, then sample 0 is next.
  void Restart(std::vector<AudioBin>& bins);

  std::size_t samples_per_bin() const { return samples_per_bin_; }

 private:
  // What grows with each sample.
  struct Running {
    double energy = 0.0;
    double step_energy = 0.0;
    std::uint32_t steps = 0;
    std::uint32_t crossings = 0;
    std::uint32_t clicks = 0;
    std::uint32_t non_finite_samples = 0;
    // Of the sample before, across bins; a sample that is not finite ends them.
    bool has_previous = false;
    double previous_uv = 0.0;
    bool positive = false;
    std::uint64_t quiet_since_click = 0;  // samples since the last one over click_uv
  };

  AudioFeatures(double sample_rate_hz, std::size_t samples_per_bin);
  // Of one bin.
  void Take(std::span<const double> samples_uv, double click_uv);
  void FinishBin(std::vector<AudioBin>& bins);

  double sample_rate_hz_;
  std::size_t samples_per_bin_;
  std::uint64_t refractory_samples_;
  std::uint64_t next_sample_ = 0;
  AudioBin bin_;
  Running running_;
};

}  // namespace remora::dsp
