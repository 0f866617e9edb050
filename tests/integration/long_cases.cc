#include "tests/integration/long_cases.h"

#include <cmath>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/record_codec.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"
#include "common/testing/fake_clock.h"
#include "common/thread_executor.h"
#include "hub/identity/record_key_file.h"
#include "hub/journal/sqlite/sqlite_journal.h"
#include "hub/participants/hub_core.h"
#include "remora/v1/room.pb.h"

namespace remora::testing {
namespace {

constexpr int kMuscles = 8;
constexpr int kSecondsASweep = 42;  // 200 sweeps at 4.7 Hz
constexpr int kSecondsABatch = 30;

class SilentPeer : public hub::Peer {
 public:
  void WantWrite() override {}
  void CloseAfterWrites(absl::Status status) override { closed = std::move(status); }
  absl::Status closed;
};

v1::PackedSamples Samples(int count) {
  std::vector<int32_t> counts(count);
  for (int i = 0; i < count; ++i) counts[i] = static_cast<int32_t>(20 * std::sin(i * 0.7));
  return PackCounts(counts, 0.1);
}

// One theatre's agent: what it says in each second of its case.
class GeneratedAgent {
 public:
  GeneratedAgent(int theatre, Random& random)
      : theatre_(theatre), case_(CaseId::Draw(random)), origin_(OriginId::Draw(random)) {}

  std::string Hello() const {
    v1::Up up;
    up.mutable_hello()->set_minimum_version(1);
    up.mutable_hello()->set_maximum_version(1);
    up.mutable_hello()->set_origin(origin_.ToString());
    up.mutable_hello()->set_software("generated");
    return up.SerializeAsString();
  }
  std::string Join() const {
    v1::Up up;
    up.mutable_join()->set_case_id(case_.ToString());
    up.mutable_join()->set_theatre(absl::StrCat("OR ", theatre_));
    return up.SerializeAsString();
  }
  std::string Opening() {
    v1::Record record;
    record.mutable_case_lifecycle()->set_transition(v1::CASE_TRANSITION_OPENED);
    record.mutable_case_lifecycle()->set_theatre(absl::StrCat("OR ", theatre_));
    record.mutable_case_lifecycle()->set_procedure("generated");
    std::string frames;
    Add(&record, &frames);
    return frames;
  }
  // The records of one second, as frames of Up.
  void Second(int second, std::string* frames) {
    for (int muscle = 0; muscle < kMuscles; ++muscle) {
      v1::SampleBlock& block = *block_.mutable_sample_block();
      if (!block.has_samples()) {
        *block.mutable_samples() = Samples(100);
        block.set_modality(v1::MODALITY_EMG_FREE_RUNNING);
        block.set_side(v1::SIDE_LEFT);
        block.set_sample_rate_hz(100);
      }
      block.set_trace_id(absl::StrCat("EMG/L/muscle", muscle));
      block.set_first_sample_index(static_cast<uint64_t>(second) * 100);
      Add(&block_, frames);
    }
    v1::Sweep& sweep = *sweep_.mutable_sweep();
    if (!sweep.has_average()) {
      *sweep.mutable_average() = Samples(200);
      sweep.set_trace_id("SEP_LOWER/L/CPz-FPz");
      sweep.set_modality(v1::MODALITY_SEP_LOWER);
      sweep.set_side(v1::SIDE_LEFT);
      sweep.set_sample_rate_hz(2000);
      sweep.set_requested_count(200);
    }
    sweep.set_provisional(second % kSecondsASweep != 0);
    sweep.set_block_index(second / kSecondsASweep);
    Add(&sweep_, frames);
    if (!sweep.provisional()) Measure(second, frames);
    if (second % 600 == 599) Speak(second, frames);
  }
  uint64_t made() const { return made_; }

 private:
  void Measure(int second, std::string* frames) {
    v1::Record record;
    v1::Measurement& measurement = *record.mutable_measurement();
    measurement.set_trace_id("SEP_LOWER/L/CPz-FPz");
    measurement.set_modality(v1::MODALITY_SEP_LOWER);
    measurement.set_side(v1::SIDE_LEFT);
    measurement.set_component("P37-N45");
    measurement.set_amplitude_uv(1.5 + 0.1 * std::sin(second));
    measurement.set_latency_ms(38.1);
    measurement.set_state(v1::MEASUREMENT_STATE_NO_BASELINE);
    measurement.set_confidence(v1::MARK_CONFIDENCE_CLEAR);
    *measurement.mutable_sweep() = ToProto({origin_, 3, next_[3]});
    Add(&record, frames);
  }
  void Speak(int second, std::string* frames) {
    v1::Record record;
    record.mutable_source_note()->set_text(absl::StrCat("note at ", second, " s"));
    Add(&record, frames);
  }

