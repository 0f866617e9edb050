// The whole hub as a process: what it says when it cannot start, and one record's way through it by
// both transports, over a crash and a restart.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/link/grpc_dialer.h"
#include "common/link/memory_outbox.h"
#include "common/link/participant_link.h"
#include "common/mutex.h"
#include "common/record_codec.h"
#include "common/thread_executor.h"
#include "hub/app/testing/hub_process.h"
#include "hub/participants/testing/raw_web_client.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {
namespace {

// Who waits for what never comes takes longer; a busy machine with sanitizers does not. It says
// nothing of how soon: of a start hub/app/start_benchmark.cc tells, of an end nothing does yet.
constexpr Duration kSoon = Duration::Seconds(20);

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

// Texts of the source notes that arrived, and a way to wait for them.
class Arrivals {
 public:
  void Add(absl::string_view record_bytes) {
    v1::Record record;
    if (!record.ParseFromArray(record_bytes.data(), static_cast<int>(record_bytes.size()))) return;
    if (!record.has_source_note()) return;
    MutexLock lock(&mutex_);
    texts_.push_back(record.source_note().text());
    bytes_.emplace_back(record_bytes);
    changed_.NotifyAll();
  }
  // The texts, once there are `count` of them.
  std::vector<std::string> WaitFor(size_t count) {
    MutexLock lock(&mutex_);
    while (texts_.size() < count) changed_.Wait(&mutex_);
    return texts_;
  }
  std::vector<std::string> bytes() {
    MutexLock lock(&mutex_);
    return bytes_;
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<std::string> texts_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> bytes_ ABSL_GUARDED_BY(mutex_);
};

class ArrivalsObserver final : public LinkObserver {
 public:
  void OnRecord(const DeliveredRecord& delivered) override { arrivals.Add(delivered.bytes); }
  void OnRefused(const v1::Refused& refused) override { ADD_FAILURE() << refused.text(); }
  void OnFollowEnded(const v1::FollowEnded& ended) override { ADD_FAILURE() << ended.cause(); }
  void OnEnded(const absl::Status& status) override { ADD_FAILURE() << status; }
  void OnRecordRefused(const v1::RecordRefused& refused) override {
    ADD_FAILURE() << refused.text();
  }
  Arrivals arrivals;
};

class HubSmokeTest : public ::testing::Test {
 protected:
  static v1::Record Note(const std::string& text) {
    v1::Record record;
    record.mutable_source_note()->set_text(text);
    return record;
  }
  static v1::Record Opened() {
    v1::Record record;
    record.mutable_case_lifecycle()->set_transition(v1::CASE_TRANSITION_OPENED_EMERGENCY);
    record.mutable_case_lifecycle()->set_theatre("OR 1");
    record.mutable_case_lifecycle()->set_procedure("smoke test");
    return record;
  }
  // A participant over gRPC, with its own sequence.
  struct Participant {
    Participant(const HubProcess& hub, const std::string& name, const Clock& clock, Random& random)
        : executor(clock, name) {
      GrpcDialerOptions options;
      options.address = absl::StrCat("127.0.0.1:", hub.grpc_port());
      options.token = hub.token(name);
      dialer = *MakeGrpcDialer(options, executor);
      LinkOptions link_options;
      link_options.origin = origin = OriginId::Draw(random);
      link_options.software = "hub_smoke_test";
      link = std::make_unique<ParticipantLink>(link_options, executor, clock, random, *dialer,
                                               observer);
    }
    ~Participant() {
      Do([this] { link.reset(); });
      executor.Stop();
    }
    // Runs `task` on the participant's sequence and waits for it.
    void Do(const std::function<void()>& task) {
      std::atomic<bool> done{false};
      executor.Post([&] {
        task();
        done = true;
        done.notify_all();
      });
      done.wait(false);
    }

    ThreadExecutor executor;
    OriginId origin;
    ArrivalsObserver observer;
    std::unique_ptr<Dialer> dialer;
    std::unique_ptr<ParticipantLink> link;
  };

