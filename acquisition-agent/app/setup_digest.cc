#include "acquisition-agent/app/setup_digest.h"

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"

namespace remora::agent {

uint64_t SetupDigest(const std::string& source_uri, const CasePlan& plan) {
  std::string all = absl::StrCat(source_uri.size(), ":", source_uri);
  for (const google::protobuf::Message* part :
       {static_cast<const google::protobuf::Message*>(&plan.plan),
        static_cast<const google::protobuf::Message*>(&plan.montage),
        static_cast<const google::protobuf::Message*>(&plan.criteria)}) {
    const std::string bytes = part->SerializeAsString();
    absl::StrAppend(&all, bytes.size(), ":", bytes);
  }
  return RecordDigest(all);
}

}  // namespace remora::agent
