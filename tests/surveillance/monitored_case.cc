#include "tests/surveillance/monitored_case.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "dsp/assess/expected_fade.h"
#include "dsp/assess/limb_judge.h"

namespace remora::surveillance {
namespace {

using dsp::AlertLevel;

// Two hands and two legs.
constexpr std::array<size_t, 4> kMuscles = {1, 1, 4, 4};
constexpr size_t kFirstLeg = 2;
// A response under this is lost in the noise, which would hide as much.
constexpr double kVisibleUv = 20;
constexpr double kHiddenUv = 20;
constexpr double kRepeatMinutes = 1;
constexpr double kRedFallPercent = 80;

class Case {
 public:
  Case(const CaseSettings& settings, std::uint64_t seed)
      : settings_(settings), random_(seed ^ 0x9E3779B97F4A7C15u), muscles_(0) {
    int count = 0;
    for (const size_t muscles : kMuscles) {
      first_.push_back(count);
      count += static_cast<int>(muscles);
    }
    muscles_ = count;
    population_ = std::make_unique<MusclePopulation>(settings.population, count, seed);
    dsp::LimbRules rules;
    rules.adaptive = dsp::DefaultIndexLimits();
    rules.drift = dsp::DriftLimits();
    for (const size_t muscles : kMuscles) {
      limbs_.push_back(*dsp::LimbJudge::Create(rules, muscles, dropouts_));
    }
    before_.resize(static_cast<size_t>(count));
    baseline_uv_.resize(static_cast<size_t>(count), 0);
  }

  CaseOutcome Run() {
    while (minutes_ < settings_.hours * 60) {
      DrawEvents();
      const bool judged = Even() >= settings_.diathermy_rate;
      const std::vector<double> uv = population_->Next(Shares());
      bool again = false;
      if (judged) {
        newest_.push_back(uv);
        if (newest_.size() > static_cast<size_t>(settings_.baseline_trials)) {
          newest_.erase(newest_.begin());
        }
        if (has_baseline_) {
          again = JudgeTrial(uv);
        } else if (newest_.size() == static_cast<size_t>(settings_.baseline_trials)) {
          (void)SetBaselines(dsp::BaselinePlace::kFirst);
          has_baseline_ = true;
        }
      }
      minutes_ += again ? kRepeatMinutes : settings_.trial_minutes * (0.7 + 0.6 * Even());
    }
    outcome_.hours = settings_.hours;
    outcome_.hours_with_alert = static_cast<int>(hours_with_alert_.size());
    outcome_.hours_with_red = static_cast<int>(hours_with_red_.size());
    return outcome_;
  }

 private:
  double Even() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  bool InLoss() const {
    return settings_.loss != Loss::kNone && minutes_ >= settings_.loss_minutes;
  }
  bool IsLosing(size_t limb) const {
    return InLoss() && limb >= kFirstLeg && (limb == kFirstLeg || !settings_.one_leg);
  }

  // What happens between trials to everything.
  void DrawEvents() {
    const double hours = (minutes_ - drawn_minutes_) / 60;
    drawn_minutes_ = minutes_;
    if (Even() < settings_.moves_an_hour * hours) {
      position_ *= std::exp(0.15 * std::normal_distribution<double>(0, 1)(random_));
    }
    const bool in_middle = settings_.rebaseline_in_loss && InLoss() && !tried_in_loss_ &&
                           minutes_ > (settings_.loss_minutes + settings_.hours * 60) / 2;
    const bool due = Even() < settings_.rebaselines_an_hour * hours;
    if (!has_baseline_ || !(due || in_middle)) return;
    tried_in_loss_ = tried_in_loss_ || in_middle;
    const bool all_set = SetBaselines(dsp::BaselinePlace::kCurrent);
    outcome_.rebaseline_refused = outcome_.rebaseline_refused || (in_middle && !all_set);
  }

