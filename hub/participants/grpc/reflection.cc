#include "hub/participants/grpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <deque>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/wire_reader.h"
#include "common/wire_writer.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// Fields of ServerReflectionRequest and ServerReflectionResponse.
constexpr uint32_t kFileByFilename = 3;
constexpr uint32_t kFileContainingSymbol = 4;
constexpr uint32_t kListServices = 7;
constexpr uint32_t kOriginalRequest = 2;
constexpr uint32_t kFileDescriptorResponse = 4;
constexpr uint32_t kListServicesResponse = 6;
constexpr uint32_t kErrorResponse = 7;

// The file and all that it builds on, encoded as FileDescriptorResponse.
void AppendFiles(const FileDescriptor& file, std::set<const FileDescriptor*>* seen,
                 std::string* out) {
  if (!seen->insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  AppendBytesField(1, proto.SerializeAsString(), out);
  for (int i = 0; i < file.dependency_count(); ++i) AppendFiles(*file.dependency(i), seen, out);
}

void AppendFile(const FileDescriptor* file, std::string* out) {
  std::string body;
  if (file == nullptr) {
    AppendVarintField(1, static_cast<uint64_t>(absl::StatusCode::kNotFound), &body);
    AppendBytesField(2, "this hub knows no such thing", &body);
    AppendBytesField(kErrorResponse, body, out);
    return;
  }
  std::set<const FileDescriptor*> seen;
  AppendFiles(*file, &seen, &body);
  AppendBytesField(kFileDescriptorResponse, body, out);
}

class ReflectionCall final : public GrpcCall {
 public:
  ReflectionCall(std::vector<std::string> services, int* calls, CallOutput& output)
      : services_(std::move(services)), calls_(calls), output_(output) {
    ++*calls_;
  }
  ~ReflectionCall() override { --*calls_; }

  void OnMessage(absl::string_view request) override {
    if (requests_.size() >= kMaxReflectionRequests) {
      requests_.clear();
      output_.Finish(absl::ResourceExhaustedError("read what you are sent"));
      return;
    }
    requests_.emplace_back(request);
    output_.WriteLater();
  }
  void OnInputEnd(const absl::Status& status) override {
    if (!input_ended_) input_status_ = status;
    input_ended_ = true;
    output_.WriteLater();
  }
  bool is_waiting_for_request() const override { return requests_.empty() && !writing_; }
  void OnWritten() override {
    writing_ = false;
    output_.WriteLater();
  }
  // One answer a turn.
  void WriteNow() override {
    if (writing_) return;
    if (requests_.empty()) {
      if (input_ended_) output_.Finish(input_status_);
      return;
    }
    writing_ = true;
    WriteBatch batch;
    batch.slices.emplace_back(Answer(requests_.front()));
    batch.bytes = batch.slices[0].size();
    requests_.pop_front();
    output_.Send(std::move(batch));
  }

 private:
  std::string Answer(absl::string_view request) const {
    std::string out;
    AppendBytesField(kOriginalRequest, request, &out);
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    WireReader reader(request);
    while (!reader.AtEnd()) {
      uint32_t field;
      WireType type;
      absl::string_view value;
      if (!reader.ReadTag(&field, &type) || type != WireType::kBytes || !reader.ReadBytes(&value)) {
        break;
      }
      if (field == kFileByFilename) {
        AppendFile(pool.FindFileByName(std::string(value)), &out);
        return out;
      }
      if (field == kFileContainingSymbol) {
        AppendFile(pool.FindFileContainingSymbol(std::string(value)), &out);
        return out;
      }
      if (field == kListServices) {
        AppendServices(&out);
        return out;
      }
    }
    AppendFile(nullptr, &out);
    return out;
  }

  void AppendServices(std::string* out) const {
    std::string list;
    for (const std::string& name : services_) {
      std::string service;
      AppendBytesField(1, name, &service);
      AppendBytesField(1, service, &list);
    }
    AppendBytesField(kListServicesResponse, list, out);
  }

  const std::vector<std::string> services_;
  int* const calls_;
  CallOutput& output_;
  std::deque<std::string> requests_;
  absl::Status input_status_;
  bool input_ended_ = false;
  bool writing_ = false;
};

}  // namespace

std::unique_ptr<GrpcCall> NewReflectionCall(std::vector<std::string> services, int* calls,
                                            CallOutput& output) {
  return std::make_unique<ReflectionCall>(std::move(services), calls, output);
}

}  // namespace remora::hub
