#include "hub/app/hub_program.h"

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/record_seal.h"
#include "common/status_macros.h"
#include "hub/app/hub_news.h"
#include "hub/app/ports_file.h"
#include "hub/app/started_core.h"
#include "hub/app/version.h"
#include "hub/archive/archive_thread.h"
#include "hub/identity/record_key_file.h"
#include "hub/journal/memory_journal.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/sqlite_journal.h"
#include "hub/ops/event_log.h"
#include "hub/ops/operations_observer.h"
#include "hub/ops/prometheus_metrics.h"
#include "hub/ops/systemd.h"
#include "hub/participants/grpc/grpc_server.h"
#include "hub/participants/hub_core.h"
#include "hub/participants/limits.h"
#include "hub/participants/loop/socket_loop.h"
#include "hub/participants/websocket/web_server.h"
#include "hub/participants/websocket/web_sessions.h"

namespace remora::hub {
namespace {

// How often a starting hub looks whether all rooms are back.
constexpr Duration kReadinessInterval = Duration::Milliseconds(20);

constexpr int kHeapStepBytes = 1024 * 1024;

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

class HubProgram {
 public:
  HubProgram(const HubOptions& options, Authenticator& authenticator, const Machine& machine)
      : options_(options),
        machine_(machine),
        log_(options.log_level),
        observer_(metrics_, log_, machine.clock),
        news_(log_, metrics_, options.archive_directory),
        authenticator_(authenticator),
        loop_(machine.clock),
        grpc_(options.grpc_address, loop_, machine.clock, observer_) {}

  // After EndArchive.
  ~HubProgram() {
    StopSequence();
    web_.reset();
    core_.reset();
    archive_.reset();
    journal_.reset();
  }

  absl::Status Start() {
    const DeviceTime begun = machine_.clock.Now();
    RETURN_IF_ERROR(OpenJournal());
    RETURN_IF_ERROR(OpenRecordKeys());
    OpenArchive();
    core_ = std::make_unique<HubCore>(
        HubCoreParts{journal_.get(), &machine_.clock, &loop_, &machine_.random, &metrics_,
                     absl::StrCat("remora-hub ", kVersion),
                     [this](const CaseId& case_id, const absl::Status& damage) {
                       news_.OnDamaged(case_id, damage);
                     },
                     signer_.get(), retired_record_keys_, /*loop_ends_drains=*/true,
                     archive_ == nullptr ? nullptr : &archive_->archive(), options_.keep_closed,
                     options_.keep_incomplete,
                     [this](const CaseId& case_id, const absl::StatusOr<PurgedCase>& outcome) {
                       news_.OnRetention(case_id, outcome);
                     },
                     &machine_.clock_sync, [this](Duration behind) { news_.OnUtcBehind(behind); }});
    host_ = std::make_unique<StartedCore>(*core_);
    RETURN_IF_ERROR(grpc_.Start(authenticator_, *host_));
    absl::Status core_started;
    std::atomic<bool> done{false};
    loop_.Post([&] {
      core_started = host_->Start();
      if (core_started.ok()) {
        WatchReadiness(begun);
        WatchArchive();
      }
      done = true;
      done.notify_all();
    });
    sequence_ = std::thread([this] { loop_.Run(*host_, observer_); });
    done.wait(false);
    RETURN_IF_ERROR(core_started);
    if (const uint64_t n = journal_on_disk_ ? journal_on_disk_->notes_unread() : 0; n > 0) {
      log_.Warning("notes-not-read", {{"cases", absl::StrCat(n)}});
    }
    RETURN_IF_ERROR(StartWeb());
    return Announce(machine_.clock.Now() - begun);
  }

  // Takes the hub down: whoever is inside is told, and what was accepted is on disk.
  absl::Status Stop() {
    log_.Info("stopping");
    draining_ = true;
    if (archive_ != nullptr) archive_->BeginStop();
    NotifySystemd(std::getenv("NOTIFY_SOCKET"), "STOPPING=1");
    OnSequence([this] {
      core_->StartDraining();
      core_->FlushRooms();
    });
    // Its callbacks are posted before the streams are told to end: acknowledgements still leave.
    absl::Status flushed = journal_->Flush();
    grpc_.Drain();
    web_->Stop();
    OnSequence([this] { core_->FlushRooms(); });
    EndArchive();
    StopSequence();
    const absl::Status last = journal_->Flush();
    if (flushed.ok()) flushed = last;
    log_.Info("stopped", {{"journal", flushed.ok() ? "flushed" : flushed.ToString()}});
    return flushed;
  }

  // Before the sequence ends: its thread posts to it. False: that hangs in a call of its disk, and
  // nothing of this may be destroyed.
  bool EndArchive() {
    if (archive_hangs_) return false;  // one wait is enough
    if (archive_ == nullptr || archive_->Stop()) return true;
    archive_hangs_ = true;
    news_.OnArchiveHangsAtEnd();
    return false;
  }

  EventLog& log() { return log_; }

