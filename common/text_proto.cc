#include "common/text_proto.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/utf8.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace remora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The largest file that a person writes: a criteria pack has some hundred rows.
constexpr uint64_t kMaxTextProtoBytes = 1024 * 1024;
// Files of people nest three or four deep.
constexpr int kMaxTextProtoNesting = 32;

// How many letters to insert, remove or change to get from one word to the other.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// The name that was probably meant; empty when none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& names) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(word, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

// The first enum among the fields named `name`, in `type` or in messages within it.
const google::protobuf::EnumDescriptor* FindEnumOfField(const Descriptor* type,
                                                        const std::string& name,
                                                        std::set<const Descriptor*>* seen) {
  if (!seen->insert(type).second) return nullptr;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->name() == name && field->enum_type() != nullptr) return field->enum_type();
    if (field->message_type() == nullptr) continue;
    if (const auto* found = FindEnumOfField(field->message_type(), name, seen)) return found;
  }
  return nullptr;
}

// What an error is about: the word that was not understood, and the names that it could have been.
struct Misspelling {
  std::string word;  // empty: another kind of error
  std::vector<std::string> names;
};

// From the parser's message, which has the type or field and the word in quotes.
Misspelling FindMisspelling(const std::string& message, const Descriptor& root) {
  const std::vector<std::string> parts = absl::StrSplit(message, '"');
  Misspelling found;
  if (parts.size() < 4) return found;
  if (absl::StrContains(message, "has no field named")) {
    found.word = parts[3];
    const Descriptor* type = root.file()->pool()->FindMessageTypeByName(parts[1]);
    for (int i = 0; type != nullptr && i < type->field_count(); ++i) {
      found.names.push_back(type->field(i)->name());
    }
  } else if (absl::StartsWith(message, "Unknown enumeration value")) {
    found.word = parts[1];
    std::set<const Descriptor*> seen;
    const auto* values = FindEnumOfField(&root, parts[3], &seen);
    for (int i = 0; values != nullptr && i < values->value_count(); ++i) {
      found.names.push_back(values->value(i)->name());
    }
  }
  return found;
}

// Keeps the first error: later ones are mostly its consequences.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  FirstError(const std::string& text, const std::string& name, const Descriptor& root)
      : text_(text), name_(name), root_(root) {}

  void AddError(int line, int column, const std::string& message) override {
    if (!error_.empty()) return;
    const Misspelling misspelling = FindMisspelling(message, root_);
    if (!misspelling.word.empty()) MoveBackTo(misspelling.word, &line, &column);
    // Counted from 0; -1 stands for the whole file.
    error_ = line < 0 ? absl::StrCat(name_, ": ", message)
                      : absl::StrCat(name_, ":", line + 1, ":", column + 1, ": ", message);
    const std::string nearest = Nearest(misspelling.word, misspelling.names);
    if (!nearest.empty()) absl::StrAppend(&error_, " Did you mean \"", nearest, "\"?");
  }
  void AddWarning(int /*line*/, int /*column*/, const std::string& /*message*/) override {}

  const std::string& error() const { return error_; }

 private:
  // The parser has already gone on to the token behind the word.
  void MoveBackTo(const std::string& word, int* line, int* column) const {
    size_t offset = 0;
    for (int i = 0; i < *line && offset != std::string::npos; ++i) {
      offset = text_.find('\n', offset);
      if (offset != std::string::npos) ++offset;
    }
    if (offset == std::string::npos) return;
    const size_t at = text_.rfind(word, offset + static_cast<size_t>(std::max(*column, 0)));
    if (at == std::string::npos) return;
    *line =
        static_cast<int>(std::count(text_.begin(), text_.begin() + static_cast<long>(at), '\n'));
    const size_t newline = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
    *column = static_cast<int>(newline == std::string::npos ? at : at - newline - 1);
  }

  const std::string& text_;
  const std::string& name_;
  const Descriptor& root_;
  std::string error_;
};

}  // namespace

absl::Status ParseTextProto(const std::string& text, const std::string& name,
                            google::protobuf::Message* message) {
  int line_number = 1;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!IsValidUtf8(line)) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", line_number, ":1: not UTF-8"));
    }
    ++line_number;
  }
  FirstError errors(text, name, *message->GetDescriptor());
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.SetRecursionLimit(kMaxTextProtoNesting);
  if (parser.ParseFromString(text, message)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      errors.error().empty() ? absl::StrCat(name, ": not protobuf text format") : errors.error());
}

absl::Status ReadTextProto(FileSystem& files, const std::string& path,
                           google::protobuf::Message* message) {
  absl::StatusOr<std::string> text = files.ReadWhole(path, kMaxTextProtoBytes);
  if (!text.ok()) {
    return absl::IsOutOfRange(text.status()) ? absl::InvalidArgumentError(text.status().message())
                                             : text.status();
  }
  return ParseTextProto(*text, path, message);
}

}  // namespace remora
