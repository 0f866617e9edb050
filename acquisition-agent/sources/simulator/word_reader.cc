#include "acquisition-agent/sources/simulator/word_reader.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace remora::agent::sim {
namespace {

constexpr size_t kMaxWordBytes = 64;  // of a word that a suggestion is looked for

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string UnitNames(const std::vector<WordReader::Unit>& units) {
  return absl::StrJoin(units, " or ", [](std::string* out, const WordReader::Unit& unit) {
    absl::StrAppend(out, unit.name);
  });
}

}  // namespace

std::string DidYouMean(absl::string_view word, absl::Span<const std::string> candidates) {
  const std::string lower = absl::AsciiStrToLower(word.substr(0, kMaxWordBytes));
  size_t best = std::max<size_t>(1, lower.size() / 3) + 1;
  const std::string* closest = nullptr;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(lower, absl::AsciiStrToLower(candidate));
    if (distance < best) {
      best = distance;
      closest = &candidate;
    }
  }
  return closest == nullptr ? "" : absl::StrCat(" (did you mean \"", *closest, "\"?)");
}

WordReader::WordReader(absl::string_view line)
    : line_(line), words_(absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {}

void WordReader::Fail(std::string error) {
  if (ok()) error_ = std::move(error);
}

bool WordReader::Take(absl::string_view word) {
  if (!ok() || AtEnd() || !absl::EqualsIgnoreCase(Peek(), word)) return false;
  ++next_;
  return true;
}

int WordReader::TakeOneOf(absl::string_view what, absl::Span<const std::string> choices) {
  for (int i = 0; i < static_cast<int>(choices.size()); ++i) {
    if (Take(choices[i])) return i;
  }
  const std::string wanted = absl::StrCat(what, " is one of: ", absl::StrJoin(choices, ", "));
  if (AtEnd()) {
    Fail(absl::StrCat("the line ends where ", what, " should stand; ", wanted));
  } else {
    Fail(absl::StrCat("\"", Peek(), "\" is not ", what, DidYouMean(Peek(), choices), "; ", wanted));
  }
  return -1;
}

bool WordReader::AtNumber() const {
  const absl::string_view next = Peek();
  return !next.empty() && absl::string_view("0123456789.+-").find(next[0]) != next.npos;
}

double WordReader::TakeQuantity(absl::string_view what, const std::vector<Unit>& units, double low,
                                double high, int* which) {
  if (!ok()) return low;
  const std::string wanted = absl::StrCat(what, " is a number from ", low, " to ", high,
                                          " and its unit, ", UnitNames(units));
  if (AtEnd()) {
    Fail(absl::StrCat("the line ends where ", what, " should stand; ", wanted));
    return low;
  }
  absl::string_view word = words_[next_++];
  const size_t end = word.find_first_not_of("0123456789.+-");
  absl::string_view unit = end == absl::string_view::npos ? absl::string_view() : word.substr(end);
  double value = 0;
  if (!absl::SimpleAtod(word.substr(0, end), &value) || !std::isfinite(value)) {
    Fail(absl::StrCat("\"", word, "\" is no number; ", wanted));
    return low;
  }
  const bool unit_apart = unit.empty() && !units[0].name.empty();
  if (unit_apart && !AtEnd()) unit = words_[next_++];
  for (const Unit& known : units) {
    if (unit != known.name) continue;
    value *= known.factor;
    if (which != nullptr) *which = static_cast<int>(&known - units.data());
    if (value >= low && value <= high) return value;
    Fail(absl::StrCat("\"", word, unit_apart ? " " : "", unit_apart ? unit : "",
                      "\" is out of range; ", wanted));
    return low;
  }
  Fail(absl::StrCat("\"", word, "\" has ",
                    unit.empty() ? "no unit" : absl::StrCat("the unknown unit \"", unit, "\""),
                    "; ", wanted));
  return low;
}

double WordReader::TakeSeconds(absl::string_view what, double low, double high) {
  return TakeQuantity(what, {{"s", 1}, {"ms", 1e-3}, {"min", 60}, {"h", 3600}}, low, high);
}

double WordReader::TakeMicrovolts(absl::string_view what, double low, double high) {
  return TakeQuantity(what, {{"uV", 1}, {"mV", 1e3}}, low, high);
}

double WordReader::TakeHertz(absl::string_view what, double low, double high) {
  return TakeQuantity(what, {{"Hz", 1}, {"kHz", 1e3}}, low, high);
}

double WordReader::TakeMilliamps(absl::string_view what, double low, double high) {
  return TakeQuantity(what, {{"mA", 1}}, low, high);
}

double WordReader::TakeMilliseconds(absl::string_view what, double low, double high) {
  return TakeQuantity(what, {{"ms", 1}, {"us", 1e-3}}, low, high);
}

int WordReader::TakeCount(absl::string_view what, int low, int high) {
  const double value = TakeQuantity(what, {{"", 1}}, low, high);
  if (value != std::floor(value)) Fail(absl::StrCat(what, " is a whole number"));
  return static_cast<int>(value);
}

double WordReader::TakeFactor(absl::string_view what, double low, double high) {
  return TakeQuantity(what, {{"", 1}, {"%", 0.01}}, low, high);
}

absl::string_view WordReader::TakeRest() {
  if (!ok() || AtEnd()) return absl::string_view();
  const size_t at = static_cast<size_t>(words_[next_].data() - line_.data());
  next_ = words_.size();
  return absl::StripAsciiWhitespace(line_.substr(at));
}

void WordReader::ExpectEnd() {
  if (!AtEnd()) Fail(absl::StrCat("\"", Peek(), "\" is more than is understood here"));
}

}  // namespace remora::agent::sim
