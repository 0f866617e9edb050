#include "acquisition-agent/spool/case_info.h"

namespace remora::agent {
namespace {

bool TakeText(absl::string_view* bytes, std::string* text) {
  uint64_t size = 0;
  if (!TakeNumber(bytes, &size) || size > bytes->size()) return false;
  *text = std::string(bytes->substr(0, size));
  bytes->remove_prefix(size);
  return true;
}

}  // namespace

void PutNumber(uint64_t value, std::string* bytes) {
  for (int i = 0; i < 8; ++i) bytes->push_back(static_cast<char>(value >> (8 * i)));
}

bool TakeNumber(absl::string_view* bytes, uint64_t* value) {
  if (bytes->size() < 8) return false;
  *value = 0;
  for (int i = 0; i < 8; ++i) {
    *value |= static_cast<uint64_t>(static_cast<uint8_t>((*bytes)[i])) << (8 * i);
  }
  bytes->remove_prefix(8);
  return true;
}

std::string EncodeCaseInfo(const CaseInfo& info) {
  std::string bytes;
  PutNumber(info.boot_id, &bytes);
  PutNumber(info.setup_digest, &bytes);
  for (const std::string* text : {&info.source, &info.theatre, &info.procedure}) {
    PutNumber(text->size(), &bytes);
    bytes.append(*text);
  }
  if (info.machine_boot_id == 0) return bytes;
  PutNumber(info.machine_boot_id, &bytes);
  PutNumber(static_cast<uint64_t>(info.zero_ns), &bytes);
  return bytes;
}

absl::StatusOr<CaseInfo> DecodeCaseInfo(absl::string_view bytes_untrusted) {
  CaseInfo info;
  if (!TakeNumber(&bytes_untrusted, &info.boot_id) ||
      !TakeNumber(&bytes_untrusted, &info.setup_digest) ||
      !TakeText(&bytes_untrusted, &info.source) || !TakeText(&bytes_untrusted, &info.theatre) ||
      !TakeText(&bytes_untrusted, &info.procedure)) {
    return absl::InvalidArgumentError("a spool's note on its case is cut off");
  }
  if (bytes_untrusted.empty()) return info;
  uint64_t zero_ns = 0;
  if (!TakeNumber(&bytes_untrusted, &info.machine_boot_id) ||
      !TakeNumber(&bytes_untrusted, &zero_ns) || !bytes_untrusted.empty()) {
    return absl::InvalidArgumentError("a spool's note on its case's clock is cut off");
  }
  info.zero_ns = static_cast<int64_t>(zero_ns);
  return info;
}

}  // namespace remora::agent
