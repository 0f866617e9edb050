#include "acquisition-agent/app/live_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/setup_digest.h"
#include "acquisition-agent/app/spool_folder.h"
#include "common/clock.h"
#include "common/link/grpc_dialer.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "common/thread_executor.h"

namespace remora::agent {
namespace {

constexpr uint64_t kMaxSecretFileBytes = 64 * 1024;

class StderrConsole : public Console {
 public:
  void Say(const std::string& line) override { std::fprintf(stderr, "%s\n", line.c_str()); }
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

absl::StatusOr<std::string> ReadSecret(FileSystem& files, const std::string& path) {
  if (path.empty()) return std::string();
  return files.ReadWhole(path, kMaxSecretFileBytes);
}

absl::StatusOr<std::unique_ptr<Dialer>> MakeDialer(const AgentOptions& options, FileSystem& files,
                                                   Executor& executor) {
  GrpcDialerOptions dial;
  dial.address = options.hub;
  ASSIGN_OR_RETURN(const std::string token, ReadSecret(files, options.token_file));
  dial.token = std::string(absl::StripAsciiWhitespace(token));
  dial.tls = options.tls;
  ASSIGN_OR_RETURN(dial.root_certificates_pem, ReadSecret(files, options.ca_file));
  ASSIGN_OR_RETURN(dial.client_certificate_pem, ReadSecret(files, options.certificate_file));
  ASSIGN_OR_RETURN(dial.client_key_pem, ReadSecret(files, options.key_file));
  dial.reads_live = false;
  return MakeGrpcDialer(dial, executor);
}

// The case to run, and what earlier runs have left to deliver.
struct Cases {
  std::unique_ptr<CaseSpool> current;
  bool resumed = false;
  std::vector<std::unique_ptr<CaseSpool>> old;
};

absl::Status CloseLeftOpen(CaseSpool& spool, const Clock& clock) {
  SpoolRecorder recorder({spool.case_id(), spool.origin(), spool.info()->boot_id}, spool, clock,
                         nullptr);
  for (const v1::CaseTransition step : {v1::CASE_TRANSITION_CLOSING, v1::CASE_TRANSITION_CLOSED}) {
    v1::Record closing = ClosingRecord(step, "a new case was begun");
    recorder.PutOnce(&closing, 0);
  }
  RETURN_IF_ERROR(recorder.status());
  RETURN_IF_ERROR(spool.Close());
  return spool.Commit();
}

absl::StatusOr<Cases> ChooseCase(const AgentOptions& options, const CasePlan& plan,
                                 SpoolFolder& folder, Random& random, const Clock& clock) {
  std::optional<CaseId> wanted;
  if (!options.case_id.empty()) {
    wanted = CaseIdFromHex(options.case_id);
    if (!wanted) {
      return absl::InvalidArgumentError(
          absl::StrCat("--case: \"", options.case_id, "\" is not 32 hexadecimal digits"));
    }
  }
  const uint64_t digest = SetupDigest(options.source, plan);
  Cases cases;
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<CaseSpool>> found, folder.OpenCases());
  for (std::unique_ptr<CaseSpool>& spool : found) {
    if (!spool->closed() && options.new_case) {
      RETURN_IF_ERROR(CloseLeftOpen(*spool, clock));
    }
    if (spool->closed()) {
      if (wanted && *wanted == spool->case_id()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--case: ", options.case_id, " is closed in this spool"));
      }
      if (cases.old.size() < kMaxOldCases && !spool->AllSettled())
        cases.old.push_back(std::move(spool));
      continue;
    }
    const bool same = spool->info()->setup_digest == digest && cases.current == nullptr &&
                      (!wanted || *wanted == spool->case_id());
    if (!same) {
      return absl::InvalidArgumentError(
          absl::StrCat(options.spool, ": case ", spool->case_id().Hex(),
                       " is still open, with source ", spool->info()->source,
                       " and another plan, source or case than now. Start with the same ones to go "
                       "on with it, or with --new-case to close it"));
    }
    cases.current = std::move(spool);
    cases.resumed = true;
  }
  if (cases.current == nullptr) {
    ASSIGN_OR_RETURN(cases.current, folder.NewCase(wanted ? *wanted : CaseId::Draw(random)));
    CaseInfo info;
    info.boot_id = random.Uint64();
    info.setup_digest = digest;
    info.source = options.source;
    info.theatre = options.theatre;
    info.procedure = options.procedure.empty() ? plan.plan.procedure() : options.procedure;
    RETURN_IF_ERROR(cases.current->SetInfo(info));
    RETURN_IF_ERROR(cases.current->Commit());
  }
  return cases;
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

absl::Status Run(const AgentOptions& options, const CasePlan& plan, SignalSource& source,
                 FileSystem& files) {
  const sigset_t signals = BlockSignals();
  StderrConsole console;
  const std::unique_ptr<Clock> clock = MakeSystemClock();
  const std::unique_ptr<Random> random = MakeSystemRandom();
  RETURN_IF_ERROR(files.CreateDirectory(options.spool));
  ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> lock, FolderLock::Take(options.spool));
  ASSIGN_OR_RETURN(const std::unique_ptr<SpoolFolder> folder,
                   SpoolFolder::Open(files, options.spool, *random));
  ASSIGN_OR_RETURN(Cases cases, ChooseCase(options, plan, *folder, *random, *clock));
  const CaseInfo& info = *cases.current->info();
  console.Say(absl::StrCat(cases.resumed ? "Going on with case " : "Case ",
                           cases.current->case_id().Hex(), ", ", info.theatre, ", ",
                           info.procedure));

