#include "hub/participants/hub_core.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/hub_time.h"
#include "hub/arrival_set.h"
#include "hub/participants/session_context.h"
#include "hub/participants/session_impl.h"
#include "hub/participants/session_limits.h"
#include "hub/rooms/directory.h"
#include "hub/rooms/limits.h"
#include "hub/rooms/retention.h"

namespace remora::hub {

struct HubCore::Impl final : public SessionKeeper {
  explicit Impl(HubCoreParts given) : parts(std::move(given)) {}
  ~Impl() override {
    *alive = false;
    REMORA_CHECK(sessions.empty(), "sessions must be destroyed before the core");
  }

  void OnSessionDirty(SessionImpl* session) override {
    dirty.Insert(session);
    ScheduleDrain();
  }
  void OnSessionGone(SessionImpl* session) override {
    sessions.Erase(session);
    dirty.Erase(session);
    parts.metrics->Gauge(metric::kSessions, static_cast<double>(sessions.size()));
  }

  // The loop calls EndOfDrain after input; a commit or a timer has none, so it is asked for.
  void ScheduleDrain() {
    if (drain_scheduled || parts.loop_ends_drains) return;
    drain_scheduled = true;
    parts.executor->Post([this, still = alive] {
      if (*still) EndOfDrain();
    });
  }

  void EndOfDrain() {
    drain_scheduled = false;
    directory->EndOfDrain();
    const std::vector<SessionImpl*> waking = dirty.Take();
    for (SessionImpl* session : waking) {
      // A transport may end a session while another is announced.
      if (sessions.Contains(session)) session->AnnounceWrites();
    }
  }

  void Tick() {
    directory->Tick();
    if (retention != nullptr && !services.draining) retention->Tick();
    double queued_bytes = 0;
    double follows = 0;
    const std::vector<SessionImpl*> ticked = sessions.in_order();
    for (SessionImpl* session : ticked) {
      if (!sessions.Contains(session)) continue;
      session->Tick();
      if (!sessions.Contains(session)) continue;
      queued_bytes += static_cast<double>(session->queued_bytes());
      follows += static_cast<double>(session->follow_count());
    }
    parts.metrics->Gauge(metric::kFollowQueueBytes, queued_bytes);
    parts.metrics->Gauge(metric::kFollows, follows);
    EndOfDrain();
    ScheduleTick();
  }

  void ScheduleTick() {
    parts.executor->PostAfter(kTickInterval, [this, still = alive] {
      if (*still) Tick();
    });
  }

  const HubCoreParts parts;
  std::unique_ptr<HubTimeSource> hub_time;
  SigningTurns signing_turns;
  std::unique_ptr<Directory> directory;
  std::unique_ptr<Retention> retention;
  HubServices services;
  ArrivalSet<SessionImpl> sessions;
  ArrivalSet<SessionImpl> dirty;
  bool drain_scheduled = false;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

namespace {

std::vector<v1::RecordKey> RecordKeysOf(const HubCoreParts& parts) {
  std::vector<v1::RecordKey> keys;
  const auto add = [&keys](const std::string& public_key) {
    v1::RecordKey& key = keys.emplace_back();
    key.set_key_id(KeyIdOf(public_key));
    key.set_public_key(public_key);
  };
  if (parts.signer != nullptr) add(parts.signer->public_key());
  for (const std::string& retired : parts.retired_record_keys) add(retired);
  return keys;
}

// Of all that the journal has, or had.
absl::StatusOr<HubTime> NewestTime(const std::vector<ListedCase>& cases, Journal& journal) {
  int64_t newest_unix_ns = 0;
  for (const CaseHead& head : cases) {
    newest_unix_ns = std::max(newest_unix_ns, head.last_recorded_unix_ns);
  }
  const absl::StatusOr<PurgeCount> purges = journal.CountPurges();
  if (!purges.ok()) return purges.status();
  return HubTime::FromNanoseconds(std::max(newest_unix_ns, purges->newest_unix_ns));
}

}  // namespace

HubCore::HubCore(HubCoreParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
HubCore::~HubCore() = default;

absl::Status HubCore::Start() {
  Impl& impl = *impl_;
  absl::StatusOr<std::vector<ListedCase>> cases = impl.parts.journal->ListCases();
  if (!cases.ok()) return cases.status();
  const absl::StatusOr<HubTime> newest = NewestTime(*cases, *impl.parts.journal);
  if (!newest.ok()) return newest.status();
  impl.hub_time = std::make_unique<HubTimeSource>(*impl.parts.clock, *newest);
  const Duration utc_behind = Duration() - impl.hub_time->BehindUtc();
  if (utc_behind > kFarAheadOfUtc && impl.parts.on_utc_behind) {
    impl.parts.on_utc_behind(utc_behind);
  }
  RoomParts room_parts;
  room_parts.journal = impl.parts.journal;
  room_parts.executor = impl.parts.executor;
  room_parts.clock = impl.parts.clock;
  room_parts.hub_time = impl.hub_time.get();
  room_parts.metrics = impl.parts.metrics;
  room_parts.hub = {OriginId::Draw(*impl.parts.random), impl.parts.clock};
  room_parts.signer = impl.parts.signer;
  room_parts.turns = &impl.signing_turns;
  impl.directory = std::make_unique<Directory>(
      room_parts, [raw = &impl] { raw->ScheduleDrain(); }, impl.parts.on_damaged_case);
  impl.services = {impl.parts.clock,
                   impl.parts.executor,
                   impl.hub_time.get(),
                   impl.parts.metrics,
                   impl.directory.get(),
                   impl.parts.software,
                   impl.parts.random->Uint64(),
                   false,
                   0,
                   RecordKeysOf(impl.parts)};
  if (impl.parts.archive != nullptr) {
    impl.retention = std::make_unique<Retention>(Retention::Parts{
        impl.directory.get(), impl.parts.journal, impl.parts.archive, impl.parts.clock,
        impl.parts.clock_sync, impl.hub_time.get(), impl.parts.metrics, impl.parts.keep_closed,
        impl.parts.keep_incomplete, impl.parts.on_retention});
  }
  absl::Status status = impl.directory->Start(*cases);
  if (status.ok()) impl.ScheduleTick();
  return status;
}

bool HubCore::restored() const { return impl_->directory->restored(); }

std::unique_ptr<Session> HubCore::Open(const Identity& identity, Peer* peer) {
  auto session =
      std::make_unique<SessionImpl>(identity, peer, impl_->services, *impl_->parts.journal, *impl_);
  impl_->sessions.Insert(session.get());
  impl_->parts.metrics->Gauge(metric::kSessions, static_cast<double>(impl_->sessions.size()));
  return session;
}

void HubCore::EndOfDrain() { impl_->EndOfDrain(); }

void HubCore::StartDraining() { impl_->services.draining = true; }

void HubCore::FlushRooms() { impl_->directory->EndOfDrain(); }

}  // namespace remora::hub
