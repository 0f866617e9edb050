#include "reader-client/cc/app/rate.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace remora::reader {

absl::StatusOr<uint32_t> ParseRate(absl::string_view text) {
  static constexpr std::pair<const char*, double> kUnits[] = {
      {"kbit", 125}, {"mbit", 125'000}, {"kb", 1000}, {"mb", 1'000'000}, {"b", 1}};
  std::string number = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  if (absl::EndsWith(number, "/s")) number.resize(number.size() - 2);
  double factor = 1;
  for (const auto& [unit, bytes] : kUnits) {
    if (!absl::EndsWith(number, unit)) continue;
    factor = bytes;
    number.resize(number.size() - absl::string_view(unit).size());
    break;
  }
  double value = 0;
  const bool is_number = absl::SimpleAtod(number, &value);
  const double rate = value * factor;
  if (!is_number || !(rate >= 1) || rate > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no rate: 20kB/s or 160kbit/s would be one"));
  }
  return static_cast<uint32_t>(rate);
}

}  // namespace remora::reader
