#pragma once

// Records as JSON, for people and scripts: `remora --output ndjson`, `remora-agent --dry-run`.
// Thread-safe functions.
//
// Ids are hexadecimal ("ORIGIN/LANE/NUMBER" for a record), enumerations their short lower-case
// names
// ("high", not ALERT_PRIORITY_HIGH), numbers keep their unit in the name. Fields that are not set
// are left out. Packed samples are left out unless asked for; then they are microvolts.

#include <string>

#include "common/ids.h"
#include "common/record_codec.h"
#include "google/protobuf/message.h"
#include "nlohmann/json_fwd.hpp"

namespace remora {

struct JsonOptions {
  bool samples = false;
};

// One record on one line, without the line end. `stamp` may be null (an agent's record, not yet
// recorded). A body of an unknown kind is given as {"kind": "kind 99"} with its size.
std::string RecordToJson(const RecordHeader& header, const RecordStamp* stamp,
                         absl::string_view record_bytes, const JsonOptions& options = {});

// Any message of the contract, by the same rules.
std::string MessageToJson(const google::protobuf::Message& message,
                          const JsonOptions& options = {});

// "ORIGIN/LANE/NUMBER", and back; the zero key for what is none.
std::string ToText(const RecordKey& key);
RecordKey RecordKeyFromText(absl::string_view text);

// "2026-11-21T08:41:00.123Z"; for people, never for order.
std::string UtcText(int64_t unix_ns);

// "high" for ALERT_PRIORITY_HIGH: without its type's prefix, in lower case.
std::string EnumText(const google::protobuf::EnumValueDescriptor& value);

}  // namespace remora
