#include "acquisition-agent/plan/field_places.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/text_proto.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// Walks a message beside what the parser noted of it.
class PlaceFinder {
 public:
  explicit PlaceFinder(FieldPlaces* places) : places_(*places) {}

  void Walk(const Message& message, const TextFormat::ParseInfoTree& tree,
            const std::string& prefix) {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      if (!field->is_repeated()) {
        Note(message, *field, -1, tree, absl::StrCat(prefix, field->name()));
        continue;
      }
      const int count = message.GetReflection()->FieldSize(message, field);
      for (int i = 0; i < count; ++i) {
        Note(message, *field, i, tree, absl::StrCat(prefix, field->name(), "[", i, "]"));
      }
    }
  }

 private:
  void Note(const Message& message, const FieldDescriptor& field, int index,
            const TextFormat::ParseInfoTree& tree, const std::string& path) {
    const TextFormat::ParseLocation place = tree.GetLocation(&field, index);
    if (place.line >= 0) places_.places_[path] = {place.line + 1, place.column + 1};
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    const TextFormat::ParseInfoTree* inner = tree.GetTreeForNested(&field, index);
    if (inner == nullptr) return;
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    Walk(index < 0 ? reflection.GetMessage(message, &field)
                   : reflection.GetRepeatedMessage(message, &field, index),
         *inner, absl::StrCat(path, "."));
  }

  FieldPlaces& places_;
};

FieldPlaces FieldPlaces::Find(const std::string& text, const Message& message) {
  FieldPlaces places;
  const std::unique_ptr<Message> again(message.New());
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.WriteLocationsTo(&tree);
  if (parser.ParseFromString(text, again.get())) PlaceFinder(&places).Walk(*again, tree, "");
  return places;
}

std::string FieldPlaces::At(absl::string_view file, absl::string_view field) const {
  if (field.empty()) return std::string(file);
  // Outwards: "evoked[2].filter.order", "evoked[2].filter", "evoked[2]".
  for (std::string around(field); !around.empty();) {
    if (const auto place = places_.find(around); place != places_.end()) {
      return absl::StrCat(file, ":", place->second.first, ":", place->second.second, ": ", field);
    }
    const size_t dot = around.rfind('.');
    around.resize(dot == std::string::npos ? 0 : dot);
  }
  return absl::StrCat(file, ": ", field);
}

absl::Status ParseWithPlaces(const std::string& text, const std::string& path, Message* message,
                             FieldPlaces* places) {
  RETURN_IF_ERROR(ParseTextProto(text, path, message));
  *places = FieldPlaces::Find(text, *message);
  return absl::OkStatus();
}

}  // namespace remora::agent
