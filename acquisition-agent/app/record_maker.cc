#include "acquisition-agent/app/record_maker.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace remora::agent {

std::string EncodeRecord(const CaseIdentity& identity, uint32_t lane, uint64_t origin_seq,
                         int64_t captured_ns, int64_t wall_unix_ns, v1::Record* record) {
  record->set_case_id(identity.case_id.ToString());
  record->set_origin(identity.origin.ToString());
  record->set_lane(lane);
  record->set_origin_seq(origin_seq);
  record->mutable_captured_at()->set_boot_id(identity.boot_id);
  record->mutable_captured_at()->set_monotonic_ns(captured_ns);
  record->mutable_captured_at()->set_wall_unix_ns(wall_unix_ns);
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  {
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    record->SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace remora::agent
