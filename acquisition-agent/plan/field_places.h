// Where each field of a file that a person wrote stands, so that a mistake found after parsing
// still names line and column.
//
// A value; the default one knows no places.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace remora::agent {

class FieldPlaces {
 public:
  // `text` has been parsed as `message`'s type without an error.
  static FieldPlaces Find(const std::string& text, const google::protobuf::Message& message);

  // "FILE:LINE:COLUMN: FIELD" for a field such as "evoked[2].filter.order". One that the file
  // leaves out stands where the nearest one around it does; "FILE: FIELD" where there is none. An
  // empty field is the whole file.
  std::string At(absl::string_view file, absl::string_view field) const;

 private:
  friend class PlaceFinder;

  std::map<std::string, std::pair<int, int>> places_;  // by field: line and column, from 1
};

// Parses the text of the file `path` into `message` and `places`. InvalidArgument with line and
// column.
absl::Status ParseWithPlaces(const std::string& text, const std::string& path,
                             google::protobuf::Message* message, FieldPlaces* places);

}  // namespace remora::agent
