#include "acquisition-agent/sources/byte_reader.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"

namespace remora::agent {
namespace {

std::string TempPath(const std::string& name) {
  return (std::filesystem::path(::testing::TempDir()) / name).string();
}

void ExpectReadsOnlyInside(const ByteReader& reader) {
  ASSERT_EQ(reader.size_bytes(), 10u);
  std::vector<uint8_t> out(4);
  ASSERT_TRUE(reader.ReadAt(6, out).ok());
  EXPECT_EQ(out, (std::vector<uint8_t>{'6', '7', '8', '9'}));
  EXPECT_EQ(reader.ReadAt(7, out).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(reader.ReadAt(UINT64_MAX, out).code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(reader.ReadAt(10, {}).ok());
  EXPECT_EQ(reader.ReadAt(11, {}).code(), absl::StatusCode::kOutOfRange);
}

TEST(MemoryByteReader, ReadsOnlyInside) {
  ExpectReadsOnlyInside(MemoryByteReader({'0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}));
}

TEST(FileByteReader, ReadsOnlyInside) {
  const std::string path = TempPath("remora_byte_reader_test.bin");
  std::ofstream(path) << "0123456789";
  auto reader = OpenFileByteReader(path);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ExpectReadsOnlyInside(**reader);
  std::filesystem::resize_file(path, 5);
  std::vector<uint8_t> out(4);
  EXPECT_EQ((*reader)->ReadAt(3, out).code(), absl::StatusCode::kDataLoss);
  std::remove(path.c_str());
}

TEST(FileByteReader, HostilePathsAreRefusedWithTheirReason) {
  EXPECT_EQ(OpenFileByteReader("/nonexistent/x.edf").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(OpenFileByteReader(::testing::TempDir()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenFileByteReader("/dev/zero").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace remora::agent
