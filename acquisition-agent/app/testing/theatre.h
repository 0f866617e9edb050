#pragma once

// A theatre's agent without its process: session, spool, source and clock of a test.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/testing/keeping_console.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "acquisition-agent/surveillance/testing/scripted_source.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"
#include "common/testing/manual_executor.h"

namespace remora::agent {

// The response falls to a fifth for nine seconds.
inline PatientScript Fall() {
  PatientScript script;
  script.seconds = 32;
  script.amplitude = [](double s) { return s > 12 && s < 21 ? 0.2 : 1.0; };
  return script;
}

// One life of the agent: from its start to its end, its kill, or the power cut.
class Theatre {
 public:
  Theatre(FakeFileSystem& files, PatientScript script, double speed = 1,
          size_t max_known_inputs = kMaxKnownInputs)
      : source_(std::move(script)), executor_(clock_), plan_(PatientPlan()) {
    spool = OpenSpool(files);
    if (spool->info() == nullptr) {
      CaseInfo info;
      info.boot_id = 9;
      info.theatre = "OR 3";
      EXPECT_TRUE(spool->SetInfo(info).ok() && spool->Commit().ok());
    }
    SessionOptions session_options;
    session_options.theatre = "OR 3";
    session_options.procedure = "test";
    session_options.speed = speed;
    session_options.max_known_inputs = max_known_inputs;
    session = std::make_unique<AgentSession>(session_options, plan_, source_, *spool, executor_,
                                             clock_, console);
    EXPECT_TRUE(session->Prepare().ok());
  }

  void Start() {
    session->Start([this](absl::Status status) {
      done = true;
      result = std::move(status);
    });
  }
  void RunFor(double seconds) { executor_.RunFor(Duration::FromSeconds(seconds)); }
  // Waits until the source is through, and a minute more.
  void RunToEnd() {
    for (int i = 0; i < 120 && !done; ++i) RunFor(1);
    EXPECT_TRUE(done);
  }
  // Bodies and device times of everything kept, as text, by lane.
  std::vector<std::string> Kept(uint32_t lane) const {
    std::vector<std::string> kept;
    for (uint64_t seq = 1; seq <= spool->last_seq(lane); ++seq) {
      const auto bytes = spool->Read(lane, seq);
      EXPECT_TRUE(bytes.ok()) << lane << "/" << seq;
      v1::Record record;
      EXPECT_TRUE(bytes.ok() && record.ParseFromString(*bytes));
      EXPECT_EQ(record.origin_seq(), seq);
      record.mutable_captured_at()->clear_wall_unix_ns();
      kept.push_back(record.SerializeAsString());
    }
    return kept;
  }

  // As Kept, but references to a baseline, whose number restarts' notes move, name only its trace.
  std::vector<std::string> KeptByBaseline(uint32_t lane) const {
    std::vector<std::string> kept = Kept(lane);
    for (std::string& bytes : kept) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (record.measurement().has_baseline()) {
        Resolve(record.measurement().trace_id(), record.mutable_measurement()->mutable_baseline());
      }
      if (record.alert().evidence().has_baseline()) {
        Resolve(record.alert().trace_id(),
                record.mutable_alert()->mutable_evidence()->mutable_baseline());
      }
      bytes = record.SerializeAsString();
    }
    return kept;
  }

  FakeClock& clock() { return clock_; }
  ManualExecutor& executor() { return executor_; }

  KeepingConsole console;
  std::unique_ptr<CaseSpool> spool;
  bool done = false;
  absl::Status result;

 private:
  // Checks that the reference is a baseline of that trace, and leaves out its number.
  void Resolve(const std::string& trace_id, v1::RecordId* reference) const {
    const auto bytes = spool->Read(reference->lane(), reference->origin_seq());
    v1::Record record;
    EXPECT_TRUE(bytes.ok() && record.ParseFromString(*bytes));
    EXPECT_EQ(record.baseline_set().trace_id(), trace_id);
    reference->clear_origin_seq();
  }

  FakeClock clock_;
  ScriptedSource source_;
  ManualExecutor executor_;
  CasePlan plan_;

 public:
  std::unique_ptr<AgentSession> session;  // last: it uses all of the above
};

// What lane 1 has of each kind of gap, and lane 0 of alerts about `subject`, by condition.
struct Told {
  std::map<v1::DataGapCause, int> gaps;
  std::map<v1::AlertCondition, int> alerts;
};
inline Told WhatIsTold(const Theatre& theatre, const std::string& subject) {
  Told told;
  for (uint32_t lane = 0; lane < 2; ++lane) {
    for (const std::string& bytes : theatre.Kept(lane)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (record.has_data_gap()) ++told.gaps[record.data_gap().cause()];
      if (record.alert().trace_id() == subject) ++told.alerts[record.alert().condition()];
    }
  }
  return told;
}

}  // namespace remora::agent
