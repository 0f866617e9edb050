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

TEST(FilesBeside, OpensPlainNamesInTheFolderOfTheHeader) {
  const std::string folder = TempPath("remora_files_beside");
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/case.eeg") << "0123456789";
  const OpenNamed open = FilesBeside(folder + "/case.vhdr");
  const auto file = open("case.eeg");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*ReadWhole(**file, 10, "it"), "0123456789");
  EXPECT_EQ(ReadWhole(**file, 9, "the marker file").status().message(),
            "the marker file has 10 bytes; at most 9 are read");
  EXPECT_EQ(open("other.eeg").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(FilesBeside("case.vhdr")("remora_nothing_here.eeg").ok());
  std::filesystem::remove_all(folder);
}

TEST(FilesBeside, HostileNamesLeadNowhere) {
  const OpenNamed open = FilesBeside("/tmp/case.vhdr");
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("../etc/passwd"),
        std::string("/etc/passwd"), std::string("a\\b"), std::string("a\0b", 3)}) {
    EXPECT_EQ(open(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace remora::agent