  void Add(v1::Record* record, std::string* frames) {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
    record->set_case_id(case_.ToString());
    record->set_origin(origin_.ToString());
    record->set_lane(lane);
    record->set_origin_seq(++next_[lane]);
    record->mutable_captured_at()->set_boot_id(1);
    record->mutable_captured_at()->set_monotonic_ns(static_cast<int64_t>(++made_) * 1000);
    AppendFrame(record->SerializeAsString(), frames);
  }

  const int theatre_;
  const CaseId case_;
  const OriginId origin_;
  uint64_t next_[kLaneCount] = {};
  uint64_t made_ = 0;
  v1::Record block_, sweep_;
};

// Runs `task` on the executor and waits.
void RunOn(Executor& executor, const std::function<void()>& task) {
  Mutex mutex;
  ConditionVariable changed;
  bool done = false;
  executor.Post([&] {
    task();
    MutexLock lock(&mutex);
    done = true;
    changed.NotifyOne();
  });
  MutexLock lock(&mutex);
  while (!done) changed.Wait(&mutex);
}

// A hub does not start beside a journal whose key is not there.
absl::Status MakeRecordKey(const std::string& journal_path, Random& random) {
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  return hub::ReadOrMakeRecordKeys(*files, journal_path + ".record-key", random).status();
}

}  // namespace

absl::Status MakeLongCases(const std::string& journal_path, LongCases* cases) {
  FakeClock clock;
  const std::unique_ptr<Clock> system_clock = MakeSystemClock();
  const std::unique_ptr<Random> random = MakeSeededRandom(1);
  ThreadExecutor executor(*system_clock, "generator");
  hub::NullCipher cipher;
  hub::NoMetrics metrics;
  hub::SqliteJournal::Options options;
  options.path = journal_path;
  ASSIGN_OR_RETURN(const std::unique_ptr<hub::SqliteJournal> journal,
                   hub::SqliteJournal::Open(options, *system_clock, executor, cipher));
  auto core = std::make_unique<hub::HubCore>(
      hub::HubCoreParts{journal.get(), &clock, &executor, random.get(), &metrics, "generator"});
  RETURN_IF_ERROR(MakeRecordKey(journal_path, *random));
  absl::Status started;
  RunOn(executor, [&] { started = core->Start(); });
  RETURN_IF_ERROR(started);

  std::vector<GeneratedAgent> agents;
  std::vector<std::unique_ptr<SilentPeer>> peers;
  std::vector<std::unique_ptr<hub::Session>> sessions;
  const auto drain = [&] {
    core->EndOfDrain();
    for (auto& session : sessions) {
      while (!session->TakeBatch(kMaxBatchBytes).empty()) {
      }
    }
  };
  for (int k = 1; k <= cases->rooms; ++k) {
    agents.emplace_back(k, *random);
    peers.push_back(std::make_unique<SilentPeer>());
    RunOn(executor, [&] {
      hub::Identity identity{
          absl::StrCat("agent-", k), absl::StrCat("agent-", k), v1::ROLE_AGENT, {}};
      sessions.push_back(core->Open(identity, peers.back().get()));
      sessions.back()->OnMessage(agents.back().Hello());
      sessions.back()->OnMessage(agents.back().Join());
      sessions.back()->OnMessage(agents.back().Opening());
      drain();
    });
  }
  const int seconds = static_cast<int>(cases->length.seconds());
  for (int second = 0; second < seconds; second += kSecondsABatch) {
    RunOn(executor, [&] {
      for (size_t k = 0; k < agents.size(); ++k) {
        std::string frames;
        for (int s = second; s < std::min(seconds, second + kSecondsABatch); ++s) {
          agents[k].Second(s, &frames);
        }
        sessions[k]->OnMessage(frames);
      }
      clock.Advance(Duration::Seconds(kSecondsABatch));
      drain();
    });
    RETURN_IF_ERROR(journal->Flush());
    for (const auto& peer : peers) RETURN_IF_ERROR(peer->closed);
  }
  RunOn(executor, [&] {
    core->FlushRooms();
    drain();
  });
  RETURN_IF_ERROR(journal->Flush());
  for (const GeneratedAgent& agent : agents) cases->records += agent.made();
  RunOn(executor, [&] {
    sessions.clear();
    core.reset();
  });
  executor.Stop();
  return absl::OkStatus();
}

}  // namespace remora::testing
