#pragma once

// The hub as a process: the real core over the simulated disk, started, paused, killed and started
// again. Its loop ends a drain when it has taken all input that waits. Sequence-bound to the
// simulation.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/random.h"
#include "common/record_seal.h"
#include "common/testing/fake_file_system.h"
#include "hub/participants/hub_core.h"
#include "hub/rooms/case_archive.h"
#include "tests/simulation/context.h"
#include "tests/simulation/simulated_journal.h"

namespace remora::simulation {

class HubProcess final : public HubPort {
 public:
  HubProcess(Context& context, const SimulatedClock::Plan& clock,
             const SimulatedJournal::Plan& journal, uint64_t seed);
  ~HubProcess() override;

  Process& process() override { return process_; }
  hub::SessionHost* host() override { return core_.get(); }
  void OnInput() override;
  void OnConnection(std::shared_ptr<Connection> connection) override;

  void Start();
  // `silently`: its machine is gone, nobody hears of it. `back_to_backup`: its disk is replaced.
  void Crash(bool silently, bool back_to_backup);
  bool is_up() const { return core_ != nullptr; }
  // Since when it has run and was not paused.
  Duration runs_since() const;
  uint64_t starts() const { return starts_; }

  SimulatedJournal& journal() { return journal_; }
  const std::string& record_key() const { return signer_.public_key(); }
  // From its next start on it archives cases, and purges them, as long after their last record.
  void KeepArchive(Duration keep_closed) { keep_closed_ = keep_closed; }
  // The archive's disk.
  FakeFileSystem& files() { return files_; }
  static std::string ArchivePath(const std::string& name) { return "/archive/" + name; }
  // Within the limits that the hub names: of its queues, its uncommitted records, its streams.
  void CheckBounds();
  double gauge(const std::string& name) const { return metrics_.Get(name); }

 private:
  // The newest of each gauge; checks nothing by itself.
  class Gauges final : public hub::HubMetrics {
   public:
    void Count(absl::string_view, absl::string_view, uint64_t) override {}
    void Gauge(absl::string_view name, double value) override {
      gauges_[std::string(name)] = value;
    }
    void ObserveSeconds(absl::string_view, double) override {}
    double Get(const std::string& name) const {
      const auto it = gauges_.find(name);
      return it == gauges_.end() ? 0 : it->second;
    }
    void Clear() { gauges_.clear(); }

   private:
    std::map<std::string, double> gauges_;
  };

  void OpenArchive();

  Context& context_;
  Process process_;
  const uint64_t seed_;
  FakeFileSystem files_;
  std::optional<Duration> keep_closed_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<Random> disk_random_;
  const std::unique_ptr<Random> archive_random_;
  const RecordSigner signer_;
  SimulatedJournal journal_;
  Gauges metrics_;
  std::unique_ptr<hub::CaseArchive> archive_;
  std::unique_ptr<hub::HubCore> core_;
  std::vector<std::weak_ptr<Connection>> connections_;
  bool drain_posted_ = false;
  uint64_t starts_ = 0;
  Duration started_at_;
};

}  // namespace remora::simulation
