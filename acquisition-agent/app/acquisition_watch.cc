#include "acquisition-agent/app/acquisition_watch.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/spooled_past.h"
#include "acquisition-agent/surveillance/technical_watch.h"

namespace remora::agent {
namespace {

constexpr char kSubject[] = "acquisition";
constexpr size_t kNamedChannels = 6;
constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

v1::Alert StillAlert(const std::string& summary, v1::AlertPriority priority) {
  v1::Alert alert = TechnicalAlert(kSubject, summary);
  alert.set_kind(v1::ALERT_KIND_STALE);
  alert.set_priority(priority);
  return alert;
}

}  // namespace

AcquisitionWatch::AcquisitionWatch(const SourceInfo& source)
    : source_(source), end_ns_(source.rate_groups.size(), kNever) {}

void AcquisitionWatch::Restore(const CasePast& past) {
  const CasePast::Alert* alert = LastAlertOf(past, kSubject);
  if (alert == nullptr) return;
  slot_.Restore(*alert);
  if (!slot_.is_on()) return;
  silent_since_ns_ = alert->last.onset_monotonic_ns();
  // Whoever comes back is not told anew of what was told.
  told_groups_ = end_ns_.size();
  level_ = alert->last.priority() == v1::ALERT_PRIORITY_HIGH     ? Level::kUnwatched
           : alert->last.priority() == v1::ALERT_PRIORITY_MEDIUM ? Level::kLong
                                                                 : Level::kStill;
}

void AcquisitionWatch::OnItem(const Item& item) {
  const auto* block = std::get_if<SampleBlock>(&item);
  if (block == nullptr) return;
  silent_since_ns_.reset();
  int64_t& end_ns = end_ns_[block->rate_group];
  end_ns = std::max(end_ns, block->end_time_ns);
}

std::vector<size_t> AcquisitionWatch::Still(int64_t now_ns, int64_t* longest_ns) const {
  std::vector<size_t> still;
  *longest_ns = 0;
  for (size_t group = 0; group < end_ns_.size(); ++group) {
    const int64_t age_ns = now_ns - std::max(end_ns_[group], *since_ns_);
    *longest_ns = std::max(*longest_ns, age_ns);
    if (age_ns >= kAcquisitionStill.nanoseconds()) still.push_back(group);
  }
  return still;
}

std::string AcquisitionWatch::NameChannels(const std::vector<size_t>& groups) const {
  if (groups.size() == end_ns_.size()) return "any channel";
  std::string names;
  size_t count = 0;
  for (const size_t group : groups) {
    for (const int channel : source_.rate_groups[group].channels) {
      if (count++ >= kNamedChannels) continue;
      absl::StrAppend(&names, count == 1 ? "" : ", ", source_.channels[channel].label);
    }
  }
  if (count > kNamedChannels) absl::StrAppend(&names, " and ", count - kNamedChannels, " more");
  return names;
}

bool AcquisitionWatch::Look(int64_t now_ns, RecordSink& sink) {
  if (!since_ns_) since_ns_ = now_ns;
  int64_t longest_ns = 0;
  const std::vector<size_t> still = Still(now_ns, &longest_ns);
  if (still.empty()) {
    if (!slot_.is_on()) return false;
    if (longest_ns > kAcquisitionPause.nanoseconds()) flowing_since_ns_.reset();
    if (!flowing_since_ns_) flowing_since_ns_ = now_ns;
    const int64_t all_until_ns = *std::min_element(end_ns_.begin(), end_ns_.end());
    if (all_until_ns < *flowing_since_ns_ + kAcquisitionFlows.nanoseconds()) return false;
    level_ = Level::kFlowing;
    told_groups_ = 0;
    slot_.Recover(StillAlert("Samples of all channels come again", v1::ALERT_PRIORITY_LOW), now_ns,
                  sink);
    return true;
  }
  flowing_since_ns_.reset();
  // An agent that is started again and again is to come to the last level, too.
  if (silent_since_ns_ && *silent_since_ns_ >= 0 && *silent_since_ns_ < now_ns) {
    longest_ns = std::max(longest_ns, now_ns - *silent_since_ns_);
  }
  const Level level = longest_ns >= kAcquisitionUnwatched.nanoseconds() ? Level::kUnwatched
                      : longest_ns >= kAcquisitionLong.nanoseconds()    ? Level::kLong
                                                                        : Level::kStill;
  if (slot_.is_on() && level <= level_ && still.size() <= told_groups_) return false;
  // A priority never falls while the condition holds.
  level_ = std::max(level_, level);
  told_groups_ = std::max(told_groups_, still.size());
  const bool all = still.size() == end_ns_.size();
  const std::string text = absl::StrFormat(
      "No samples of %s for %.0f s. %s. Check the amplifier, its computer and its cables",
      NameChannels(still), static_cast<double>(longest_ns) / 1e9,
      all ? "Nothing is monitored" : "What uses them is not monitored");
  constexpr v1::AlertPriority kPriorities[] = {v1::ALERT_PRIORITY_LOW, v1::ALERT_PRIORITY_LOW,
                                               v1::ALERT_PRIORITY_MEDIUM, v1::ALERT_PRIORITY_HIGH};
  slot_.Show(StillAlert(text, kPriorities[static_cast<int>(level_)]), now_ns - longest_ns, now_ns,
             sink);
  return true;
}

void AcquisitionWatch::OnFailure(const std::string& why, int64_t now_ns, RecordSink& sink) {
  level_ = Level::kUnwatched;
  told_groups_ = end_ns_.size();
  slot_.Show(StillAlert(absl::StrCat("The source has failed (", why,
                                     "). Nothing is monitored until the agent is started again"),
                        v1::ALERT_PRIORITY_HIGH),
             now_ns, now_ns, sink);
}

}  // namespace remora::agent
