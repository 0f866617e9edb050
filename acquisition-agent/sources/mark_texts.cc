#include "acquisition-agent/sources/mark_texts.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent {

absl::StatusOr<int32_t> MarkTexts::Add(absl::string_view raw) {
  if (static_cast<int64_t>(raw.size()) > kMaxMarkText) {
    ++cut_;
    size_t length = kMaxMarkText;  // not inside a UTF-8 sequence
    while (length > kMaxMarkText - 3 && (static_cast<uint8_t>(raw[length]) & 0xC0) == 0x80)
      --length;
    raw = raw.substr(0, length);
  }
  std::string text = CleanText(raw);
  const auto [entry, is_new] = index_.try_emplace(text, static_cast<int32_t>(texts_.size()));
  if (!is_new) return entry->second;
  bytes_ += static_cast<int64_t>(text.size());
  if (bytes_ > kMaxMarkTextBytes || entry->second >= kMaxDistinctTexts) {
    return absl::ResourceExhaustedError(absl::StrCat("the marks have more than ", kMaxDistinctTexts,
                                                     " distinct texts, or ", kMaxMarkTextBytes,
                                                     " bytes of them"));
  }
  texts_.push_back(std::move(text));
  return entry->second;
}

absl::Status MarkTexts::GiveTo(const TriggerOptions& options, Recording* recording) const {
  absl::StatusOr<TriggerChoice> choice = ChooseTriggers(options, texts_, recording->info.channels);
  if (!choice.ok()) return choice.status();
  for (const std::string& text : texts_) {
    MarkText& added = recording->texts.emplace_back();
    added.text = text;
    if (choice->annotations && absl::StartsWith(text, options.annotation_prefix)) {
      added.stimulus = TriggerFromMarker(text, options.annotation_prefix, options);
    }
  }
  recording->trigger_channel = choice->channel;
  recording->options.triggers = options;
  if (!choice->note.empty()) recording->info.notes.push_back(choice->note);
  if (cut_ > 0) {
    recording->info.notes.push_back(
        absl::StrCat(cut_, " texts of marks are longer than ", kMaxMarkText, " bytes; cut"));
  }
  return absl::OkStatus();
}

}  // namespace remora::agent
