#include "acquisition-agent/app/live_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/case_choice.h"
#include "acquisition-agent/app/hub_key.h"
#include "acquisition-agent/app/spool_folder.h"
#include "common/clock.h"
#include "common/link/dial_files.h"
#include "common/link/grpc_dialer.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "common/thread_executor.h"

namespace remora::agent {
namespace {

class StderrConsole : public Console {
 public:
  // On a terminal an alarm sounds, too.
  void Say(const std::string& line) override {
    const bool tone = absl::StartsWith(line, "ALARM") && isatty(STDERR_FILENO) == 1;
    std::fprintf(stderr, "%s%s\n", tone ? "\a" : "", line.c_str());
  }
};

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return 2;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return 3;
    case absl::StatusCode::kUnavailable:
      return 5;
    default:
      return 1;
  }
}

// One agent a folder: two would give the same numbers to different records.
class FolderLock {
 public:
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(const std::string& folder) {
    const std::string path = absl::StrCat(folder, "/lock");
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return absl::InternalError(absl::StrCat(path, ": cannot be opened"));
    auto lock = std::unique_ptr<FolderLock>(new FolderLock(file));
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          folder, ": another agent is using this spool; give each theatre its own --spool"));
    }
    return lock;
  }
  ~FolderLock() { close(file_); }

 private:
  explicit FolderLock(int file) : file_(file) {}
  const int file_;
};

absl::StatusOr<std::unique_ptr<Dialer>> MakeDialer(const AgentOptions& options, FileSystem& files,
                                                   Executor& executor) {
  GrpcDialerOptions dial;
  dial.address = options.hub;
  RETURN_IF_ERROR(ReadDialFiles(files,
                                {options.token_file, options.tls, options.ca_file,
                                 options.certificate_file, options.key_file},
                                &dial));
  dial.reads_live = false;
  return MakeGrpcDialer(dial, executor);
}

// Signals go to the main thread, which waits for them; every other thread starts with them blocked.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// What works in a run. At its end the executor stops first, so that nothing runs any more; it goes
// last, since gRPC's threads still post to it until the dialer has waited for them.
struct Works {
  ~Works() {
    if (executor != nullptr) executor->Stop();
  }

  std::unique_ptr<ThreadExecutor> executor;
  std::unique_ptr<Dialer> dialer;
  std::vector<std::unique_ptr<SpoolOutbox>> old_outboxes;
  std::unique_ptr<AgentSession> session;
  std::unique_ptr<ParticipantLink> link;
};

SessionOptions SessionOptionsOf(const AgentOptions& options, const CaseInfo& info) {
  SessionOptions session;
  session.theatre = info.theatre;
  session.procedure = info.procedure;
  session.speed = options.speed;
  session.keep_open = options.keep_open;
  session.reader_phone = options.reader_phone;
  session.linger = Duration::FromSeconds(options.linger_s);
  session.planned_duration = Duration::FromSeconds(options.planned_hours * 3600);
  return session;
}

absl::Status MakeLink(const AgentOptions& options, FileSystem& files, const Clock& clock,
                      Random& random, const Cases& cases, Works* works) {
  ASSIGN_OR_RETURN(works->dialer, MakeDialer(options, files, *works->executor));
  LinkOptions link_options;
  link_options.origin = cases.current->origin();
  link_options.software = "remora-agent " REMORA_VERSION;
  link_options.end_when_refused = false;
  works->link = std::make_unique<ParticipantLink>(link_options, *works->executor, clock, random,
                                                  *works->dialer, *works->session);
  for (const std::unique_ptr<CaseSpool>& old : cases.old) {
    works->old_outboxes.push_back(std::make_unique<SpoolOutbox>(*old));
    works->session->AlsoClose(*old);
  }
  works->session->KeepWitnesses(files, options.spool);
  return absl::OkStatus();
}

// On the executor.
void StartLink(const Cases& cases, Console& console, Works* works) {
  works->session->AttachLink(works->link.get());
  absl::Status added = works->link->AddOutbox(
      cases.current->case_id(), cases.current->info()->theatre, &works->session->outbox());
  for (size_t i = 0; i < works->old_outboxes.size() && added.ok(); ++i) {
    added = works->link->AddOutbox(cases.old[i]->case_id(), "", works->old_outboxes[i].get());
  }
  if (!added.ok()) console.Say(std::string(added.message()));
  works->link->Start();
}

