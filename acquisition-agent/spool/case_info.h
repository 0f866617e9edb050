// What a spool notes of its case beside the records. A value and its encoding.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora::agent {

// What a program that is started again must know to go on with the case.
struct CaseInfo {
  uint64_t boot_id = 0;
  // Of source, plan, montage and criteria: with another one the records cannot be made again.
  uint64_t setup_digest = 0;
  std::string source;
  std::string theatre;
  std::string procedure;
  // Of a live source, from its first sample on: the case's time is the machine's monotonic clock
  // less `zero_ns`, within this boot of the machine. 0: not known. A program of before it takes the
  // note that was set without them.
  uint64_t machine_boot_id = 0;
  int64_t zero_ns = 0;

  bool operator==(const CaseInfo&) const = default;
};

std::string EncodeCaseInfo(const CaseInfo& info);
// InvalidArgument: cut off, or with something behind it. The clock may be left out.
absl::StatusOr<CaseInfo> DecodeCaseInfo(absl::string_view bytes_untrusted);

// Little endian; for what stands beside it in the spool. TakeNumber is false at the end.
void PutNumber(uint64_t value, std::string* bytes);
bool TakeNumber(absl::string_view* bytes, uint64_t* value);

}  // namespace remora::agent
