#include "tests/simulation/world.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "remora/v1/room.pb.h"

namespace remora::simulation {
namespace {

constexpr Duration kCheckInterval = Duration::Milliseconds(250);

// Fields with a length: 8 of Down (a clock reply), 7 of Up (a clock probe), 3 (a join).
constexpr char kClockReplyTag = 8 << 3 | 2;
constexpr char kClockProbeTag = 7 << 3 | 2;
constexpr char kJoinTag = 3 << 3 | 2;
constexpr char kFollowTag = 4 << 3 | 2;

}  // namespace

World::World(const RunOptions& options)
    : options_(options),
      plan_(DrawPlan(options.seed, options.planted)),
      loop_(options.seed),
      work_random_(MakeSeededRandom(Mix(options.seed, 7))) {
  oracle_ =
      std::make_unique<Oracle>([this](const std::string& what) { Fail(what); }, plan_.uses_traces);
  context_ = std::make_unique<Context>(loop_, *oracle_, counters_);
  context_->tap = this;
  context_->planted = options.planted;
  context_->fail = [this](const std::string& what) { Fail(what); };
  if (options.log) {
    context_->log = [this](const std::string& what) {
      options_.log(absl::StrFormat("%12.6f  %s", loop_.now().seconds(), what));
    };
  }
  Build();
}

World::~World() {
  // Participants first: their streams tell the hub's connections that they are gone.
  liars_.clear();
  for (const auto& reader : readers_) reader->Crash(/*silently=*/false);
  for (const auto& agent : agents_) agent->Crash(/*loses_power=*/false);
  if (hub_->is_up()) hub_->Crash(/*silently=*/true, /*back_to_backup=*/false);
}

void World::Build() {
  hub_ = std::make_unique<HubProcess>(*context_, plan_.hub_clock, plan_.journal, plan_.seed);
  context_->hub = hub_.get();
  context_->reads_failed = [this] { return hub_->journal().failed_reads() > 0; };
  for (const AgentProcess::Plan& plan : plan_.agents) {
    agents_.push_back(std::make_unique<AgentProcess>(*context_, plan));
    // Of two in one theatre one is refused: whom the hub hears then is its own affair.
    if (!plan_.rival) silences_[&agents_.back()->port()];
  }
  oracle_->set_on_link_state([this](const Oracle::Entry& entry) { CheckLinkState(entry); });
  oracle_->set_on_purged([this](const hub::Tombstone& tombstone) { CheckPurge(tombstone); });
  for (const ReaderProcess::Plan& plan : plan_.readers) {
    readers_.push_back(std::make_unique<ReaderProcess>(*context_, plan));
    silences_[&readers_.back()->port()];
    if (plan.speaks == Speaks::kVersion1) counters_.Count("reader of version 1");
    if (plan.speaks == Speaks::kVersion1ToHub) counters_.Count("reader of a hub of version 1");
  }
  for (const LiarProcess::Plan& plan : plan_.liars) {
    liars_.push_back(std::make_unique<LiarProcess>(*context_, plan));
  }
  for (const AgentProcess::Plan& plan : plan_.agents) {
    if (plan.speaks == Speaks::kVersion1) counters_.Count("agent of version 1");
    if (plan.speaks == Speaks::kVersion1ToHub) counters_.Count("agent of a hub of version 1");
  }
  if (plan_.rival) counters_.Count("two agents in one theatre");
}

void World::Fail(const std::string& what) {
  if (!finding_.empty()) return;
  finding_ = absl::StrFormat("at %.6f s: %s", loop_.now().seconds(), what);
  context_->Log("FINDING " + what);
}

void World::OnUp(const Connection& connection, absl::string_view up) {
  if (up.empty() || up.front() != 0x0a) return;
  const bool version1 = connection.client().speaks() == Speaks::kVersion1ToHub;
  absl::string_view rest = up;
  while (!rest.empty() && rest.front() == 0x0a && TakeFrame(&rest).ok()) {
  }
  const bool backlog = !rest.empty();
  while (!up.empty() && up.front() == 0x0a) {
    const absl::StatusOr<absl::string_view> record = TakeFrame(&up);
    if (!record.ok()) return Fail("a link writes what is no message");
    oracle_->OnWritten(*record, backlog);
  }
  if (!up.empty() && version1) Fail("`backlog` to a hub of version 1");
  if (!up.empty()) counters_.Count("backlog batches");
}

LinkWatch* World::WatchOf(const ClientPort& port, ParticipantLink** link) {
  for (const auto& agent : agents_) {
    if (&agent->port() != &port) continue;
    *link = agent->link();
    return &agent->watch();
  }
  for (const auto& reader : readers_) {
    if (&reader->port() != &port) continue;
    *link = reader->link();
    return &reader->watch();
  }
  return nullptr;
}

void World::OnDown(const Connection& connection, absl::string_view down) {
  // What each participant is given, when and in which order.
  fingerprint_ =
      Mix(fingerprint_, Mix(BytesHash(down) ^ BytesHash(connection.client().identity().name),
                            static_cast<uint64_t>(loop_.now().nanoseconds())));
  if (down.empty()) return Fail("the hub writes an empty message");
  if (down.size() > kMaxMessageBytes) Fail("the hub writes a message over the limit");
  if (down.front() != static_cast<char>(kClockReplyTag)) return;
  v1::Down message;
  if (!message.ParseFromArray(down.data(), static_cast<int>(down.size()))) {
    return Fail("the hub writes what is no message");
  }
  ParticipantLink* link = nullptr;
  LinkWatch* watch = WatchOf(connection.client(), &link);
  if (watch == nullptr || link == nullptr || link->state() != LinkState::kLive) return;
  const v1::ClockReply& reply = message.clock_reply();
  const auto probed = probed_at_.find({&connection.client(), reply.sent_monotonic_ns()});
  if (probed == probed_at_.end()) return;
  watch->CheckHubTime(*link, probed->second, reply.received_unix_ns());
  probed_at_.erase(probed);
}

void World::OnClientRead(const Connection& connection) {
  ParticipantLink* link = nullptr;
  if (LinkWatch* watch = WatchOf(connection.client(), &link); watch != nullptr) watch->OnHeard();
}

void World::OnHubRead(const Connection& connection, absl::string_view up) {
  if (const auto it = silences_.find(&connection.client()); it != silences_.end() && !up.empty()) {
    const bool agent = connection.client().identity().role == v1::ROLE_AGENT;
    if (!agent && up.front() == kJoinTag) it->second.OnArrival(connection.number(), loop_.now());
    it->second.OnRead(connection.number(), up.front() == (agent ? kJoinTag : kFollowTag),
                      loop_.now());
  }
  if (up.empty() || up.front() != kClockProbeTag) return;
  v1::Up message;
  if (!message.ParseFromArray(up.data(), static_cast<int>(up.size()))) return;
  ParticipantLink* link = nullptr;
  const LinkWatch* watch = WatchOf(connection.client(), &link);
  if (watch == nullptr) return;
  probed_at_[{&connection.client(), message.clock_probe().sent_monotonic_ns()}] =
      watch->process().clock().Now();
}

void World::RunTo(Duration end) {
  while (Ok() && loop_.now() < end) {
    const Duration next = std::min(end, loop_.now() + kCheckInterval);
    while (Ok() && loop_.RunNext(next)) {
      if (loop_.events() > kMaxEvents) Fail("it does not come to rest: a busy loop");
    }
    CheckNow();
  }
}

void World::CheckNow() {
  hub_->CheckBounds();
  for (const auto& agent : agents_) {
    if (agent->is_up()) agent->watch().Check(*agent->link());
  }
  for (const auto& reader : readers_) {
    if (reader->is_up()) reader->watch().Check(*reader->link());
  }
}

Report World::Run() {
  hub_->Start();
  for (size_t i = 0; i < agents_.size(); ++i) {
    agents_[i]->process().Post([this, i] { agents_[i]->Start(); });
    WorkOf(i);
  }
  for (const auto& reader : readers_) {
    reader->process().PostAfter(Duration::Milliseconds(work_random_->Below(3000)),
                                [reader = reader.get()] { reader->Start(); });
  }
  for (const auto& liar : liars_) liar->Start();
  Talk();
  for (size_t i = 0; i < agents_.size(); ++i) {
    const AgentWork& work = plan_.work[i];
    if (!work.closes || work.closes_at == Duration()) continue;
    loop_.At(work.closes_at,
             [agent = agents_[i].get()] { agent->process().Post([agent] { agent->Close(); }); });
  }
  for (const Fault& fault : plan_.faults) {
    loop_.At(fault.at, [this, &fault] { Hit(fault); });
  }
  RunTo(plan_.active);
  Settle();
  if (Ok()) CheckEnd();
  if (Ok()) CountEnds();
  if (Ok()) Aftermath();
  Finish();
  Report report;
  report.seed = options_.seed;
  report.finding = finding_;
  report.counters = counters_;
  report.events = loop_.events();
  report.fingerprint = fingerprint_;
  report.virtual_time = loop_.now();
  return report;
}

void World::Settle() {
  working_ = false;
  EndFaults();
  for (const auto& liar : liars_) liar->Stop();
  if (plan_.rival) agents_[1]->Retire();
  // Let the ends of faults happen before asking whether all is well.
  RunTo(loop_.now() + Duration::Seconds(1));
  for (size_t i = 0; i < agents_.size(); ++i) {
    if (plan_.work[i].closes) agents_[i]->Close();
  }
  SettleUntil([this] {
    HelpToClose();
    return Lack();
  });
}

void World::SettleUntil(const std::function<std::string()>& lack_now) {
  const Duration began = loop_.now();
  while (Ok()) {
    RunTo(loop_.now() + Duration::Seconds(1));
    const std::string lack = lack_now();
    if (lack.empty()) return;
    if (loop_.now() - began >= kSettleLimit + SlowestWay()) Fail("does not settle: " + lack);
  }
}

// All that is on disk or waits in a spool over the slowest link, twice: what a journal has lost is
// sent again. Over a long way a batch goes at a time.
Duration World::SlowestWay() const {
  double rate = 12.5e6;
  const auto take = [&rate](const LinkPlan& plan) {
    const double batch = static_cast<double>(std::min<size_t>(plan.buffer_bytes, 8 * 1024));
    rate = std::min({rate, plan.bytes_per_second, batch / (plan.latency + plan.jitter).seconds()});
  };
  for (const auto& agent : agents_) take(agent->port().plan());
  for (const auto& reader : readers_) take(reader->port().plan());
  uint64_t bytes = oracle_->bytes();
  for (const auto& agent : agents_) {
    if (agent->spool() != nullptr) bytes += agent->spool()->bytes();
  }
  return Duration::FromSeconds(2 * static_cast<double>(bytes) / rate);
}

std::string World::Lack() const {
  if (!hub_->is_up()) return "the hub is down";
  if (hub_->process().paused()) return "the hub stands still";
  for (const auto& agent : agents_) {
    if (gone_.contains(agent.get())) continue;
    if (std::string lack = agent->Lack(); !lack.empty()) return lack;
  }
  for (const auto& reader : readers_) {
    if (gone_.contains(reader.get())) continue;
    if (std::string lack = reader->Lack(); !lack.empty()) return lack;
  }
  return "";
}

void World::CheckEnd() {
  for (const auto& agent : agents_) {
    if (!gone_.contains(agent.get())) agent->CheckEnd();
  }
  for (const auto& reader : readers_) {
    if (!gone_.contains(reader.get())) reader->CheckEnd();
  }
  CheckProofs();
}

void World::Finish() {
  uint64_t records = 0;
  for (const auto& [case_id, one] : oracle_->cases()) records += one.head();
  counters_.Count("records on disk", records);
  counters_.Count("commits", oracle_->commits());
  counters_.Count("virtual seconds", static_cast<uint64_t>(loop_.now().seconds()));
  counters_.Count("events", loop_.events());
  counters_.Count("seeds");
}

Report RunSeed(const RunOptions& options) { return World(options).Run(); }

}  // namespace remora::simulation
