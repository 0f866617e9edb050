// Reads the words of one line of a scenario, and remembers the first thing that was wrong, so that
// a parser is written as what it expects. After an error every call returns a default and changes
// nothing.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace remora::agent::sim {

// The candidate closest to `word` if it is close enough to be meant, as " (did you mean \"x\"?)";
// otherwise "".
std::string DidYouMean(absl::string_view word, absl::Span<const std::string> candidates);

class WordReader {
 public:
  explicit WordReader(absl::string_view line);

  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  void Fail(std::string error);

  bool AtEnd() const { return next_ >= words_.size(); }
  // Whether a number comes next.
  bool AtNumber() const;
  absl::string_view Peek() const { return AtEnd() ? absl::string_view() : words_[next_]; }
  // Takes the next word if it is `word`, without regard to case.
  bool Take(absl::string_view word);
  // Takes the next word, which must be one of `choices`; returns which, or -1 after an error.
  // `what` is for the message: "a nerve".
  int TakeOneOf(absl::string_view what, absl::Span<const std::string> choices);
  // "30 s", "30s", "1.5 min": a number and one of `units` (name and factor), in [low, high] of the
  // base unit (the first of `units`).
  struct Unit {
    std::string name;
    double factor;
  };
  // `unit`: which of them was written, if anybody asks.
  double TakeQuantity(absl::string_view what, const std::vector<Unit>& units, double low,
                      double high, int* unit = nullptr);
  double TakeSeconds(absl::string_view what, double low, double high);
  double TakeMicrovolts(absl::string_view what, double low, double high);
  double TakeHertz(absl::string_view what, double low, double high);
  double TakeMilliamps(absl::string_view what, double low, double high);
  double TakeMilliseconds(absl::string_view what, double low, double high);
  int TakeCount(absl::string_view what, int low, int high);
  double TakeFactor(absl::string_view what, double low, double high);
  // Everything that is left, as it was written.
  absl::string_view TakeRest();
  void ExpectEnd();

 private:
  absl::string_view line_;
  std::vector<absl::string_view> words_;
  size_t next_ = 0;
  std::string error_;
};

}  // namespace remora::agent::sim
