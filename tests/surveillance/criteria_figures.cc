#include "tests/surveillance/criteria_figures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace remora::surveillance {
namespace {

// Of a loss that was never told.
constexpr double kNever = 1e9;

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(std::lround(share * last))];
}

double ShareUpTo(const std::vector<double>& values, double most) {
  if (values.empty()) return 0;
  const auto within =
      std::count_if(values.begin(), values.end(), [&](double value) { return value <= most; });
  return static_cast<double>(within) / static_cast<double>(values.size());
}

CaseSettings Uneventful() { return CaseSettings(); }

CaseSettings WithLoss(double cv, double share) {
  CaseSettings settings;
  settings.population.least_cv = cv - 0.05;
  settings.population.most_cv = cv + 0.05;
  settings.loss = Loss::kAbrupt;
  settings.loss_share = share;
  settings.hours = 5;
  return settings;
}

CaseSettings WithSlowLoss(double cv, double trial_minutes) {
  CaseSettings settings = WithLoss(cv, 1);
  settings.loss = Loss::kSlow;
  settings.trial_minutes = trial_minutes;
  settings.loss_minutes = 150;
  settings.hours = 4;
  return settings;
}

std::string Minutes(double minutes) {
  return minutes >= kNever ? "never" : absl::StrFormat("%.0f", minutes);
}

}  // namespace

CriteriaFigures Measure(const std::string& situation, const CaseSettings& settings, int cases,
                        std::uint64_t seed) {
  CriteriaFigures figures;
  figures.situation = situation;
  figures.cases = cases;
  figures.has_loss = settings.loss != Loss::kNone;
  std::vector<double> trials;
  std::vector<double> minutes;
  std::vector<double> reds_after;
  std::vector<double> drift;
  double hours_with_alert = 0;
  double hours_with_red = 0;
  double ambers = 0;
  double reds = 0;
  for (int i = 0; i < cases; ++i) {
    const CaseOutcome outcome = RunCase(settings, seed + static_cast<std::uint64_t>(i));
    figures.hours += outcome.hours;
    ambers += outcome.ambers;
    reds += outcome.reds;
    figures.cases_with_adaptive_red += outcome.adaptive_red ? 1 : 0;
    hours_with_alert += outcome.hours_with_alert;
    hours_with_red += outcome.hours_with_red;
    if (outcome.was_on) {
      ++figures.was_on;
    } else {
      const bool told = outcome.trials_to_alert > 0;
      trials.push_back(told ? outcome.trials_to_alert : kNever);
      reds_after.push_back(outcome.trials_to_red > 0 ? outcome.trials_to_red : kNever);
      minutes.push_back(told ? outcome.minutes_to_alert : kNever);
      drift.push_back(outcome.minutes_to_drift > 0 ? outcome.minutes_to_drift : kNever);
    }
    figures.red_met += outcome.red_met;
    figures.red_met_told += outcome.red_met_told;
    figures.cleared_themselves += outcome.cleared_itself ? 1 : 0;
  }
  figures.ambers_an_hour = ambers / figures.hours;
  figures.reds_in_ten_hours = 10 * reds / figures.hours;
  figures.quiet_hours = 1 - hours_with_alert / figures.hours;
  figures.hours_without_red = 1 - hours_with_red / figures.hours;
  figures.alert_in_two_trials = ShareUpTo(trials, 2);
  figures.red_in_two_trials = ShareUpTo(reds_after, 2);
  figures.drift_before_half = ShareUpTo(drift, 50 / settings.loss_percent_a_minute);
  figures.median_trials = Quantile(trials, 0.5);
  figures.p95_trials = Quantile(trials, 0.95);
  figures.median_minutes = Quantile(minutes, 0.5);
  figures.p95_minutes = Quantile(minutes, 0.95);
  figures.median_drift_minutes = Quantile(drift, 0.5);
  return figures;
}

std::vector<CriteriaFigures> MeasureAll(int cases, std::uint64_t seed) {
  std::vector<CriteriaFigures> all;
  const auto add = [&](const std::string& situation, const CaseSettings& settings) {
    all.push_back(Measure(situation, settings, cases, seed));
    seed += 1'000'000;
  };
  add("nothing happens, CV 0.3 to 0.9", Uneventful());
  CaseSettings settings = Uneventful();
  settings.population.most_cv = 0.5;
  add("nothing happens, CV 0.3 to 0.5", settings);
  settings = Uneventful();
  settings.population.dropout_rate = 0;
  add("nothing happens, no dropouts", settings);
  settings = Uneventful();
  settings.fade = true;
  add("fade to 63 % in 6 h", settings);
  for (const double cv : {0.35, 0.5, 0.7}) {
    for (const double share : {0.4, 0.2, 0.05}) {
      add(absl::StrFormat("both legs fall to %.0f %%, CV %.2f", 100 * share, cv),
          WithLoss(cv, share));
    }
  }
  settings = WithLoss(0.4, 0.1);
  settings.one_leg = true;
  add("one leg falls to 10 %, CV 0.40", settings);
  settings = WithLoss(0.4, 0.4);
  settings.fade = true;
  add("both legs fall to 40 % within the fade, CV 0.40", settings);
  for (const double trial_minutes : {3.0, 5.0}) {
    for (const double cv : {0.3, 0.5}) {
      add(absl::StrFormat("1 %% a minute, a trial in %.0f min, CV %.2f", trial_minutes, cv),
          WithSlowLoss(cv, trial_minutes));
    }
  }
  return all;
}

std::string TableOf(const std::vector<CriteriaFigures>& all) {
  std::string table =
      "| nothing lost | cases | hours | alerts an hour | red in 10 h | hours without an alert "
      "(specificity) | hours without a red one | cases with an adaptive red |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const CriteriaFigures& one : all) {
    if (one.has_loss) continue;
    absl::StrAppend(&table,
                    absl::StrFormat("| %s | %d | %.0f | %.2f | %.2f | %.0f %% | %.0f %% | %d |\n",
                                    one.situation, one.cases, one.hours, one.ambers_an_hour,
                                    one.reds_in_ten_hours, 100 * one.quiet_hours,
                                    100 * one.hours_without_red, one.cases_with_adaptive_red));
  }
  absl::StrAppend(&table,
                  "\n| lost | alert on before | alert within two trials (sensitivity) | red within "
                  "two trials | "
                  "trials to the alert, p50 / p95 | minutes, p50 / p95 | drift told before half is "
                  "gone, p50 min | red limit passed twice in a row, told |\n"
                  "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (const CriteriaFigures& one : all) {
    if (!one.has_loss) continue;
    const bool slow = one.situation.find("a minute") != std::string::npos;
    const std::string drift = slow ? absl::StrFormat("%.0f %%, %s", 100 * one.drift_before_half,
                                                     Minutes(one.median_drift_minutes))
                                   : "";
    absl::StrAppend(&table, "| ", one.situation, " | ", one.was_on, " of ", one.cases, " | ",
                    absl::StrFormat("%.0f %%", 100 * one.alert_in_two_trials), " | ",
                    absl::StrFormat("%.0f %%", 100 * one.red_in_two_trials), " | ",
                    Minutes(one.median_trials), " / ", Minutes(one.p95_trials), " | ",
                    Minutes(one.median_minutes), " / ", Minutes(one.p95_minutes), " | ", drift,
                    " | ", one.red_met_told, " of ", one.red_met, " |\n");
  }
  return table;
}

}  // namespace remora::surveillance
