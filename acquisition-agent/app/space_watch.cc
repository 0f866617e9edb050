#include "acquisition-agent/app/space_watch.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/spooled_past.h"
#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/surveillance/technical_watch.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

constexpr char kSubject[] = "spool_space";

// Packed without loss (docs/sample-codec.md): measured on EMG and EEG.
constexpr double kBytesPerSample = 1.1;
// Around the samples: ids, times, the trace's name, the spool's own entry.
constexpr double kBytesPerRecord = 150;
constexpr double kBlocksPerSecond = 10;
constexpr double kEnvelopeBytesPerSecond = 300;
// An average and its two halves.
constexpr double kTracesOfSweep = 3;
// What waits between two averages of a trace is as long as the average itself at most.
constexpr double kMeasurementBytes = 400;
constexpr double kUsualStimulusRateHz = 5;
// Alerts, messages, notes.
constexpr double kTalkBytesPerSecond = 20;

// A spectrum of half-hertz bins to 45 Hz, and the numbers beside it.
constexpr double kSpectrumBytes = 130;
constexpr double kEegNumberBytes = 130;
// A search tells all of its steps with each one: half of the most that a record takes.
constexpr double kThresholdBytes = 1'000;
// A train-of-four each minute, where a stimulator gives them by itself; each is four sweeps.
constexpr double kTrainsPerSecond = 1.0 / 60;
constexpr double kTwitches = 4;
constexpr double kContactBytes = 100;

// What is sent of a channel whose samples are all sent.
double BlockBytesPerSecond(double sample_rate_hz, double sent_rate_hz) {
  const double factor = std::max(1.0, std::ceil(sample_rate_hz / sent_rate_hz - 1e-9));
  return sample_rate_hz / factor * kBytesPerSample + kBlocksPerSecond * kBytesPerRecord;
}

double SweepBytes(double from_ms, double to_ms, double sample_rate_hz) {
  return (to_ms - from_ms) / 1000 * sample_rate_hz * kBytesPerSample + kBytesPerRecord;
}

// Single responses come when somebody asks for them; over the hours of a case not more than these.
double TrialsPerSecond(const v1::MotorPlan& motor) {
  if (motor.stimulus().rate_hz() > 0) return motor.stimulus().rate_hz();
  switch (motor.modality()) {
    case v1::MODALITY_RLN_CONTINUOUS:
      return 1;  // what it is usually run at
    case v1::MODALITY_MEP_TRANSCRANIAL:
    case v1::MODALITY_MEP_DIRECT_CORTICAL:
      return 1.0 / 60;  // in the stages that matter; due each 10 min
    default:
      return 0.2;  // minutes at 3 Hz at a nerve or a screw, and hours of none
  }
}

void AddMotor(const ResolvedMotor& motor, LaneRates* rates) {
  const double trials = TrialsPerSecond(motor.plan);
  for (const ResolvedMuscle& muscle : motor.muscles) {
    (*rates)[3] += trials * SweepBytes(motor.plan.epoch_from_ms(), motor.plan.epoch_to_ms(),
                                       muscle.derivation.sample_rate_hz);
    (*rates)[2] += trials * kMeasurementBytes;
  }
  if (motor.plan.has_threshold()) (*rates)[2] += trials * kThresholdBytes;
}

void AddEeg(const ResolvedEeg& eeg, LaneRates* rates) {
  (*rates)[5] += BlockBytesPerSecond(eeg.derivation.sample_rate_hz, eeg.plan.sent_rate_hz());
  const double windows = 1 / eeg.plan.step_s();
  (*rates)[4] += windows * (kSpectrumBytes + kBytesPerRecord);
  (*rates)[2] += windows * (kEegNumberBytes + kBytesPerRecord);
}

void AddTrainOfFour(const ResolvedTrainOfFour& tof, LaneRates* rates) {
  (*rates)[3] +=
      kTrainsPerSecond * kTwitches * SweepBytes(0, kTwitchEpochMs, tof.derivation.sample_rate_hz);
  (*rates)[2] += kTrainsPerSecond * kMeasurementBytes;
}

// An average of each contact: of all at once, or of one after the other where they are stimulated.
void AddMapping(const ResolvedMapping& mapping, LaneRates* rates) {
  const double seconds = std::max(1u, mapping.plan.sweep_count()) / kUsualStimulusRateHz;
  const double at_once = mapping.plan.modality() == v1::MODALITY_MAP_MIDLINE
                             ? 1
                             : static_cast<double>(mapping.derivations.size());
  (*rates)[3] += at_once / seconds *
                 SweepBytes(mapping.plan.epoch_from_ms(), mapping.plan.epoch_to_ms(),
                            mapping.derivations[0].sample_rate_hz);
  (*rates)[2] += at_once / seconds * (kContactBytes + kBytesPerRecord);
}

std::string InWords(Duration left) {
  if (left >= kLongestForecast) {
    return absl::StrCat("more than ", kLongestForecast.seconds() / 3600, " h");
  }
  if (left >= Duration::Seconds(2 * 3600)) return absl::StrFormat("%.1f h", left.seconds() / 3600);
  return absl::StrFormat("%.0f min", std::floor(left.seconds() / 60));
}

LaneRates AtSpeed(LaneRates rates, double speed) {
  for (double& rate : rates) rate *= speed;
  return rates;
}

}  // namespace

