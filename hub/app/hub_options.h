#pragma once

// What remora-hub is started with: flags before environment (REMORA_...) before file (TOML). Read
// once in main; immutable after.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file_system.h"
#include "common/time.h"
#include "hub/ops/event_log.h"
#include "hub/participants/listen_address.h"

namespace remora::hub {

struct HubOptions {
  // What to do instead of serving.
  enum class Command { kServe, kCheckConfig, kHashToken, kPrintRecordKey, kRotateRecordKey };
  Command command = Command::kServe;

  std::string journal_path;
  // No journal on disk: for measurements. What is accepted is gone with the process.
  bool journal_in_memory = false;
  // Beside the journal.
  std::string record_key_path() const { return journal_path + ".record-key"; }
  // Which folder is the archive. In memory: in none.
  std::string archive_id_path() const {
    return journal_in_memory ? "" : journal_path + ".archive-id";
  }
  ListenAddress grpc_address;
  ListenAddress http_address;
  std::string web_directory;
  std::string local_identities_path;
  std::string ports_file;
  // Where cases go that nothing was added to for `keep_closed`. Empty: none ever leaves the
  // journal.
  std::string archive_directory;
  Duration keep_closed;
  // The same of cases whose certificate is not complete; nothing: until it is.
  std::optional<Duration> keep_incomplete;
  // Whatever there is in that folder: this start only.
  bool accept_archive = false;
  LogLevel log_level = LogLevel::kInfo;
  // The journal's file comes from a backup: this start only.
  bool start_new_epoch = false;
  // The key that signed the journal's cases is lost.
  bool accept_new_record_key = false;
};

// How a command line ended before anything was started.
struct OptionsOutcome {
  // Set: end with this code (0 after --help and --version; 2 when something is wrong).
  int exit_code = -1;
  HubOptions options;
  bool should_exit() const { return exit_code >= 0; }
};

// Reads the command line, REMORA_* of the environment and the file of --config. Prints help,
// version and what is wrong by itself.
OptionsOutcome ReadHubOptions(int argc, const char* const* argv, FileSystem& files);

// A setting of the configuration file as text; for an array, each element.
struct FileSetting {
  std::string key;
  std::vector<std::string> values;
  int line = 0;
};
// The settings of a TOML text. InvalidArgument with "NAME:LINE:COLUMN: what is wrong".
absl::StatusOr<std::vector<FileSetting>> ParseConfigText(const std::string& text,
                                                         const std::string& name);

}  // namespace remora::hub
