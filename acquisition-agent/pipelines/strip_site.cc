#include "acquisition-agent/pipelines/strip_site.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace remora::agent {
namespace {

// "T10", "Th4", "L1": a vertebra, no contact.
bool IsLevel(absl::string_view word) {
  if (word.find_first_not_of("0123456789", word.find_first_of("0123456789")) != word.npos) {
    return false;
  }
  const std::string name = absl::AsciiStrToLower(word.substr(0, word.find_first_of("0123456789")));
  return name == "t" || name == "th" || name == "l" || name == "s";
}

}  // namespace

std::vector<std::string> WordsOf(absl::string_view site) {
  return absl::StrSplit(site, absl::ByAnyChar(" ,;"), absl::SkipEmpty());
}

std::optional<v1::Side> TakeSide(std::vector<std::string>* words) {
  std::optional<v1::Side> side;
  std::erase_if(*words, [&](const std::string& word) {
    const std::string lower = absl::AsciiStrToLower(word);
    const bool left = lower == "l" || lower == "left";
    if (!left && lower != "r" && lower != "right") return false;
    side = left ? v1::SIDE_LEFT : v1::SIDE_RIGHT;
    return true;
  });
  return side;
}

uint32_t TakeContact(std::string* site) {
  const size_t other = site->find_last_not_of("0123456789");
  const size_t begin = other == std::string::npos ? 0 : other + 1;
  const size_t space = site->find_last_of(" ,;");
  if (IsLevel(absl::string_view(*site).substr(space == std::string::npos ? 0 : space + 1)))
    return 0;
  uint32_t contact = 0;
  if (!absl::SimpleAtoi(absl::string_view(*site).substr(begin), &contact)) return 0;
  site->resize(begin);
  return contact;
}

}  // namespace remora::agent