LaneRates PlannedRates(const ResolvedPlan& plan) {
  LaneRates rates{};
  rates[0] = rates[1] = kTalkBytesPerSecond;
  for (const ResolvedEmg& emg : plan.emg) {
    rates[5] += BlockBytesPerSecond(emg.derivation.sample_rate_hz, emg.plan.sent_rate_hz());
    rates[4] += kEnvelopeBytesPerSecond;
  }
  for (const ResolvedEvoked& evoked : plan.evoked) {
    const double samples = (evoked.plan.epoch_to_ms() - evoked.plan.epoch_from_ms()) / 1000 *
                           evoked.derivation.sample_rate_hz;
    // One that ends when it is decided may end at the first look.
    const uint32_t sweeps = evoked.plan.has_sequential()
                                ? evoked.plan.sequential().minimum_sweep_count()
                                : evoked.plan.sweep_count();
    const double seconds = std::max(1u, sweeps) / kUsualStimulusRateHz;
    const double sweep_bytes = kTracesOfSweep * samples * kBytesPerSample + kBytesPerRecord;
    rates[3] += sweep_bytes * (1 / seconds + evoked.plan.provisional_rate_hz());
    rates[2] += kMeasurementBytes / seconds;
  }
  for (const ResolvedMotor& motor : plan.motor) AddMotor(motor, &rates);
  for (const ResolvedEeg& eeg : plan.eeg) AddEeg(eeg, &rates);
  for (const ResolvedTrainOfFour& tof : plan.train_of_four) AddTrainOfFour(tof, &rates);
  for (const ResolvedMapping& mapping : plan.mapping) AddMapping(mapping, &rates);
  return rates;
}

SpaceWatch::SpaceWatch(const SpaceWatchOptions& options, const CaseSpool& spool, const Clock& clock,
                       Console& console)
    : options_(options),
      spool_(spool),
      clock_(clock),
      console_(console),
      forecast_(AtSpeed(options.planned, options.speed)) {}

void SpaceWatch::Restore(const CasePast& past) {
  phase_ = past.phase;
  const CasePast::Alert* alert = LastAlertOf(past, kSubject);
  if (alert == nullptr) return;
  slot_.Restore(*alert);
  if (!slot_.is_on()) return;
  level_ = alert->last.priority() == v1::ALERT_PRIORITY_HIGH     ? Level::kQuarter
           : alert->last.priority() == v1::ALERT_PRIORITY_MEDIUM ? Level::kHour
                                                                 : Level::kBelowPlan;
}

Duration SpaceWatch::Rest(int64_t now_ns) const {
  return Duration::FromSeconds(
      (options_.planned_duration - Duration::Nanoseconds(now_ns)).seconds() / options_.speed);
}

SpaceWatch::Level SpaceWatch::LevelOf(Duration left, int64_t now_ns) const {
  // What is on goes off only with some to spare: a disk near a limit is to say one thing.
  const auto under = [&](Duration limit, Level level) {
    return level_ >= level ? left < limit + limit / 10 : left < limit;
  };
  if (under(kSpaceForQuarter, Level::kQuarter)) return Level::kQuarter;
  if (under(kSpaceForHour, Level::kHour)) return Level::kHour;
  const bool before_exposure = phase_ < v1::PHASE_EXPOSURE;
  const Duration rest = Rest(now_ns);
  if (!before_exposure && level_ < Level::kBelowPlan) return Level::kEnough;
  return rest > Duration() && under(rest, Level::kBelowPlan) ? Level::kBelowPlan : Level::kEnough;
}

void SpaceWatch::Look(int64_t now_ns, RecordSink& sink) {
  const DeviceTime now = clock_.Now();
  forecast_.Measure(now, spool_.written_bytes());
  const absl::StatusOr<uint64_t> free_bytes = spool_.FreeBytesForBulk();
  if (!free_bytes.ok()) return;  // a disk that says nothing is found by what is written to it
  const Duration left = forecast_.TimeLeft(*free_bytes);
  status_line_ = absl::StrFormat("The disk lasts %s at %.0f kB/s%s", InWords(left),
                                 forecast_.BytesPerSecond() / 1e3,
                                 forecast_.is_measured() ? "" : " (planned)");
  const Level level = LevelOf(left, now_ns);
  if (level != level_) {
    Tell(level, left, now_ns, sink);
  } else if (!said_at_ || now - *said_at_ >= kSpaceStatusInterval) {
    console_.Say(status_line_);
    said_at_ = now;
  }
}

void SpaceWatch::Tell(Level level, Duration left, int64_t now_ns, RecordSink& sink) {
  const bool worse = level > level_;
  level_ = level;
  if (level == Level::kEnough) {
    return slot_.Recover(
        TechnicalAlert(kSubject,
                       absl::StrCat("The disk has space again: it lasts ", InWords(left))),
        now_ns, sink);
  }
  if (!worse) return;  // still on: it is said when it is over
  std::string text = absl::StrCat("The disk for this case lasts ", InWords(left),
                                  " more, then EMG ", "and sweeps are given up");
  if (level == Level::kBelowPlan) {
    absl::StrAppend(&text, "; ", InWords(Rest(now_ns)),
                    " are planned. Free space before the incision");
  }
  v1::Alert alert = TechnicalAlert(kSubject, text);
  if (level == Level::kHour) alert.set_priority(v1::ALERT_PRIORITY_MEDIUM);
  if (level == Level::kQuarter) alert.set_priority(v1::ALERT_PRIORITY_HIGH);
  slot_.Show(std::move(alert), now_ns, now_ns, sink);
}

}  // namespace remora::agent
