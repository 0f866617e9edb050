#include "hub/participants/grpc/slices.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace remora::hub {
namespace {

std::string Whole(::grpc::ByteBuffer& buffer) {
  ::grpc::Slice storage;
  return std::string(Contiguous(buffer, &storage));
}

TEST(Slices, SharesTheBytesAndLetsThemGoWithTheMessage) {
  const SharedBytes large(std::string(4'000, 'x'));
  const SharedBytes small(std::string("small"));
  WriteBatch batch{{large, small}, large.size() + small.size()};
  {
    ::grpc::ByteBuffer buffer = ToByteBuffer(std::move(batch));
    std::vector<::grpc::Slice> slices;
    ASSERT_TRUE(buffer.Dump(&slices).ok());
    ASSERT_EQ(slices.size(), 2u);
    EXPECT_EQ(static_cast<const void*>(slices[0].begin()),
              static_cast<const void*>(large.view().data()));
    EXPECT_EQ(large.owner().use_count(), 2);
    EXPECT_EQ(Whole(buffer), std::string(4'000, 'x') + "small");
  }
  EXPECT_EQ(large.owner().use_count(), 1);
  EXPECT_EQ(small.owner().use_count(), 1);
}

TEST(Slices, OneRecordIsSharedByManyMessages) {
  const SharedBytes record(std::string(1'000, 'r'));
  std::vector<::grpc::ByteBuffer> messages;
  for (int i = 0; i < 100; ++i) {
    messages.push_back(ToByteBuffer(WriteBatch{{record}, record.size()}));
  }
  EXPECT_EQ(record.owner().use_count(), 101);
  messages.clear();
  EXPECT_EQ(record.owner().use_count(), 1);
}

TEST(Slices, OnlySmallBytesNeedNoOwner) {
  const SharedBytes small(std::string("heartbeat"));
  ::grpc::ByteBuffer buffer = ToByteBuffer(WriteBatch{{small}, small.size()});
  EXPECT_EQ(small.owner().use_count(), 1);
  EXPECT_EQ(Whole(buffer), "heartbeat");
}

TEST(Slices, JoinsWhatCameInPieces) {
  const std::vector<::grpc::Slice> pieces = {::grpc::Slice(std::string(100, 'a')),
                                             ::grpc::Slice(std::string(100, 'b'))};
  ::grpc::ByteBuffer buffer(pieces.data(), pieces.size());
  EXPECT_EQ(Whole(buffer), std::string(100, 'a') + std::string(100, 'b'));
}

TEST(Slices, AnEmptyMessageIsEmpty) {
  ::grpc::ByteBuffer buffer = ToByteBuffer(WriteBatch{});
  EXPECT_EQ(Whole(buffer), "");
}

}  // namespace
}  // namespace remora::hub
