#include "acquisition-agent/sources/feed/feed_source.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/sources/feed/description.h"
#include "common/status_macros.h"

namespace remora::agent::feed {
namespace {

// So often opening looks whether its time is over.
constexpr Duration kOpeningLook = Duration::Milliseconds(100);

}  // namespace

FeedSource::FeedSource(std::unique_ptr<Transport> transport, std::shared_ptr<const Clock> clock,
                       const FeedOptions& options)
    : transport_(std::move(transport)),
      clock_(std::move(clock)),
      options_(options),
      opened_(clock_->Now()) {
  for (const std::string& address : transport_->addresses()) devices_.emplace_back(address);
}

absl::StatusOr<std::unique_ptr<FeedSource>> FeedSource::Open(std::unique_ptr<Transport> transport,
                                                             std::shared_ptr<const Clock> clock,
                                                             const FeedOptions& options) {
  std::unique_ptr<FeedSource> source(
      new FeedSource(std::move(transport), std::move(clock), options));
  RETURN_IF_ERROR(source->WaitForDevices());
  source->Fix();
  return source;
}

absl::Status FeedSource::WaitForDevices() {
  const auto all_run = [&] {
    return std::all_of(devices_.begin(), devices_.end(),
                       [](const Device& device) { return device.session.running(); });
  };
  while (!all_run()) {
    const std::optional<Arrival> arrival = transport_->Receive(kOpeningLook);
    if (arrival) Take(*arrival);
    if (all_run()) break;
    if (clock_->Now() - opened_ >= options_.wait) return absl::UnavailableError(WhatIsMissing());
  }
  return absl::OkStatus();
}

std::string FeedSource::WhatIsMissing() const {
  std::string text;
  for (size_t i = 0; i < devices_.size(); ++i) {
    const Device& device = devices_[i];
    if (device.session.running()) continue;
    absl::StrAppend(&text, text.empty() ? "" : "; ", transport_->addresses()[i], ": ");
    if (!device.refused.empty()) {
      absl::StrAppend(&text, "what came is no feed: ", device.refused);
    } else if (device.session.counts().messages > 0) {
      absl::StrAppend(&text, device.session.signals()
                                 ? "it went silent while its clock was learnt"
                                 : "messages came, but none that describes the device (each second "
                                   "one must)");
    } else {
      absl::StrAppend(&text, "nothing came", device.notice.empty() ? "" : ": " + device.notice);
    }
  }
  return absl::StrCat("after ", absl::StrFormat("%.1f s: ", options_.wait.seconds()), text,
                      ". Is the device switched on and its feed started? Try `remora-agent "
                      "feed-check ADDRESS`; wait_s=SECONDS waits longer");
}

void FeedSource::Fix() {
  std::vector<wire::Describe> describes;
  std::vector<MergedDevice> merged;
  int groups = 0;
  for (const Device& device : devices_) {
    const wire::Describe& describe = *device.session.signals();
    describes.push_back(describe);
    merged.push_back({NameOf(describe), groups, describe.rate_groups_size(),
                      describe.rate_groups_size() > 0 || describe.tells_stimuli()});
    groups += describe.rate_groups_size();
  }
  info_ = MakeSourceInfo(describes, options_.name);
  info_.live_zero_ns = opened_.nanoseconds();
  merge_.emplace(std::move(merged));
  for (size_t i = 0; i < devices_.size(); ++i) {
    for (Item& item : std::exchange(devices_[i].early, {})) merge_->Push(i, std::move(item));
    merge_->ToldUntil(i, devices_[i].session.told_until_ns());
  }
}

void FeedSource::Take(const Arrival& arrival) {
  Device& device = devices_[arrival.device];
  if (arrival.frames.empty()) {
    device.notice = arrival.notice;
    if (merge_) merge_->Remark(absl::StrCat(device.session.name(), ": ", arrival.notice));
    return;
  }
  std::vector<Item> items;
  const int64_t arrived_ns = (arrival.arrived - opened_).nanoseconds();
  absl::StatusOr<wire::Envelope> envelope = DecodeMessage(arrival.frames);
  if (envelope.ok()) {
    device.refused.clear();
    device.session.OnMessage(*std::move(envelope), arrived_ns, &items);
  } else {
    device.refused = std::string(envelope.status().message());
    device.session.OnRefused(envelope.status(), arrived_ns, &items);
  }
  for (Item& item : items) NameByCode(&item);
  if (!merge_) return KeepEarly(&device, std::move(items));
  if (device.silent_told && device.session.last_arrived_ns() == arrived_ns) {
    device.silent_told = false;
    merge_->Remark(absl::StrCat(device.session.name(), ": is heard again"));
  }
  for (Item& item : items) merge_->Push(arrival.device, std::move(item));
  merge_->SetSettling(arrival.device, device.session.settling());
  if (device.session.running()) merge_->ToldUntil(arrival.device, device.session.told_until_ns());
}

void FeedSource::NameByCode(Item* item) const {
  auto* trigger = std::get_if<StimulusTrigger>(item);
  if (trigger == nullptr || !trigger->label.empty()) return;
  const auto name = options_.code_labels.find(trigger->code);
  if (name != options_.code_labels.end()) trigger->label = name->second;
}

void FeedSource::KeepEarly(Device* device, std::vector<Item> items) {
  for (Item& item : items) {
    device->early_bytes += FeedMerge::BytesOf(item);
    device->early.push_back(std::move(item));
  }
  // While others are still waited for, only what begins beside them counts.
  while (!device->early.empty() &&
         (device->early_bytes > kMaxEarlyBytes ||
          DueTimeNs(device->early.front()) < DueTimeNs(device->early.back()) - 2 * kSettleNs)) {
    device->early_bytes -= FeedMerge::BytesOf(device->early.front());
    device->early.pop_front();
  }
}

bool FeedSource::TakeArrived() {
  for (int i = 0; i < kMaxTakenAtOnce && !merge_->full(); ++i) {
    const std::optional<Arrival> arrival = transport_->Receive(Duration());
    if (!arrival) return transport_->all_received();
    Take(*arrival);
  }
  return false;
}

void FeedSource::TellSilence() {
  for (Device& device : devices_) {
    const int64_t silent_ns = NowNs() - device.session.last_arrived_ns().value_or(0);
    if (device.silent_told || silent_ns < kSilentNs) continue;
    device.silent_told = true;
    merge_->Remark(absl::StrFormat("%s: nothing was heard for %.1f s", device.session.name(),
                                   static_cast<double>(silent_ns) / 1e9));
  }
}

absl::StatusOr<Item> FeedSource::Next() {
  if (ended_) return EndOfSource();
  const int64_t before_ns = NowNs();
  if (std::optional<Item> item = merge_->Pop(before_ns, /*all=*/false)) return *std::move(item);
  const bool all = TakeArrived();
  if (all) TellSilence();
  const int64_t now_ns = NowNs();
  if (std::optional<Item> item = merge_->Pop(now_ns, all)) return *std::move(item);
  if (options_.run_for && now_ns >= options_.run_for->nanoseconds()) {
    ended_ = true;
    return EndOfSource();
  }
  return NothingYet();
}

}  // namespace remora::agent::feed
