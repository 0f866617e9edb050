#include "reader-client/cc/app/quantity.h"

#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace remora::reader {
namespace {

// No quantity of the field is larger in its own unit.
constexpr double kLargestPlain = 1e7;

std::string WithUnit(std::string number, absl::string_view unit) {
  if (!unit.empty()) absl::StrAppend(&number, " ", unit);
  return number;
}

}  // namespace

std::string Quantity(double value, int digits, absl::string_view unit) {
  if (!std::isfinite(value)) return "no number";
  return WithUnit(std::fabs(value) < kLargestPlain ? absl::StrFormat("%.*f", digits, value)
                                                   : absl::StrFormat("%.2e", value),
                  unit);
}

std::string SignedQuantity(double value, int digits, absl::string_view unit) {
  const std::string text = Quantity(value, digits, unit);
  return std::isfinite(value) && value >= 0 ? absl::StrCat("+", text) : text;
}

std::string PlainNumber(double value) {
  return std::isfinite(value) ? absl::StrFormat("%g", value) : "no number";
}

bool IsKnown(double value) { return std::isfinite(value) && value > 0; }

const char* SideWord(v1::Side side) {
  switch (side) {
    case v1::SIDE_LEFT:
      return "left";
    case v1::SIDE_RIGHT:
      return "right";
    case v1::SIDE_MIDLINE:
      return "midline";
    case v1::SIDE_BILATERAL:
      return "both sides";
    default:
      return "";
  }
}

std::string QualityWords(const google::protobuf::RepeatedField<int>& flags) {
  std::vector<std::string> words;
  for (const int flag : flags) {
    if (!v1::QualityFlag_IsValid(flag)) continue;
    const std::string name = v1::QualityFlag_Name(static_cast<v1::QualityFlag>(flag));
    words.push_back(absl::StrReplaceAll(
        absl::AsciiStrToLower(absl::StripPrefix(name, "QUALITY_FLAG_")), {{"_", " "}}));
  }
  return words.empty() ? "not to be relied on" : absl::StrJoin(words, ", ");
}

}  // namespace remora::reader