  // An agent that opens a case of its own in a theatre.
  struct Agent : Participant {
    Agent(HubSmokeTest& test, const CaseId& case_id, const std::string& theatre = "OR 1")
        : Participant(test.hub_, "agent-1", *test.clock_, *test.random_),
          outbox(*test.clock_, case_id, origin) {
      Do([&] {
        EXPECT_TRUE(link->AddOutbox(case_id, theatre, &outbox).ok());
        link->Start();
      });
      Publish(Opened());
    }
    ~Agent() {
      Do([this] { link.reset(); });  // before its outbox
    }
    void Publish(v1::Record record) {
      Do([&] {
        const absl::StatusOr<RecordKey> key = outbox.Publish(std::move(record));
        EXPECT_TRUE(key.ok()) << key.status();
        link->NotifyPending();
      });
    }
    // Until the hub has everything on record.
    void WaitUntilRecorded() {
      size_t waiting = 1;
      while (waiting > 0) Do([&] { waiting = outbox.waiting_records(); });
    }

    MemoryOutbox outbox;
  };

  // The hub's last answer: rooms are restored beside the sessions.
  int WaitUntilReady() {
    int ready = 0;
    for (int i = 0; i < 10'000 && ready != 200; ++i) {
      ready = RawWebClient(hub_.http_port()).Request("GET", "/readyz")->status;
    }
    return ready;
  }
  v1::Follow FollowAll() {
    v1::Follow follow;
    follow.set_follow_id(1);
    follow.set_case_id(case_id_.ToString());
    follow.set_delivery(v1::DELIVERY_COMPLETE);
    return follow;
  }
  // Opens a stream as a browser program would, and follows the case from its start.
  std::unique_ptr<RawWebClient> FollowByWebSocket() {
    auto client = std::make_unique<RawWebClient>(hub_.http_port());
    const auto upgraded = client->Upgrade(
        "/v1/stream", absl::StrCat("Authorization: Bearer ", hub_.token("anna"), "\r\n"));
    EXPECT_TRUE(upgraded.has_value() && upgraded->status == 101);
    v1::Up hello;
    hello.mutable_hello()->set_minimum_version(1);
    hello.mutable_hello()->set_maximum_version(1);
    hello.mutable_hello()->set_origin(OriginId::Draw(*random_).ToString());
    EXPECT_TRUE(client->SendMessage(hello.SerializeAsString()));
    v1::Up up;
    *up.mutable_follow() = FollowAll();
    EXPECT_TRUE(client->SendMessage(up.SerializeAsString()));
    return client;
  }
  // Reads until `count` source notes have come.
  static void ReadNotes(RawWebClient& client, size_t count, Arrivals* arrivals) {
    while (arrivals->bytes().size() < count) {
      const std::optional<std::string> message = client.ReadMessage();
      ASSERT_TRUE(message.has_value()) << "the stream ended";
      v1::Down down;
      ASSERT_TRUE(down.ParseFromString(*message));
      ASSERT_FALSE(down.has_refused()) << down.refused().text();
      for (const std::string& record : down.records()) arrivals->Add(record);
    }
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::unique_ptr<Random> random_ = MakeSystemRandom();
  CaseId case_id_ = CaseId::Draw(*random_);
  HubProcess hub_;
};

TEST_F(HubSmokeTest, CarriesRecordsByBothTransportsOverACrash) {
  constexpr int kBefore = 40;
  constexpr int kAfter = 40;
  ASSERT_TRUE(hub_.Start());
  Agent agent(*this, case_id_);
  for (int i = 0; i < kBefore; ++i) agent.Publish(Note(absl::StrCat("note ", i)));
  agent.WaitUntilRecorded();

  Participant reader(hub_, "anna", *clock_, *random_);
  reader.Do([&] {
    EXPECT_TRUE(reader.link->AddFollow(FollowAll()).ok());
    reader.link->Start();
  });
  reader.observer.arrivals.WaitFor(kBefore);
  auto browser = FollowByWebSocket();
  Arrivals before;
  ReadNotes(*browser, kBefore, &before);
  EXPECT_EQ(before.bytes(), reader.observer.arrivals.bytes());

  EXPECT_EQ(hub_.End(SIGKILL), -SIGKILL);
  for (int i = 0; i < kAfter; ++i) agent.Publish(Note(absl::StrCat("late note ", i)));
  const DeviceTime restarted = clock_->Now();
  ASSERT_TRUE(hub_.Start());
  EXPECT_LT(clock_->Now() - restarted, kSoon);

  const std::vector<std::string> texts = reader.observer.arrivals.WaitFor(kBefore + kAfter);
  std::vector<std::string> expected;
  for (int i = 0; i < kBefore; ++i) expected.push_back(absl::StrCat("note ", i));
  for (int i = 0; i < kAfter; ++i) expected.push_back(absl::StrCat("late note ", i));
  EXPECT_EQ(texts, expected) << "each once, in order, over the crash";
  browser = FollowByWebSocket();
  Arrivals after;
  ReadNotes(*browser, kBefore + kAfter, &after);
  EXPECT_EQ(after.bytes(), reader.observer.arrivals.bytes()) << "the same bytes by both transports";

  agent.Do([&] { agent.link->Stop(); });
  reader.Do([&] { reader.link->Stop(); });
  EXPECT_EQ(hub_.End(SIGTERM), 0);
  const std::string log = hub_.Log();
  for (const char* name : {"agent-1", "anna"}) {
    EXPECT_EQ(log.find(name), std::string::npos) << "names are no matter of the log";
    EXPECT_EQ(log.find(hub_.token(name)), std::string::npos);
  }
}

TEST_F(HubSmokeTest, StartsWithADamagedCaseAndSaysWhichOneItIs) {
  ASSERT_TRUE(hub_.Start());
  {
    Agent agent(*this, case_id_);
    agent.Publish(Note("a note that the disk will change"));
    agent.WaitUntilRecorded();
    agent.Do([&] { agent.link->Stop(); });
  }
  ASSERT_EQ(hub_.End(SIGTERM), 0);
  const std::filesystem::path path = hub_.directory() / "journal.db";
  std::string bytes;
  {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  const size_t at = bytes.find("the disk will change");
  ASSERT_NE(at, std::string::npos);
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out)
      .seekp(static_cast<std::streamoff>(at))
      .put('T');

  ASSERT_TRUE(hub_.Start());
  EXPECT_EQ(WaitUntilReady(), 200);
  EXPECT_THAT(hub_.Log(), HasSubstr(absl::StrCat("case-damaged case=", case_id_.Hex())));
  EXPECT_THAT(RawWebClient(hub_.http_port()).Request("GET", "/metrics")->body,
              HasSubstr("remora_hub_rooms_damaged 1"));
  auto browser = FollowByWebSocket();
  bool refused = false;
  while (!refused) {
    const std::optional<std::string> message = browser->ReadMessage();
    ASSERT_TRUE(message.has_value()) << "the stream ended";
    v1::Down down;
    ASSERT_TRUE(down.ParseFromString(*message));
    refused = down.has_refused();
    EXPECT_TRUE(down.records().empty());
  }
  Agent agent(*this, CaseId::Draw(*random_), "OR 2");
  agent.WaitUntilRecorded();
  agent.Do([&] { agent.link->Stop(); });
  EXPECT_EQ(hub_.End(SIGTERM), 0);
}

TEST_F(HubSmokeTest, EndsSoonWithSessionsOpen) {
  ASSERT_TRUE(hub_.Start());
  Agent agent(*this, case_id_);
  agent.Publish(Note("one"));
  agent.WaitUntilRecorded();
  auto browser = FollowByWebSocket();
  Arrivals arrivals;
  ReadNotes(*browser, 1, &arrivals);
  const DeviceTime asked = clock_->Now();
  EXPECT_EQ(hub_.End(SIGTERM), 0);
  EXPECT_LT(clock_->Now() - asked, kSoon);
  EXPECT_THAT(hub_.Log(), HasSubstr("stopped journal=flushed"));
}

// Whoever opens a pipe that nobody writes into does not come back, as on a mount that hangs.
TEST_F(HubSmokeTest, EndsSoonAndWholeThoughTheDiskOfItsArchiveHangs) {
  constexpr int kNotes = 20;
  const std::string archive = hub_.directory() / "archive";
  std::filesystem::create_directory(archive);
  ASSERT_EQ(mkfifo((archive + "/remora-archive").c_str(), 0600), 0);
  ASSERT_TRUE(hub_.Start({"--archive", archive, "--keep-closed", "30d"}));
  Agent agent(*this, case_id_);
  for (int i = 0; i < kNotes; ++i) agent.Publish(Note(absl::StrCat("note ", i)));
  agent.WaitUntilRecorded();
  // Not a step that is only slow: whoever makes the folder's other files on a busy disk takes a
  // moment too, and comes back.
  constexpr int kHangsSeconds = 3;
  const auto hangs = [this] {
    const std::string name = "\nremora_archive_step_stuck_seconds ";
    const std::string metrics = RawWebClient(hub_.http_port()).Request("GET", "/metrics")->body;
    const size_t at = metrics.find(name);
    return at != std::string::npos && std::atof(&metrics[at + name.size()]) >= kHangsSeconds;
  };
  while (!hangs()) {
  }
  const DeviceTime asked = clock_->Now();
  EXPECT_EQ(hub_.End(SIGTERM), 0);
  EXPECT_LT(clock_->Now() - asked, kSoon);
  EXPECT_THAT(hub_.Log(), HasSubstr(" archive-hangs directory="));
  EXPECT_THAT(hub_.Log(), HasSubstr("stopped journal=flushed"));

  ASSERT_TRUE(hub_.Start());
  auto browser = FollowByWebSocket();
  Arrivals arrivals;
  ReadNotes(*browser, kNotes, &arrivals);
  EXPECT_EQ(arrivals.bytes().size(), static_cast<size_t>(kNotes));
  EXPECT_EQ(hub_.End(SIGTERM), 0);
}

TEST_F(HubSmokeTest, HasItsPagesForOperations) {
  ASSERT_TRUE(hub_.Start());
  RawWebClient client(hub_.http_port());
  EXPECT_EQ(client.Request("GET", "/healthz")->status, 200);
  EXPECT_EQ(WaitUntilReady(), 200);
  const auto metrics = client.Request("GET", "/metrics");
  EXPECT_THAT(metrics->body, HasSubstr("remora_journal_disk_free_bytes"));
  EXPECT_THAT(client.Request("GET", "/")->body, HasSubstr("npm run build"));
}

TEST_F(HubSmokeTest, StartsWithoutItsArchiveAndSaysSo) {
  const auto starts = [&](const std::string& archive, const char* word, const char* gauge) {
    ASSERT_TRUE(hub_.Start({"--archive", archive, "--keep-closed", "30d"}));
    RawWebClient client(hub_.http_port());
    std::string metrics;
    for (int i = 0; i < 10'000 && metrics.find("remora_archive_there") == std::string::npos; ++i) {
      metrics = client.Request("GET", "/metrics")->body;
    }
    EXPECT_THAT(metrics, HasSubstr(gauge));
    EXPECT_EQ(hub_.End(SIGTERM), 0);
    EXPECT_THAT(hub_.Log(), HasSubstr(word));
  };
  const std::string archive = hub_.directory() / "archive";
  starts(hub_.Arguments()[1] + "/cannot-be", " archive-not-there why=", "remora_archive_there 0");
  EXPECT_FALSE(std::filesystem::exists(archive));
  starts(archive, " archive-there directory=", "remora_archive_there 1");
  EXPECT_TRUE(std::filesystem::exists(archive + "/remora-archive"));
  std::filesystem::remove_all(archive);
  std::filesystem::create_directory(archive);  // its disk is not mounted
  starts(archive, "Is its disk mounted?", "remora_archive_there 0");
  EXPECT_TRUE(std::filesystem::is_empty(archive));
  EXPECT_THAT(hub_.Log(), HasSubstr("is not the archive that this journal"));
}

TEST_F(HubSmokeTest, KnowsItsBrowsersAgainAfterARestart) {
  ASSERT_TRUE(hub_.Start());
  const auto sign_in = RawWebClient(hub_.http_port())
                           .Request("POST", "/v1/session", "Content-Type: application/json\r\n",
                                    absl::StrCat("{\"token\":\"", hub_.token("anna"), "\"}"));
  ASSERT_TRUE(sign_in.has_value());
  const std::string set_cookie = sign_in->Header("set-cookie");
  const std::string cookie =
      absl::StrCat("Cookie: ", set_cookie.substr(0, set_cookie.find(';')), "\r\n");
  EXPECT_EQ(hub_.End(SIGKILL), -SIGKILL);
  ASSERT_TRUE(hub_.Start());
  const auto who =
      RawWebClient(hub_.http_port()).Request("GET", "/v1/session?identity=anna", cookie);
  ASSERT_TRUE(who.has_value());
  EXPECT_EQ(who->status, 200);
}

TEST_F(HubSmokeTest, SaysWhyItCannotStart) {
  ASSERT_TRUE(hub_.Start());
  std::string said;
  EXPECT_EQ(hub_.RunToEnd(hub_.Arguments(), &said), 1);
  EXPECT_THAT(said, HasSubstr("in use by another hub"));
  std::vector<std::string> other = hub_.Arguments();
  other[1] = hub_.directory() / "other.db";
  EXPECT_EQ(hub_.RunToEnd(other, &said), 1);
  EXPECT_THAT(said, HasSubstr(absl::StrCat("cannot listen on 127.0.0.1:", hub_.grpc_port())));
  other[5] = "127.0.0.1:0";
  EXPECT_EQ(hub_.RunToEnd(other, &said), 1);
  EXPECT_THAT(said, HasSubstr(absl::StrCat("cannot listen on 127.0.0.1:", hub_.http_port())));
  other[1] = "/no/such/folder/journal.db";
  EXPECT_EQ(hub_.RunToEnd(other, &said), 1);
  EXPECT_THAT(said, HasSubstr("/no/such/folder/journal.db"));
  EXPECT_EQ(hub_.RunToEnd({"--journal", "x"}, &said), 2);
  other[3] = "/no/such/identities";
  EXPECT_EQ(hub_.RunToEnd(other, &said), 2);
  EXPECT_THAT(said, HasSubstr("/no/such/identities"));
}

TEST_F(HubSmokeTest, SignsNoJournalWithAnotherKeyUnlessItIsTold) {
  ASSERT_TRUE(hub_.Start());
  std::string said;
  std::vector<std::string> rotate = {"--journal", hub_.Arguments()[1], "--rotate-record-key"};
  EXPECT_NE(hub_.RunToEnd(rotate, &said), 0) << "the hub has the journal's lock";
  EXPECT_THAT(said, HasSubstr("in use by another hub"));
  {
    Agent agent(*this, case_id_);
    agent.WaitUntilRecorded();
  }
  EXPECT_EQ(hub_.End(SIGTERM), 0);
  const std::filesystem::path key = hub_.Arguments()[1] + ".record-key";
  ASSERT_TRUE(std::filesystem::exists(key));
  const std::filesystem::path away = hub_.directory() / "key-elsewhere";
  std::filesystem::rename(key, away);
  EXPECT_EQ(hub_.RunToEnd(hub_.Arguments(), &said), 1);
  EXPECT_THAT(said, HasSubstr("--accept-new-record-key"));
  EXPECT_FALSE(std::filesystem::exists(key)) << "none is made in silence";
  std::filesystem::rename(away, key);
  ASSERT_TRUE(hub_.Start()) << "it is back";
  EXPECT_EQ(hub_.End(SIGTERM), 0);
  EXPECT_EQ(hub_.RunToEnd(rotate, &said), 0) << said;
  std::filesystem::remove(key);
  ASSERT_TRUE(hub_.Start({"--accept-new-record-key"}));
  EXPECT_TRUE(std::filesystem::exists(key));
}

TEST_F(HubSmokeTest, ChecksItsConfiguration) {
  std::vector<std::string> arguments = hub_.Arguments();
  arguments.push_back("--check-config");
  std::string said;
  EXPECT_EQ(hub_.RunToEnd(arguments, &said), 0) << said;
  EXPECT_THAT(said, HasSubstr("4 identities"));
  EXPECT_FALSE(std::filesystem::exists(hub_.directory() / "journal.db"));
}

}  // namespace
}  // namespace remora::hub