// Runs until the session is done; a signal stops it. What it came to; `cleared`: which cases are
// certified as a whole.
absl::Status WorkUntilDone(const sigset_t& signals, const AgentOptions& options, const Cases& cases,
                           Console& console, Works* works, std::set<CaseId>* cleared) {
  std::atomic<bool> done{false};
  absl::Status result;
  works->executor->Post([&] {
    if (works->link != nullptr) StartLink(cases, console, works);
    works->session->Start([&](absl::Status status) {
      result = std::move(status);
      if (works->link != nullptr) works->link->Stop();
      done.store(true);
    });
  });
  timespec pause{0, 50'000'000};
  while (!done.load()) {
    if (sigtimedwait(&signals, nullptr, &pause) > 0) {
      works->executor->Post([&] { works->session->Stop(options.close_on_stop); });
    }
  }
  works->executor->Stop();
  const auto note = [&](const CaseSpool& spool) {
    if (works->session->IsCleared(spool.case_id())) cleared->insert(spool.case_id());
  };
  note(*cases.current);
  for (const std::unique_ptr<CaseSpool>& old : cases.old) note(*old);
  works->link.reset();
  works->session.reset();
  return result;
}

// Only a certificate makes a case done.
absl::Status MarkDone(SpoolFolder& folder, const std::set<CaseId>& cleared, Cases* cases) {
  cases->old.push_back(std::move(cases->current));
  for (std::unique_ptr<CaseSpool>& spool : cases->old) {
    const CaseId id = spool->case_id();
    spool.reset();
    if (cleared.contains(id)) RETURN_IF_ERROR(folder.MarkDone(id));
  }
  return absl::OkStatus();
}

absl::Status Run(const AgentOptions& options, const CasePlan& plan, SignalSource& source,
                 FileSystem& files) {
  const sigset_t signals = BlockSignals();
  StderrConsole console;
  const std::unique_ptr<Clock> clock = MakeSystemClock();
  const std::unique_ptr<Random> random = MakeSystemRandom();
  RETURN_IF_ERROR(files.CreateDirectoryDurably(options.spool));
  ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> lock, FolderLock::Take(options.spool));
  ASSIGN_OR_RETURN(const std::unique_ptr<SpoolFolder> folder,
                   SpoolFolder::Open(files, options.spool, *random, console));
  ASSIGN_OR_RETURN(Cases cases, ChooseCase(options, plan, *folder, *random, *clock, console));
  const CaseInfo& info = *cases.current->info();
  console.Say(absl::StrCat(cases.resumed ? "Going on with case " : "Case ",
                           cases.current->case_id().Hex(), ", ", info.theatre, ", ",
                           info.procedure));
  ASSIGN_OR_RETURN(HubKey hub_key, HubKey::Open(files, options.spool));
  absl::Status result;
  std::set<CaseId> cleared;
  {
    Works works;
    works.executor = std::make_unique<ThreadExecutor>(*clock, "agent");
    works.session =
        std::make_unique<AgentSession>(SessionOptionsOf(options, info), plan, source,
                                       *cases.current, *works.executor, *clock, console);
    RETURN_IF_ERROR(works.session->Prepare());
    works.session->UseHubKey(&hub_key);
    if (!options.hub.empty()) {
      RETURN_IF_ERROR(MakeLink(options, files, *clock, *random, cases, &works));
    } else {
      console.Say("No --hub: the theatre works alone");
    }
    result = WorkUntilDone(signals, options, cases, console, &works, &cleared);
  }
  RETURN_IF_ERROR(MarkDone(*folder, cleared, &cases));
  return result;
}

}  // namespace

int RunLive(const AgentOptions& options, const CasePlan& plan, SignalSource& source,
            FileSystem& files) {
  const absl::Status status = Run(options, plan, source, files);
  if (!status.ok())
    std::fprintf(stderr, "remora-agent: %s\n", std::string(status.message()).c_str());
  return CodeOf(status);
}

}  // namespace remora::agent
