// The table of docs/surveillance-performance.md: how often alarms come where nothing happens, and
// how soon where something does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/surveillance/monitored_case.h"

namespace remora::surveillance {

// All that a set of cases with the same settings came to.
struct CriteriaFigures {
  std::string situation;
  int cases = 0;
  double hours = 0;
  double ambers_an_hour = 0;
  double reds_in_ten_hours = 0;
  // Share of the hours in which no alert, and no red one, was raised.
  double quiet_hours = 0;
  double hours_without_red = 0;
  int cases_with_adaptive_red = 0;
  // Of the loss, in the cases in which no leg that was to lose had an alert before: share of them
  // with an alert, and with a red one, within two trials.
  bool has_loss = false;
  int was_on = 0;  // cases that are left out for it
  double alert_in_two_trials = 0;
  double red_in_two_trials = 0;
  double median_trials = 0;  // to the alert
  double p95_trials = 0;
  double median_minutes = 0;
  double p95_minutes = 0;
  double drift_before_half = 0;
  double median_drift_minutes = 0;
  int red_met = 0;
  int red_met_told = 0;
  int cleared_themselves = 0;
};

// `seed` is that of the first case; the next has the next.
CriteriaFigures Measure(const std::string& situation, const CaseSettings& settings, int cases,
                        std::uint64_t seed);

// Every situation of the report.
std::vector<CriteriaFigures> MeasureAll(int cases, std::uint64_t seed);

// Two tables in Markdown: without a loss, and with one.
std::string TableOf(const std::vector<CriteriaFigures>& all);

}  // namespace remora::surveillance
