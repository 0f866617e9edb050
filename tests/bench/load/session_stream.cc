#include "tests/bench/load/session_stream.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "tests/bench/load/load_options.h"

namespace remora::bench {
namespace {

std::shared_ptr<grpc::Channel> ChannelOfItsOwn(const std::string& address,
                                               const std::string& tls_roots) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  if (tls_roots.empty()) {
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = tls_roots;
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(ssl), arguments);
}

}  // namespace

SessionStream::SessionStream(const std::string& address, const std::string& tls_roots,
                             const std::string& token, Handlers handlers)
    : handlers_(std::move(handlers)),
      channel_(ChannelOfItsOwn(address, tls_roots)),
      stub_(channel_) {
  context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  stub_.PrepareBidiStreamingCall(&context_, kSessionMethod, grpc::StubOptions(), this);
}

void SessionStream::Open() {
  {
    MutexLock lock(&mutex_);
    reading_ = true;
  }
  AddHold();  // reads and writes also start outside gRPC's calls
  StartRead(&read_buffer_);
  StartCall();
}

void SessionStream::Send(std::string up) {
  MutexLock lock(&mutex_);
  waiting_.push_back({std::move(up), false});
  WriteNext();
}

void SessionStream::SendRecords(absl::string_view frames) {
  MutexLock lock(&mutex_);
  if (waiting_.empty() || !waiting_.back().records ||
      waiting_.back().bytes.size() + frames.size() > kMaxBatchBytes) {
    waiting_.push_back({"", true});
  }
  waiting_.back().bytes.append(frames.data(), frames.size());
  WriteNext();
}

void SessionStream::WriteNext() {
  if (writing_ || ended_ || waiting_.empty()) return;
  writing_ = true;
  auto* owned = new std::string(std::move(waiting_.front().bytes));
  waiting_.pop_front();
  grpc::Slice slice(
      owned->data(), owned->size(), [](void* bytes) { delete static_cast<std::string*>(bytes); },
      owned);
  write_buffer_ = grpc::ByteBuffer(&slice, 1);
  StartWrite(&write_buffer_);
}

void SessionStream::OnWriteDone(bool ok) {
  MutexLock lock(&mutex_);
  writing_ = false;
  if (ok) WriteNext();
}

void SessionStream::PauseReading() {
  MutexLock lock(&mutex_);
  paused_ = true;
}

void SessionStream::ResumeReading() {
  MutexLock lock(&mutex_);
  paused_ = false;
  if (reading_ || ended_) return;
  reading_ = true;
  StartRead(&read_buffer_);
}

void SessionStream::OnReadDone(bool ok) {
  if (!ok) {
    {
      MutexLock lock(&mutex_);
      reading_ = false;
      if (std::exchange(ended_, true)) return;
    }
    RemoveHold();
    return;
  }
  std::vector<grpc::Slice> slices;
  (void)read_buffer_.Dump(&slices);
  down_.clear();
  for (const grpc::Slice& slice : slices) {
    down_.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  handlers_.on_down(down_);
  MutexLock lock(&mutex_);
  reading_ = !paused_;
  if (reading_) StartRead(&read_buffer_);
}

void SessionStream::OnDone(const grpc::Status& status) {
  if (handlers_.on_end)
    handlers_.on_end(absl::StrCat(status.error_code(), " ", status.error_message()));
}

}  // namespace remora::bench
