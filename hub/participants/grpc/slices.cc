#include "hub/participants/grpc/slices.h"

#include <atomic>
#include <utility>
#include <vector>

namespace remora::hub {
namespace {

// Below this, gRPC keeps a slice's bytes inside the slice: a copy costs less than an owner.
constexpr size_t kInlineBytes = GRPC_SLICE_INLINED_SIZE;

// Keeps a batch's bytes alive for all of its slices with one allocation.
struct BatchOwner {
  std::vector<SharedBytes> bytes;
  std::atomic<size_t> slices_left{0};

  static void Release(void* owner_pointer) {
    auto* owner = static_cast<BatchOwner*>(owner_pointer);
    if (owner->slices_left.fetch_sub(1, std::memory_order_acq_rel) == 1) delete owner;
  }
};

}  // namespace

::grpc::ByteBuffer ToByteBuffer(WriteBatch batch) {
  auto* owner = new BatchOwner;
  owner->bytes = std::move(batch.slices);
  // The owner's vector may go with its last slice: everything is read before that one is made.
  std::vector<::grpc::Slice> slices;
  slices.reserve(owner->bytes.size());
  size_t shared = 0;
  for (const SharedBytes& bytes : owner->bytes) shared += bytes.size() > kInlineBytes ? 1 : 0;
  owner->slices_left = shared + 1;  // one is held here until all are made
  for (const SharedBytes& bytes : owner->bytes) {
    if (bytes.size() > kInlineBytes) {
      slices.emplace_back(const_cast<char*>(bytes.view().data()), bytes.size(),
                          &BatchOwner::Release, owner);
    } else {
      slices.emplace_back(bytes.view().data(), bytes.size());
    }
  }
  BatchOwner::Release(owner);
  return ::grpc::ByteBuffer(slices.data(), slices.size());
}

absl::string_view Contiguous(::grpc::ByteBuffer& message, ::grpc::Slice* storage) {
  if (!message.TrySingleSlice(storage).ok() && !message.DumpToSingleSlice(storage).ok()) {
    return absl::string_view();
  }
  return absl::string_view(reinterpret_cast<const char*>(storage->begin()), storage->size());
}

}  // namespace remora::hub
