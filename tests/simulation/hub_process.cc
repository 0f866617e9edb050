#include "tests/simulation/hub_process.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "hub/archive/record_archive.h"
#include "hub/fanout/limits.h"
#include "hub/rooms/limits.h"

namespace remora::simulation {
namespace {

RecordSigner::Seed SeedOf(uint64_t seed) {
  RecordSigner::Seed bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(Mix(seed, i));
  return bytes;
}

// A defect that the checkers must find: it says that it keeps what it does not.
class ForgetfulArchive final : public hub::CaseArchive {
 public:
  explicit ForgetfulArchive(Executor& hub) : hub_(hub) {}
  void Keep(const hub::CaseHead& head, Done done) override {
    hub_.Post([name = head.case_id.Hex(), done = std::move(done)] {
      done(hub::ArchivedCase{name, 0, {}});
    });
  }

 private:
  Executor& hub_;
};

}  // namespace

HubProcess::HubProcess(Context& context, const SimulatedClock::Plan& clock,
                       const SimulatedJournal::Plan& journal, uint64_t seed)
    : context_(context),
      process_(context.loop, 1, "hub", clock),
      seed_(seed),
      random_(MakeSeededRandom(Mix(seed, 101))),
      disk_random_(MakeSeededRandom(Mix(seed, 102))),
      archive_random_(MakeSeededRandom(Mix(seed, 103))),
      signer_(SeedOf(seed)),
      journal_(process_, *disk_random_, context.oracle, context.counters, journal) {}

HubProcess::~HubProcess() {
  if (is_up()) Crash(/*silently=*/true, /*back_to_backup=*/false);
}

void HubProcess::Start() {
  hub::HubCoreParts parts;
  parts.journal = &journal_;
  parts.clock = &process_.clock();
  parts.executor = &process_;
  parts.random = random_.get();
  parts.metrics = &metrics_;
  parts.software = "remora-hub simulated";
  parts.signer = &signer_;
  parts.on_damaged_case = [this](const CaseId& case_id, const absl::Status& status) {
    context_.fail(absl::StrCat("case ", case_id.Hex().substr(0, 6),
                               " cannot be restored: ", std::string(status.message())));
  };
  OpenArchive();
  if (archive_ != nullptr) {
    parts.archive = archive_.get();
    parts.keep_closed = *keep_closed_;
    parts.keep_incomplete = *keep_closed_;
    parts.on_retention = [this](const CaseId&, const absl::StatusOr<hub::PurgedCase>& outcome) {
      context_.counters.Count(outcome.ok() ? "case purged" : "case not purged for now");
      if (!outcome.ok()) context_.Log("not purged: " + std::string(outcome.status().message()));
    };
  }
  core_ = std::make_unique<hub::HubCore>(std::move(parts));
  const absl::Status status = core_->Start();
  if (!status.ok()) context_.fail(absl::StrCat("the hub does not start: ", status.message()));
  ++starts_;
  started_at_ = context_.loop.now();
  context_.Log(absl::StrCat("hub starts, ", starts_));
}

void HubProcess::OpenArchive() {
  if (!keep_closed_) return;
  if (context_.planted == Planted::kUnkeptArchive) {
    archive_ = std::make_unique<ForgetfulArchive>(process_);
    return;
  }
  archive_ = std::make_unique<hub::RecordArchive>(
      hub::RecordArchive::Parts{{&files_, archive_random_.get(), "/archive", "/journal.archive-id"},
                                &journal_,
                                &process_,
                                &process_,
                                {signer_.public_key()}});
}

void HubProcess::Crash(bool silently, bool back_to_backup) {
  context_.Log(absl::StrCat("hub dies", silently ? " with its machine" : "",
                            back_to_backup ? ", its disk goes back to the backup" : ""));
  for (const auto& weak : connections_) {
    if (const auto connection = weak.lock()) connection->HubDied(silently);
  }
  connections_.clear();
  core_.reset();
  process_.Kill();
  archive_.reset();
  if (silently) files_.SimulatePowerCut(Mix(seed_, 200 + starts_));
  drain_posted_ = false;
  metrics_.Clear();
  journal_.OnHubDied();
  if (back_to_backup) journal_.GoBack();
}

Duration HubProcess::runs_since() const { return std::max(started_at_, process_.resumed_at()); }

void HubProcess::OnInput() {
  if (drain_posted_ || core_ == nullptr) return;
  drain_posted_ = true;
  process_.Post([this] {
    drain_posted_ = false;
    core_->EndOfDrain();
  });
}

void HubProcess::OnConnection(std::shared_ptr<Connection> connection) {
  std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  connections_.push_back(connection);
}

void HubProcess::CheckBounds() {
  if (core_ == nullptr) return;
  const double queued_limit =
      static_cast<double>(hub::kMaxQueuedMeasurementBytes + hub::kMaxQueuedSweepBytes +
                          hub::kMaxQueuedEnvelopeBytes + hub::kMaxQueuedBlockBytes +
                          4 * kMaxRecordBytes) *
      metrics_.Get(hub::metric::kFollows);
  if (metrics_.Get(hub::metric::kFollowQueueBytes) > queued_limit) {
    context_.fail("followers' queues are over their limits");
  }
  const double uncommitted_limit =
      static_cast<double>(hub::kMaxUncommittedBytes + kMaxMessageBytes) *
      static_cast<double>(context_.oracle.cases().size());
  if (metrics_.Get(hub::metric::kUncommittedBytes) > uncommitted_limit) {
    context_.fail("more is uncommitted than may be");
  }
  for (const auto& weak : connections_) {
    const auto connection = weak.lock();
    if (connection != nullptr && connection->is_overfull()) {
      context_.fail("the transport queues for a reader that takes nothing");
    }
  }
}

}  // namespace remora::simulation