 private:
  absl::Status OpenJournal() {
    if (options_.journal_in_memory) {
      log_.Warning("nothing-is-kept", {{"why", "--journal memory: for measurements"}});
      journal_ = std::make_unique<MemoryJournal>(loop_);
      return absl::OkStatus();
    }
    SqliteJournal::Options options;
    options.path = options_.journal_path;
    options.epoch_of_new_file =
        static_cast<uint32_t>(machine_.clock.WallNow().nanoseconds() / 1'000'000'000);
    options.start_new_epoch = options_.start_new_epoch;
    options.observer = [this](const sqlite::CommitReport& report) {
      news_.OnJournal(report.status);
      metrics_.Count("remora_journal_transactions_total", "", 1);
      metrics_.Count("remora_journal_written_bytes_total", "", report.frame_bytes);
      metrics_.ObserveSeconds("remora_journal_transaction_seconds", report.duration.seconds());
      metrics_.Gauge("remora_journal_log_pages", report.log_pages);
    };
    ASSIGN_OR_RETURN(std::unique_ptr<SqliteJournal> journal,
                     SqliteJournal::Open(std::move(options), machine_.clock, loop_, cipher_));
    journal_on_disk_ = journal.get();
    journal_ = std::move(journal);
    return absl::OkStatus();
  }

  // A journal with cases was signed with some key: another one in its place would make all of it
  // look as if somebody else had written it.
  absl::Status CheckRecordKeyIsThere() {
    const std::string path = options_.record_key_path();
    if (options_.accept_new_record_key || machine_.files.Exists(path)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<ListedCase> cases, journal_->ListCases());
    if (cases.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": the key that has signed the ", cases.size(),
        " cases of this journal is not there. Put "
        "it back from its backup; or, where it is lost, start once with --accept-new-record-key, "
        "and tell whoever verifies"));
  }

  absl::Status OpenRecordKeys() {
    RecordKeys keys;
    if (options_.journal_in_memory) {
      machine_.random.Fill(keys.seed);
    } else {
      RETURN_IF_ERROR(CheckRecordKeyIsThere());
      ASSIGN_OR_RETURN(
          keys, ReadOrMakeRecordKeys(machine_.files, options_.record_key_path(), machine_.random));
    }
    signer_ = std::make_unique<RecordSigner>(keys.seed);
    retired_record_keys_ = std::move(keys.retired);
    log_.Info(keys.made ? "record-key-made" : "record-key", {{"id", signer_->key_id()}});
    return absl::OkStatus();
  }

  // It has weeks: whatever is wrong with it, the theatres are served.
  void OpenArchive() {
    if (options_.archive_directory.empty()) return;
    const absl::StatusOr<PurgeCount> purges = journal_->CountPurges();
    const bool has_purged = !purges.ok() || purges->count > 0;
    if (!machine_.clock_sync.IsSynchronised()) {
      log_.Info("clock-not-synchronised",
                {{"cases",
                  "those of earlier starts stay until it is, or the hub was up for a day "
                  "or --keep-closed"}});
    }
    std::vector<std::string> keys = {signer_->public_key()};
    keys.insert(keys.end(), retired_record_keys_.begin(), retired_record_keys_.end());
    archive_ = std::make_unique<ArchiveThread>(
        machine_.clock,
        RecordArchive::Parts{{&machine_.files, &machine_.random, options_.archive_directory,
                              options_.archive_id_path(), options_.accept_archive, has_purged},
                             journal_.get(),
                             &loop_,
                             nullptr,
                             std::move(keys)});
    archive_->Watch([this](const absl::Status& there, uint64_t free_bytes) {
      news_.OnArchiveLook(there, free_bytes);
    });
  }

  absl::StatusOr<WebSessions::Key> WebKey() {
    if (!options_.journal_in_memory) {
      return WebSessions::ReadOrMakeKey(machine_.files, options_.journal_path + ".web-key",
                                        machine_.random);
    }
    WebSessions::Key key;
    machine_.random.Fill(key);
    return key;
  }

  absl::Status StartWeb() {
    ASSIGN_OR_RETURN(const WebSessions::Key key, WebKey());
    web_sessions_ = std::make_unique<WebSessions>(key, machine_.clock, machine_.random);
    WebServer::Options options;
    options.address = options_.http_address;
    options.web_directory = options_.web_directory;
    options.pages.metrics_text = [this] { return MetricsText(); };
    options.pages.health = [this] { return Health(); };
    options.pages.health_note = [this] { return HealthNote(); };
    options.pages.readiness = [this] { return Readiness(); };
    web_ = std::make_unique<WebServer>(
        std::move(options), WebServerParts{&loop_, host_.get(), &authenticator_, &observer_,
                                           web_sessions_.get(), &machine_.clock});
    return web_->Start();
  }

  absl::Status Announce(Duration took) {
    ListenAddress grpc = options_.grpc_address;
    if (!grpc.is_unix()) grpc.port = static_cast<uint16_t>(grpc_.port());
    ListenAddress http = options_.http_address;
    http.port = web_->port();
    if (!options_.ports_file.empty()) {
      RETURN_IF_ERROR(WritePortsFile(machine_.files, options_.ports_file, grpc, http, getpid()));
    }
    log_.Info("started", {{"version", kVersion},
                          {"grpc", grpc.ToString()},
                          {"web", absl::StrCat("http://", http.ToString(), "/")},
                          {"journal", options_.journal_path},
                          {"took_ms", absl::StrCat(static_cast<int64_t>(took.milliseconds()))}});
    NotifySystemd(std::getenv("NOTIFY_SOCKET"), "READY=1");
    return absl::OkStatus();
  }

