#include "tests/integration/rig.h"

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace remora::testing {
namespace {

constexpr Duration kHubStart = Duration::Seconds(30);

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  REMORA_CHECK(file.good(), "a test's file can be written");
  chmod(path.c_str(), 0600);
}

// The hash that the identities file wants, made by the program itself.
std::string TokenHash(const TemporaryFolder& folder, const std::string& token) {
  WriteFile(folder.Path("token.in"), token);
  const Finished hashed =
      RunToEnd("/bin/sh", {"-c", absl::StrCat("exec ", ProgramPath("remora-hub"), " --hash-token <",
                                              folder.Path("token.in"))});
  REMORA_CHECK(hashed.exit_code == 0, "remora-hub --hash-token");
  return std::string(absl::StripAsciiWhitespace(hashed.output));
}

}  // namespace

Rig::Rig(int theatres) {
  for (int k = 1; k <= theatres; ++k) {
    AddIdentity(absl::StrCat("agent-", k), "ROLE_AGENT", absl::StrCat("OR ", k));
  }
  AddIdentity("reader", "ROLE_NEUROPHYSIOLOGIST", "");
  AddIdentity("theatre", "ROLE_SURGICAL_TEAM", "");
}

void Rig::AddIdentity(const std::string& name, const std::string& role,
                      const std::string& theatre) {
  uint8_t bytes[24];
  MakeSystemRandom()->Fill(bytes);
  const std::string token = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes), sizeof(bytes)));
  tokens_[name] = token;
  WriteFile(TokenFile(name), token);
  std::ofstream file(folder_.Path("identities"), std::ios::app);
  file << "identity { name: \"" << name << "\" display_name: \"" << name << "\" role: " << role
       << " token_hash: \"" << TokenHash(folder_, token) << "\"";
  if (!theatre.empty()) file << " theatre: \"" << theatre << "\"";
  file << " }\n";
  file.close();
  chmod(folder_.Path("identities").c_str(), 0600);
}

absl::StatusOr<Duration> Rig::StartHub() {
  const std::string ports = folder_.Path("ports");
  std::filesystem::remove(ports);
  const Duration began = Uptime();
  std::vector<std::string> arguments = {"--journal",
                                        journal_path(),
                                        "--local-identities",
                                        folder_.Path("identities"),
                                        "--listen-grpc",
                                        absl::StrCat("127.0.0.1:", grpc_port_),
                                        "--listen-http",
                                        absl::StrCat("127.0.0.1:", http_port_),
                                        "--web",
                                        SourcePath("reader-client/web/dist"),
                                        "--ports-file",
                                        ports};
  arguments.insert(arguments.end(), hub_settings_.more.begin(), hub_settings_.more.end());
  hub_ = std::make_unique<Process>("remora-hub", arguments, folder_.Path("hub.log"), "",
                                   hub_settings_.environment, hub_settings_.descriptors);
  if (!Eventually(kHubStart, [&] { return std::filesystem::exists(ports) || !hub_->running(); }) ||
      !hub_->running()) {
    return absl::UnavailableError(absl::StrCat("the hub did not start:\n", hub_->Log()));
  }
  const Duration took = Uptime() - began;
  const nlohmann::json json = nlohmann::json::parse(ReadAll(ports), nullptr, false);
  grpc_port_ = json.value("grpc_port", 0);
  http_port_ = json.value("http_port", 0);
  if (grpc_port_ == 0) return absl::InternalError("the ports file has no grpc_port");
  return took;
}

absl::StatusOr<int> Rig::StopHub() {
  hub_->Signal(SIGTERM);
  return hub_->Wait(Duration::Seconds(20));
}