  double FadePercent(size_t limb, double minutes) const {
    if (!settings_.fade) return 100;
    const auto region = limb < kFirstLeg ? dsp::FadeRegion::kHand : dsp::FadeRegion::kFoot;
    return dsp::FadeAt(region, minutes / 60).percent;
  }

  std::vector<double> Shares() const {
    std::vector<double> shares;
    for (size_t limb = 0; limb < kMuscles.size(); ++limb) {
      double share = position_ * FadePercent(limb, minutes_) / 100;
      if (IsLosing(limb)) {
        const double since = minutes_ - settings_.loss_minutes;
        share *= settings_.loss == Loss::kAbrupt
                     ? settings_.loss_share
                     : std::max(1 - settings_.loss_percent_a_minute / 100 * since, 1e-4);
      }
      shares.insert(shares.end(), kMuscles[limb], share);
    }
    return shares;
  }

  // Whether no limb refused.
  bool SetBaselines(dsp::BaselinePlace place) {
    bool all_set = true;
    if (place == dsp::BaselinePlace::kFirst) baseline_minutes_ = minutes_;
    for (size_t limb = 0; limb < kMuscles.size(); ++limb) {
      for (size_t i = 0; i < kMuscles[limb]; ++i) {
        const size_t muscle = static_cast<size_t>(first_[limb]) + i;
        std::vector<dsp::MotorBaselineTrial> trials;
        for (const std::vector<double>& uv : newest_) {
          const bool present = uv[muscle] >= kVisibleUv;
          trials.push_back({present, present ? uv[muscle] : 0, 0});
        }
        const auto baseline = dsp::MakeMotorBaseline(trials, kHiddenUv);
        if (!baseline.ok()) continue;
        const absl::Status set = limbs_[limb]->SetBaseline(i, place, *baseline);
        all_set = all_set && set.code() != absl::StatusCode::kFailedPrecondition;
        if (!set.ok()) continue;
        const bool monitorable = baseline->monitorability == dsp::Monitorability::kMonitorable;
        if (place == dsp::BaselinePlace::kFirst && monitorable)
          baseline_uv_[muscle] = baseline->amplitude_uv;
      }
    }
    return all_set;
  }

  bool JudgeTrial(const std::vector<double>& uv) {
    bool again = false;
    if (InLoss()) ++loss_trials_;
    const auto lost_of = [](const double one) { return one < kVisibleUv; };
    const auto lost_in_all = static_cast<size_t>(std::count_if(uv.begin(), uv.end(), lost_of));
    for (size_t limb = 0; limb < limbs_.size(); ++limb) {
      dsp::LimbTrial trial;
      trial.time_ns = static_cast<std::int64_t>(minutes_ * 60e9);
      trial.expected_percent =
          100 * FadePercent(limb, minutes_) / FadePercent(limb, baseline_minutes_);
      size_t lost_here = 0;
      for (size_t i = 0; i < kMuscles[limb]; ++i) {
        const double one = uv[static_cast<size_t>(first_[limb]) + i];
        const bool lost = lost_of(one);
        lost_here += lost ? 1 : 0;
        trial.muscles.push_back({lost ? dsp::MuscleState::kLost : dsp::MuscleState::kPresent,
                                 lost ? kHiddenUv : one, true});
      }
      trial.lost_elsewhere = lost_in_all - lost_here;
      const AlertLevel was = limbs_[limb]->level();
      if (IsLosing(limb) && loss_trials_ == 1 && was > AlertLevel::kNormal) outcome_.was_on = true;
      const dsp::LimbJudgement judgement = limbs_[limb]->Judge(trial);
      again = again || judgement.asks_for_repeat;
      Count(was, judgement);
      CountRedMet(limb, trial, judgement);
      if (IsLosing(limb)) NoteLoss(was, judgement);
    }
    return again;
  }

