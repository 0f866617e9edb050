#include "acquisition-agent/app/space_watch.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/spool_repair.h"
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
    const double factor =
        std::max(1.0, std::ceil(emg.derivation.sample_rate_hz / emg.plan.sent_rate_hz() - 1e-9));
    rates[5] += emg.derivation.sample_rate_hz / factor * kBytesPerSample +
                kBlocksPerSecond * kBytesPerRecord;
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
  return rates;
}

SpaceWatch::SpaceWatch(const SpaceWatchOptions& options, const CaseSpool& spool, const Clock& clock,
                       Console& console)
    : options_(options),
      spool_(spool),
      clock_(clock),
      console_(console),
      forecast_(AtSpeed(options.planned, options.speed)) {
  Restore();
}

void SpaceWatch::Restore() {
  const std::optional<LastAlert> last = LastAlertOf(spool_, kSubject);
  if (!last) return;
  slot_.Restore(last->alert, last->key);
  if (!slot_.is_on()) return;
  level_ = last->alert.priority() == v1::ALERT_PRIORITY_HIGH     ? Level::kQuarter
           : last->alert.priority() == v1::ALERT_PRIORITY_MEDIUM ? Level::kHour
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