void Rig::StartAgent(int theatre, const std::string& source, const std::string& plan,
                     const std::vector<std::string>& more) {
  const std::string name = absl::StrCat("agent-", theatre);
  const Settings& settings = agent_settings_[theatre];
  const std::string spool =
      settings.folder.empty() ? folder_.Path(name + ".spool") : settings.folder;
  std::vector<std::string> arguments = {
      "--source",     source,
      "--plan",       plan,
      "--hub",        settings.hub.empty() ? hub_address() : settings.hub,
      "--token-file", TokenFile(name),
      "--theatre",    absl::StrCat("OR ", theatre),
      "--spool",      spool};
  arguments.insert(arguments.end(), more.begin(), more.end());
  agents_[theatre] =
      std::make_unique<Process>("remora-agent", arguments, folder_.Path(name + ".log"), "",
                                settings.environment, settings.descriptors);
}

reader::ClientOptions Rig::Identity(const std::string& name) const {
  reader::ClientOptions options;
  options.hub = hub_address();
  options.token = tokens_.at(name);
  options.software = "integration test";
  options.connect_timeout = Duration::Seconds(20);
  return options;
}

std::string Rig::hub_address() const { return absl::StrCat("127.0.0.1:", grpc_port_); }
std::string Rig::http_address() const { return absl::StrCat("127.0.0.1:", http_port_); }

std::vector<std::string> Rig::RemoraArguments(const std::string& identity,
                                              std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(),
                   {"--hub", hub_address(), "--token-file", TokenFile(identity)});
  return arguments;
}

Finished Rig::Remora(const std::string& identity, std::vector<std::string> arguments) const {
  return RunToEnd("remora", RemoraArguments(identity, std::move(arguments)));
}

absl::StatusOr<std::map<uint32_t, uint64_t>> RecordsMadeOf(const std::string& source,
                                                           const std::string& plan) {
  const Finished dry = RunToEnd(
      "remora-agent", {"--source", source, "--plan", plan, "--dry-run", "--output", "ndjson"},
      Duration::Seconds(600));
  if (dry.exit_code != 0) return absl::InternalError(dry.errors);
  std::map<uint32_t, uint64_t> made;
  for (const absl::string_view line : absl::StrSplit(dry.output, '\n', absl::SkipEmpty())) {
    const nlohmann::json record =
        nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (!record.contains("lane")) return absl::InternalError("a dry run's line has no lane");
    ++made[record["lane"].get<uint32_t>()];
  }
  return made;
}

void Collector::OnRecord(const DeliveredRecord& delivered) {
  MutexLock lock(&mutex_);
  if (delivered.record.stamp.unrecorded) {
    ++unrecorded_;
    return;
  }
  const uint64_t seq = delivered.record.stamp.seq;
  if (!records_.empty() && seq < records_.rbegin()->first) ++disorder_;
  if (!records_.emplace(seq, std::string(delivered.bytes)).second) ++duplicates_;
}

void Collector::OnSnapshot(const v1::Snapshot&) {
  MutexLock lock(&mutex_);
  ++snapshots_;
}

void Collector::OnGap(const v1::Gap& gap) {
  MutexLock lock(&mutex_);
  gaps_ += gap.count();
}

std::map<uint64_t, std::string> Collector::records() const {
  MutexLock lock(&mutex_);
  return records_;
}

uint64_t Collector::duplicates() const {
  MutexLock lock(&mutex_);
  return duplicates_;
}

uint64_t Collector::gaps() const {
  MutexLock lock(&mutex_);
  return gaps_;
}

uint64_t Collector::snapshots() const {
  MutexLock lock(&mutex_);
  return snapshots_;
}

uint64_t Collector::disorder() const {
  MutexLock lock(&mutex_);
  return disorder_;
}

uint64_t Collector::unrecorded() const {
  MutexLock lock(&mutex_);
  return unrecorded_;
}

uint64_t Collector::last_seq() const {
  MutexLock lock(&mutex_);
  return records_.empty() ? 0 : records_.rbegin()->first;
}

absl::Status FollowCompletely(reader::Client& client, const std::string& case_id) {
  v1::Follow follow;
  follow.set_follow_id(1);
  follow.set_case_id(case_id);
  follow.set_delivery(v1::DELIVERY_COMPLETE);
  return client.Follow(follow);
}

}  // namespace remora::testing