  static std::string WhyOf(const dsp::LimbJudgement& judgement) {
    if (judgement.absolute < judgement.level) {
      return judgement.adaptive.level == judgement.level ? "adaptive" : "drift";
    }
    const bool by_loss = std::any_of(
        judgement.muscles.begin(), judgement.muscles.end(),
        [&](const auto& muscle) { return muscle.level == judgement.absolute && muscle.by_loss; });
    return by_loss ? "loss" : "absolute";
  }

  void Count(AlertLevel was, const dsp::LimbJudgement& judgement) {
    if (judgement.adaptive.level == AlertLevel::kRed) outcome_.adaptive_red = true;
    if (judgement.level <= was) return;
    const int hour = static_cast<int>(minutes_ / 60);
    hours_with_alert_.insert(hour);
    if (judgement.level == AlertLevel::kRed) hours_with_red_.insert(hour);
    if (was == AlertLevel::kNormal) {
      ++outcome_.ambers;
      ++outcome_.why["amber " + WhyOf(judgement)];
    }
    if (judgement.level == AlertLevel::kRed) {
      ++outcome_.reds;
      ++outcome_.why["red " + WhyOf(judgement)];
    }
  }

  // The limit of the criteria file as it is written, of muscles that are monitorable.
  void CountRedMet(size_t limb, const dsp::LimbTrial& trial, const dsp::LimbJudgement& judgement) {
    for (size_t i = 0; i < kMuscles[limb]; ++i) {
      const size_t muscle = static_cast<size_t>(first_[limb]) + i;
      if (baseline_uv_[muscle] == 0) continue;
      const dsp::MuscleTrial& one = trial.muscles[i];
      const bool met = one.state == dsp::MuscleState::kLost ||
                       100 * (1 - one.amplitude_uv / baseline_uv_[muscle]) >= kRedFallPercent;
      if (met && before_[muscle]) {
        ++outcome_.red_met;
        if (judgement.level > AlertLevel::kNormal) ++outcome_.red_met_told;
      }
      before_[muscle] = met;
    }
  }

  void NoteLoss(AlertLevel was, const dsp::LimbJudgement& judgement) {
    if (judgement.level > was && outcome_.trials_to_alert == 0) {
      outcome_.trials_to_alert = loss_trials_;
      outcome_.minutes_to_alert = minutes_ - settings_.loss_minutes;
    }
    if (judgement.level > was && judgement.level == AlertLevel::kRed &&
        outcome_.trials_to_red == 0) {
      outcome_.trials_to_red = loss_trials_;
    }
    if (judgement.drift.transition == dsp::AlertTransition::kRaised &&
        outcome_.minutes_to_drift == 0) {
      outcome_.minutes_to_drift = std::max(minutes_ - settings_.loss_minutes, 0.1);
    }
    // By then it is the loss's alert, not one from before.
    const bool is_its_own = loss_trials_ > 2;
    if (is_its_own && was > AlertLevel::kNormal && judgement.level == AlertLevel::kNormal) {
      outcome_.cleared_itself = true;
    }
  }

  const CaseSettings settings_;
  std::mt19937_64 random_;
  int muscles_;
  std::vector<int> first_;
  std::unique_ptr<MusclePopulation> population_;
  dsp::DropoutMemory dropouts_;
  std::vector<std::unique_ptr<dsp::LimbJudge>> limbs_;
  std::vector<std::vector<double>> newest_;  // trials that a baseline would be made of
  std::vector<bool> before_;                 // past the red limit in the trial before
  std::vector<double> baseline_uv_;          // 0: not monitorable
  CaseOutcome outcome_;
  double minutes_ = 0;
  double drawn_minutes_ = 0;
  double baseline_minutes_ = 0;
  std::set<int> hours_with_alert_;
  std::set<int> hours_with_red_;
  double position_ = 1;
  bool has_baseline_ = false;
  bool tried_in_loss_ = false;
  int loss_trials_ = 0;
};

}  // namespace

CaseOutcome RunCase(const CaseSettings& settings, std::uint64_t seed) {
  return Case(settings, seed).Run();
}

}  // namespace remora::surveillance
