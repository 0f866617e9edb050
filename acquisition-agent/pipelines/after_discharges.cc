#include "acquisition-agent/pipelines/after_discharges.h"

#include <algorithm>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"
#include "dsp/emg/burst_train.h"

namespace remora::agent {
namespace {

constexpr uint32_t kNoBrain = dsp::kArtefactNonFinite | dsp::kArtefactClipping |
                              dsp::kArtefactFlat | dsp::kArtefactDiathermy | dsp::kArtefactStimulus;
// Around a pulse, and between pulses of one stretch: half a period of 50 Hz.
constexpr int64_t kAroundPulseNs = 11'000'000;

}  // namespace

absl::StatusOr<AfterDischarges> AfterDischarges::Create(const ResolvedTrigger& trigger,
                                                        double sample_rate_hz) {
  dsp::AfterDischargeOptions options;
  options.sample_rate_hz = sample_rate_hz;
  ASSIGN_OR_RETURN(dsp::AfterDischargeDetector detector,
                   dsp::AfterDischargeDetector::Create(options));
  return AfterDischarges(trigger, sample_rate_hz, std::move(detector));
}

AfterDischarges::AfterDischarges(const ResolvedTrigger& trigger, double sample_rate_hz,
                                 dsp::AfterDischargeDetector detector)
    : trigger_(trigger), sample_rate_hz_(sample_rate_hz), detector_(std::move(detector)) {}

int64_t AfterDischarges::TimeOf(int64_t sent_index) const {
  return static_cast<int64_t>(static_cast<double>(sent_index) * 1e9 / sample_rate_hz_ +
                              position_zero_ns_);
}

void AfterDischarges::OnStimulus(const Stimulus& stimulus) {
  const v1::StimulusSetting setting = SettingOf(stimulus, {});
  Stretch stretch;
  stretch.from_ns = stimulus.time_ns - kAroundPulseNs;
  stretch.to_ns = StimulationEndNs(stimulus) + kAroundPulseNs;
  stretch.site = SiteOf(stimulus, trigger_);
  stretch.current_ma = setting.delivered_ma() > 0 ? setting.delivered_ma() : setting.current_ma();
  if (told_.size() >= kMaxWaitingTriggers) told_.pop_front();
  const auto after = std::upper_bound(
      told_.begin(), told_.end(), stretch.from_ns,
      [](int64_t from_ns, const Stretch& other) { return from_ns < other.from_ns; });
  told_.insert(after, std::move(stretch));
}

void AfterDischarges::Reach(int64_t end_ns, int64_t known_until_ns) {
  for (; !told_.empty() && told_.front().from_ns < end_ns; told_.pop_front()) {
    Stretch& stretch = told_.front();
    if (stretch.from_ns + kAroundPulseNs >= known_until_ns) return;
    if (!waiting_.empty() && waiting_.back().site == stretch.site &&
        waiting_.back().to_ns >= stretch.from_ns) {
      waiting_.back().to_ns = std::max(waiting_.back().to_ns, stretch.to_ns);
      waiting_.back().current_ma = std::max(waiting_.back().current_ma, stretch.current_ma);
    } else {
      if (waiting_.size() >= kMaxWaitingTriggers) waiting_.pop_front();
      waiting_.push_back(std::move(stretch));
    }
  }
}

bool AfterDischarges::IsStimulating(int64_t time_ns) {
  while (!waiting_.empty() && waiting_.front().to_ns < time_ns) waiting_.pop_front();
  if (waiting_.empty() || waiting_.front().from_ns > time_ns) return false;
  newest_ = waiting_.front();
  return true;
}

int64_t AfterDischarges::EndOf(const Held& held) const {
  const auto next = static_cast<double>(held.first_index + std::ssize(held.uv));
  return static_cast<int64_t>(next * 1e9 / sample_rate_hz_ + held.position_zero_ns);
}

void AfterDischarges::OnPiece(const Piece& piece, std::vector<EegDischarge>* discharges) {
  Held held;
  held.first_index = piece.first_sent_index;
  held.uv = piece.sent_uv;
  held.bad = (piece.raw_hints & kNoBrain) != 0;
  held.starts_segment = piece.starts_segment;
  held.position_zero_ns = piece.position_zero_ns;
  if (held_) Take(*held_, EndOf(held), discharges);
  held_ = std::move(held);
}

void AfterDischarges::Take(const Held& held, int64_t known_until_ns,
                           std::vector<EegDischarge>* discharges) {
  const int64_t first = held.first_index;
  if (began_ && (held.starts_segment || first != next_index_)) {
    blind_ = false;
    Skip(static_cast<uint64_t>(std::max<int64_t>(first - next_index_, 0)), discharges);
  }
  began_ = true;
  next_index_ = first;
  position_zero_ns_ = held.position_zero_ns;
  const bool bad = held.bad;
  Reach(TimeOf(first + std::ssize(held.uv)), known_until_ns);
  std::vector<bool> stimulating(held.uv.size());
  bool any = false;
  for (size_t i = 0; i < stimulating.size(); ++i) {
    stimulating[i] = IsStimulating(TimeOf(first + static_cast<int64_t>(i)));
    any = any || stimulating[i];
  }
  for (size_t at = 0; at < stimulating.size();) {
    size_t end = at + 1;
    while (end < stimulating.size() && stimulating[end] == stimulating[at]) ++end;
    if (stimulating[at]) watched_ = newest_;
    blind_ = stimulating[at] || (bad && (blind_ || any));
    if (bad && !blind_) {
      Skip(end - at, discharges);
    } else {
      Push({held.uv.begin() + static_cast<std::ptrdiff_t>(at),
            held.uv.begin() + static_cast<std::ptrdiff_t>(end)},
           blind_, discharges);
    }
    at = end;
  }
  const std::optional<dsp::AfterDischarge> ongoing = detector_.ongoing();
  const int64_t now_ns = TimeOf(next_index_);
  if (!ongoing || now_ns - told_ns_ < kDischargeToldNs) return;
  current_.found = *ongoing;
  told_ns_ = now_ns;
  discharges->push_back(current_);
}

void AfterDischarges::Push(std::vector<double> uv, bool stimulating,
                           std::vector<EegDischarge>* discharges) {
  std::vector<dsp::AfterDischarge> found;
  detector_.Push(uv, stimulating, found);
  position_ += uv.size();
  next_index_ += static_cast<int64_t>(uv.size());
  Tell(found, discharges);
}

void AfterDischarges::Skip(uint64_t samples, std::vector<EegDischarge>* discharges) {
  std::vector<dsp::AfterDischarge> found;
  detector_.Skip(samples, found);
  position_ += samples;
  next_index_ += static_cast<int64_t>(samples);
  Tell(found, discharges);
}

void AfterDischarges::OnEnd(std::vector<EegDischarge>* discharges) {
  if (held_) Take(*held_, EndOf(*held_), discharges);
  held_.reset();
  Skip(0, discharges);
}

void AfterDischarges::Tell(const std::vector<dsp::AfterDischarge>& found,
                           std::vector<EegDischarge>* discharges) {
  for (const dsp::AfterDischarge& one : found) {
    if (one.phase == dsp::DischargePhase::kBegan) {
      current_ = EegDischarge();
      const auto ago = static_cast<int64_t>(position_ - one.first_sample);
      current_.started_ns = TimeOf(next_index_ - ago);
      current_.after_stimulus_ms =
          static_cast<double>(current_.started_ns - (watched_.to_ns - kAroundPulseNs)) / 1e6;
      current_.site = watched_.site;
      current_.current_ma = watched_.current_ma;
      told_ns_ = TimeOf(next_index_);
    }
    current_.ongoing = one.phase == dsp::DischargePhase::kBegan;
    current_.found = one;
    discharges->push_back(current_);
  }
}

}  // namespace remora::agent