  // On the sequence.
  void WatchReadiness(DeviceTime begun) {
    if (core_->restored()) {
      restored_ = true;
      const Duration took = machine_.clock.Now() - begun;
      log_.Info("rooms-restored",
                {{"took_ms", absl::StrCat(static_cast<int64_t>(took.milliseconds()))}});
      return;
    }
    loop_.PostAfter(kReadinessInterval, [this, begun] { WatchReadiness(begun); });
  }

  // On the sequence.
  void WatchArchive() {
    if (archive_ == nullptr || draining_) return;
    news_.OnArchiveStep(archive_->StuckFor());
    loop_.PostAfter(kArchiveProbeInterval, [this] { WatchArchive(); });
  }

  std::string MetricsText() {
    if (archive_ != nullptr) {
      metrics_.Gauge("remora_archive_look_age_seconds", archive_->since_look().seconds());
      if (archive_->hangs()) metrics_.Gauge("remora_archive_there", 0);
    }
    if (journal_on_disk_ == nullptr) return metrics_.Text();
    const absl::StatusOr<uint64_t> free =
        machine_.files.FreeBytes(DirectoryOf(options_.journal_path));
    if (free.ok()) metrics_.Gauge("remora_journal_disk_free_bytes", static_cast<double>(*free));
    metrics_.Gauge("remora_journal_reopenings",
                   static_cast<double>(journal_on_disk_->reopenings()));
    metrics_.Gauge("remora_journal_cases_in_memory",
                   static_cast<double>(journal_on_disk_->cases_in_memory()));
    metrics_.Gauge("remora_journal_purge_failures",
                   static_cast<double>(journal_on_disk_->purge_failures()));
    metrics_.Gauge("remora_journal_checkpoint_failures",
                   static_cast<double>(journal_on_disk_->checkpoint_failures()));
    return metrics_.Text();
  }

  absl::Status Health() {
    const Duration since = machine_.clock.Now() - loop_.last_turn();
    if (since <= kSequenceStuckAfter) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("the hub's sequence has not turned for ", since.seconds(), " s"));
  }

  // No reason to restart it: it would lose what it shows.
  std::string HealthNote() {
    const double cases = metrics_.GaugeValue(metric::kRoomsUnrecorded);
    return cases == 0 ? "" : absl::StrCat(cases, " cases are UNRECORDED: shown, and not on disk");
  }

  absl::Status Readiness() {
    if (draining_) return absl::UnavailableError("the hub is going down");
    if (!restored_) return absl::UnavailableError("rooms are being restored");
    return Health();
  }

  // Runs `task` on the sequence and waits for it.
  void OnSequence(const std::function<void()>& task) {
    std::atomic<bool> done{false};
    loop_.Post([&] {
      task();
      done = true;
      done.notify_all();
    });
    done.wait(false);
  }

  void StopSequence() {
    if (!sequence_.joinable()) return;
    if (web_ != nullptr) web_->Stop();  // it posts to the sequence to its end
    grpc_.Stop([this] { loop_.Stop(); });
    sequence_.join();
  }

  const HubOptions& options_;
  const Machine machine_;
  EventLog log_;
  PrometheusMetrics metrics_;
  OperationsObserver observer_;
  HubNews news_;
  Authenticator& authenticator_;
  NullCipher cipher_;
  // Outlives all who post to it.
  SocketLoop loop_;
  GrpcServer grpc_;
  std::unique_ptr<Journal> journal_;
  SqliteJournal* journal_on_disk_ = nullptr;  // of journal_; null in memory
  std::unique_ptr<RecordSigner> signer_;
  std::vector<std::string> retired_record_keys_;
  std::unique_ptr<ArchiveThread> archive_;
  bool archive_hangs_ = false;
  std::unique_ptr<HubCore> core_;
  std::unique_ptr<StartedCore> host_;
  std::unique_ptr<WebSessions> web_sessions_;
  std::unique_ptr<WebServer> web_;
  std::thread sequence_;
  std::atomic<bool> restored_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace

int RunHub(const HubOptions& options, Authenticator& authenticator, const Machine& machine) {
  // A heap of its own for each thread grows by pages, with a system call for each record, and what
  // one thread frees no other uses.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, kHeapStepBytes);
  HubProgram program(options, authenticator, machine);
  const absl::Status started = program.Start();
  int exit_code = 1;
  if (started.ok()) {
    machine.signals.Wait();
    machine.signals.ExitOnNext();
    exit_code = program.Stop().ok() ? 0 : 1;
  } else {
    program.log().Error("cannot-start", {{"why", std::string(started.message())}});
  }
  // What a thread that hangs will use when it comes back is never destroyed; the journal is
  // flushed.
  if (!program.EndArchive()) std::_Exit(exit_code);
  return exit_code;
}

}  // namespace remora::hub
