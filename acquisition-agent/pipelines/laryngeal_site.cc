#include "acquisition-agent/pipelines/laryngeal_site.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/limits.h"

namespace remora::agent {
namespace {

using Nerve = LaryngealSite::Nerve;

constexpr char kBetweenWords[] = " \t,;:/-_()";

std::optional<Nerve> NerveOf(char letter) {
  if (letter == 'L') return Nerve::kLaryngoscopy;
  if (letter == 'V') return Nerve::kVagus;
  if (letter == 'R') return Nerve::kRecurrent;
  return std::nullopt;
}

char LetterOf(Nerve nerve) {
  switch (nerve) {
    case Nerve::kLaryngoscopy:
      return 'L';
    case Nerve::kVagus:
      return 'V';
    case Nerve::kRecurrent:
      break;
  }
  return 'R';
}

v1::Side SideOf(absl::string_view word) {
  if (word == "L" || word == "LEFT") return v1::SIDE_LEFT;
  if (word == "R" || word == "RIGHT") return v1::SIDE_RIGHT;
  return v1::SIDE_UNSPECIFIED;
}

// "V1", "V1L"; nothing: another word.
std::optional<LaryngealSite> StationOf(absl::string_view word) {
  if (word.size() < 2 || word.size() > 3) return std::nullopt;
  const std::optional<Nerve> nerve = NerveOf(word[0]);
  if (!nerve || (word[1] != '1' && word[1] != '2')) return std::nullopt;
  LaryngealSite site;
  site.nerve = *nerve;
  site.is_second = word[1] == '2';
  if (word.size() == 3) {
    site.side = SideOf(word.substr(2));
    if (site.side == v1::SIDE_UNSPECIFIED) return std::nullopt;
  }
  return site;
}

}  // namespace

std::optional<LaryngealSite> LaryngealSiteOf(absl::string_view text) {
  std::optional<LaryngealSite> found;
  v1::Side told = v1::SIDE_UNSPECIFIED;
  std::string rest;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(kBetweenWords), absl::SkipEmpty())) {
    const std::string upper = absl::AsciiStrToUpper(word);
    v1::Side side = SideOf(upper);
    if (const std::optional<LaryngealSite> station = StationOf(upper)) {
      if (found) return std::nullopt;
      found = station;
      side = station->side;
    } else if (side == v1::SIDE_UNSPECIFIED) {
      absl::StrAppend(&rest, rest.empty() ? "" : " ", word);
    }
    if (side == v1::SIDE_UNSPECIFIED) continue;
    if (told != v1::SIDE_UNSPECIFIED && told != side) return std::nullopt;
    told = side;
  }
  if (!found) return std::nullopt;
  found->side = told;
  found->rest = std::move(rest);
  return found;
}

std::string NameOf(const LaryngealSite& site) {
  std::string name(1, LetterOf(site.nerve));
  name += site.is_second ? '2' : '1';
  if (site.side == v1::SIDE_LEFT) absl::StrAppend(&name, " left");
  if (site.side == v1::SIDE_RIGHT) absl::StrAppend(&name, " right");
  if (site.rest.empty()) return name;
  absl::StrAppend(&name, " ", site.rest);
  // A letter may have become a word.
  size_t end = std::min(name.size(), kMaxNameBytes);
  // Not in the middle of a UTF-8 character.
  while (end < name.size() && (static_cast<uint8_t>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end);
}

}  // namespace remora::agent
