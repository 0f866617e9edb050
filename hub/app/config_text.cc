// The configuration file's grammar, apart from what its settings mean: toml++ is a large header.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "absl/strings/str_cat.h"
#include "hub/app/hub_options.h"

namespace remora::hub {
namespace {

absl::Status WrongAt(const std::string& name, const toml::source_region& where,
                     absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ":", where.begin.line, ":", where.begin.column, ": ", what));
}

// The text of a string, integer or boolean.
bool TextOf(const toml::node& node, std::string* text) {
  if (const auto* string = node.as_string())
    *text = string->get();
  else if (const auto* number = node.as_integer())
    *text = absl::StrCat(number->get());
  else if (const auto* boolean = node.as_boolean())
    *text = boolean->get() ? "true" : "false";
  else
    return false;
  return true;
}

}  // namespace

absl::StatusOr<std::vector<FileSetting>> ParseConfigText(const std::string& text,
                                                         const std::string& name) {
  const toml::parse_result result = toml::parse(std::string_view(text), std::string_view(name));
  if (!result) {
    const std::string_view what = result.error().description();
    return WrongAt(name, result.error().source(), absl::string_view(what.data(), what.size()));
  }
  std::vector<FileSetting> settings;
  for (const auto& [key, node] : result.table()) {
    const std::string_view key_text = key.str();
    FileSetting setting{std::string(key_text), {}, static_cast<int>(node.source().begin.line)};
    std::string value;
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& element : *array) {
        if (!TextOf(element, &value)) {
          return WrongAt(name, element.source(), "a text or a number is expected here");
        }
        setting.values.push_back(value);
      }
    } else if (TextOf(node, &value)) {
      setting.values.push_back(value);
    } else {
      return WrongAt(name, node.source(),
                     absl::StrCat("'", setting.key, "' must be a text, a number, true or false"));
    }
    settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace remora::hub