  SessionOptions session_options;
  session_options.theatre = info.theatre;
  session_options.procedure = info.procedure;
  session_options.speed = options.speed;
  session_options.keep_open = options.keep_open;
  session_options.linger = Duration::FromSeconds(options.linger_s);

  // Destroyed in the opposite order: the executor stops first, then nothing runs any more.
  std::unique_ptr<Dialer> dialer;
  std::vector<std::unique_ptr<SpoolOutbox>> old_outboxes;
  std::unique_ptr<AgentSession> session;
  std::unique_ptr<ParticipantLink> link;
  ThreadExecutor executor(*clock, "agent");
  session = std::make_unique<AgentSession>(session_options, plan, source, *cases.current, executor,
                                           *clock, console);
  RETURN_IF_ERROR(session->Prepare());
  if (!options.hub.empty()) {
    ASSIGN_OR_RETURN(dialer, MakeDialer(options, files, executor));
    LinkOptions link_options;
    link_options.origin = folder->origin();
    link_options.software = "remora-agent " REMORA_VERSION;
    link_options.end_when_refused = false;
    link = std::make_unique<ParticipantLink>(link_options, executor, *clock, *random, *dialer,
                                             *session);
    for (const std::unique_ptr<CaseSpool>& old : cases.old) {
      old_outboxes.push_back(std::make_unique<SpoolOutbox>(*old));
    }
  } else {
    console.Say("No --hub: the theatre works alone");
  }

  std::atomic<bool> done{false};
  absl::Status result;
  executor.Post([&] {
    if (link != nullptr) {
      session->AttachLink(link.get());
      absl::Status added =
          link->AddOutbox(cases.current->case_id(), info.theatre, &session->outbox());
      for (size_t i = 0; i < old_outboxes.size() && added.ok(); ++i) {
        added = link->AddOutbox(cases.old[i]->case_id(), "", old_outboxes[i].get());
      }
      if (!added.ok()) console.Say(std::string(added.message()));
      link->Start();
    }
    session->Start([&](absl::Status status) {
      result = std::move(status);
      if (link != nullptr) link->Stop();
      done.store(true);
    });
  });
  timespec pause{0, 50'000'000};
  while (!done.load()) {
    if (sigtimedwait(&signals, nullptr, &pause) > 0) {
      executor.Post([&] { session->Stop(options.close_on_stop); });
    }
  }
  executor.Stop();
  link.reset();
  session.reset();
  const auto finish = [&](std::unique_ptr<CaseSpool>& spool) {
    const CaseId id = spool->case_id();
    const bool whole = spool->closed() && spool->AllSettled();
    spool.reset();
    return whole ? folder->MarkDone(id) : absl::OkStatus();
  };
  for (std::unique_ptr<CaseSpool>& old : cases.old) RETURN_IF_ERROR(finish(old));
  RETURN_IF_ERROR(finish(cases.current));
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
