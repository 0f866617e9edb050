// remora-hub: takes in what theatres send, keeps it, and shows it live to readers.

#include <google/protobuf/stubs/logging.h>

#include <iostream>
#include <string>

#include "common/clock.h"
#include "common/file_system.h"
#include "common/random.h"
#include "hub/app/hub_options.h"
#include "hub/app/hub_program.h"
#include "hub/identity/local_identities.h"
#include "hub/identity/record_key_file.h"
#include "hub/journal/sqlite/process_lock.h"
#include "hub/ops/signals.h"

namespace {

constexpr int kOk = 0;
constexpr int kUsage = 2;

int PrintRecordKey(const remora::hub::HubOptions& options, remora::FileSystem& files) {
  const auto random = remora::MakeSystemRandom();
  const std::string path = options.record_key_path();
  const bool rotates = options.command == remora::hub::HubOptions::Command::kRotateRecordKey;
  // A hub that runs would sign on with the key that it has read.
  absl::StatusOr<std::unique_ptr<remora::hub::sqlite::ProcessLock>> lock = nullptr;
  if (rotates) lock = remora::hub::sqlite::ProcessLock::Take(options.journal_path);
  if (!lock.ok()) {
    std::cerr << "remora-hub: " << lock.status().message() << "\n";
    return kUsage;
  }
  const auto keys = rotates ? remora::hub::RotateRecordKeys(files, path, *random)
                            : remora::hub::ReadRecordKeys(files, path);
  if (!keys.ok()) {
    std::cerr << "remora-hub: " << keys.status().message() << "\n";
    return kUsage;
  }
  std::cout << remora::hub::RecordKeysText(*keys);
  return kOk;
}

int HashTokenFromInput() {
  std::string token;
  std::getline(std::cin, token);
  if (!token.empty() && token.back() == '\r') token.pop_back();
  if (token.size() < remora::hub::kMinIdentityTokenBytes ||
      token.size() > remora::hub::kMaxIdentityTokenBytes) {
    std::cerr << "remora-hub: a token has " << remora::hub::kMinIdentityTokenBytes << " to "
              << remora::hub::kMaxIdentityTokenBytes << " random characters, this one has "
              << token.size() << "; `openssl rand -hex 24` makes one\n";
    return kUsage;
  }
  std::cout << remora::hub::HashToken(token) << "\n";
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  remora::hub::TerminationSignals signals;
  // Protobuf writes a line for each malformed string: input must not fill the log.
  google::protobuf::SetLogHandler(nullptr);
  const auto files = remora::MakePosixFileSystem();
  const remora::hub::OptionsOutcome outcome = remora::hub::ReadHubOptions(argc, argv, *files);
  if (outcome.should_exit()) return outcome.exit_code;
  const remora::hub::HubOptions& options = outcome.options;
  if (options.command == remora::hub::HubOptions::Command::kHashToken) return HashTokenFromInput();

  if (options.command == remora::hub::HubOptions::Command::kPrintRecordKey ||
      options.command == remora::hub::HubOptions::Command::kRotateRecordKey) {
    return PrintRecordKey(options, *files);
  }

  auto identities = remora::hub::LocalIdentities::Read(*files, options.local_identities_path);
  if (!identities.ok()) {
    std::cerr << "remora-hub: " << identities.status().message() << "\n";
    return kUsage;
  }
  if (options.command == remora::hub::HubOptions::Command::kCheckConfig) {
    std::cout << "The configuration is right: " << identities->size() << " identities.\n";
    return kOk;
  }
  const auto clock = remora::MakeSystemClock();
  const auto clock_sync = remora::MakeSystemClockSync();
  const auto random = remora::MakeSystemRandom();
  return remora::hub::RunHub(options, *identities,
                             remora::hub::Machine{*clock, *clock_sync, *random, *files, signals});
}
