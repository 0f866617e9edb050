#include "common/head_witness.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace remora {
namespace {

constexpr absl::string_view kMark = "remora-witness 1";

bool TakeHex(absl::string_view line, absl::string_view name, std::string* bytes) {
  if (!absl::ConsumePrefix(&line, name) || line.size() % 2 != 0 ||
      line.find_first_not_of("0123456789abcdef") != absl::string_view::npos) {
    return false;
  }
  *bytes = absl::HexStringToBytes(line);
  return true;
}

}  // namespace

std::string EncodeWitness(const HeadWitness& witness) {
  return absl::StrCat(kMark, "\ncase ", witness.case_id.Hex(), "\nhead ",
                      absl::BytesToHexString(witness.head.SerializeAsString()), "\n");
}

absl::StatusOr<HeadWitness> DecodeWitness(absl::string_view text_untrusted) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text_untrusted, '\n');
  HeadWitness witness;
  std::string case_id;
  std::string head;
  if (lines.size() != 4 || lines[0] != kMark || !lines[3].empty() ||
      !TakeHex(lines[1], "case ", &case_id) || !witness.case_id.Assign(case_id) ||
      !TakeHex(lines[2], "head ", &head) || !witness.head.ParseFromString(head)) {
    return absl::InvalidArgumentError("no witness of a record, or a damaged one");
  }
  return witness;
}

}  // namespace remora
