#include "hub/knowledge/protocol_pack.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/text_proto.h"

namespace remora::hub {
namespace {

absl::Status CheckStep(const v1::ResponseStep& step) {
  if (step.text().empty()) return absl::InvalidArgumentError("text: is missing");
  if (step.kind() == v1::RESPONSE_STEP_KIND_UNSPECIFIED) {
    return absl::InvalidArgumentError("kind: is missing");
  }
  if (step.kind() == v1::RESPONSE_STEP_KIND_PAUSE &&
      !(step.reassess_after_seconds() > 0 &&
        step.limit_after_seconds() > step.reassess_after_seconds())) {
    return absl::InvalidArgumentError(
        "a pause needs reassess_after_seconds, and a later limit_after_seconds");
  }
  if (step.kind() == v1::RESPONSE_STEP_KIND_DECISION && step.factor().empty()) {
    return absl::InvalidArgumentError("a decision needs the factors that the source names");
  }
  return absl::OkStatus();
}

absl::Status CheckParts(const v1::ProtocolPack& pack) {
  if (pack.name().empty() || pack.version().empty() || pack.source().empty()) {
    return absl::InvalidArgumentError("a pack needs name, version and source");
  }
  if (pack.protocol().empty()) return absl::InvalidArgumentError("there is no protocol in it");
  std::set<std::string> keys;
  std::set<int> phases;
  for (const v1::ResponseProtocol& protocol : pack.protocol()) {
    if (protocol.title().empty() || protocol.step().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(protocol.key(), ": a protocol needs a title and steps"));
    }
    if (protocol.key().empty() || !keys.insert(protocol.key()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", protocol.key(), "': a key is needed, and once"));
    }
    for (const int phase : protocol.phase()) {
      if (!phases.insert(phase).second) {
        return absl::InvalidArgumentError(absl::StrCat(protocol.key(), ": ", v1::Phase_Name(phase),
                                                       " is another protocol's already"));
      }
    }
    for (const v1::ResponseStep& step : protocol.step()) {
      if (step.key().empty() || !keys.insert(step.key()).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", step.key(), "': a key is needed, and once"));
      }
      if (const absl::Status status = CheckStep(step); !status.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(step.key(), ": ", status.message()));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPack(const v1::ProtocolPack& pack, const std::string& path) {
  const absl::Status status = CheckParts(pack);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
}

}  // namespace

absl::StatusOr<v1::ProtocolPack> ParseProtocolPack(const std::string& text,
                                                   const std::string& path) {
  v1::ProtocolPack pack;
  RETURN_IF_ERROR(ParseTextProto(text, path, &pack));
  RETURN_IF_ERROR(CheckPack(pack, path));
  return pack;
}

absl::StatusOr<v1::ProtocolPack> LoadProtocolPack(FileSystem& files, const std::string& path) {
  v1::ProtocolPack pack;
  RETURN_IF_ERROR(ReadTextProto(files, path, &pack));
  RETURN_IF_ERROR(CheckPack(pack, path));
  return pack;
}

ProtocolProposal ProposeProtocol(const v1::ProtocolPack& pack, v1::Phase phase, bool is_spinal) {
  if (!is_spinal) {
    return {nullptr, absl::StrCat("no protocol in this source for this procedure: ", pack.source(),
                                  " speaks of spinal ones")};
  }
  for (const v1::ResponseProtocol& protocol : pack.protocol()) {
    if (std::find(protocol.phase().begin(), protocol.phase().end(), phase) !=
        protocol.phase().end()) {
      return {&protocol, absl::StrCat(protocol.title(), ": ", pack.source())};
    }
  }
  return {nullptr, absl::StrCat("no protocol in this source for this phase: ", pack.source())};
}

}  // namespace remora::hub
