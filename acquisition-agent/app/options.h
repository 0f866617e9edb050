// The command line of remora-agent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace remora::agent {

enum class OutputFormat { kNdjson, kTable };

struct AgentOptions {
  std::string source;
  std::string plan;
  bool dry_run = false;
  OutputFormat output = OutputFormat::kNdjson;
  bool samples = false;
  uint64_t seed = 1;

  std::string hub;  // empty: the theatre is on its own
  std::string token_file;
  bool tls = false;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;

  std::string theatre = "OR 1";
  std::string reader_phone;  // empty: not known
  std::string procedure;     // empty: the plan's
  std::string spool;
  std::string case_id;  // 32 hexadecimal digits; empty: drawn, or the spool's open one
  double speed = 1;     // 0: as fast as it can
  bool keep_open = false;
  bool new_case = false;
  bool close_on_stop = false;
  double linger_s = 30;
  double planned_hours = 8;
};

// Fills in `options`. A number: the exit code to leave with at once (0 after --help, 2 for a usage
// error).
std::optional<int> ParseCommandLine(int argc, char** argv, AgentOptions* options);

}  // namespace remora::agent
