#include "acquisition-agent/sources/edf/header.h"

#include <memory>

#include "acquisition-agent/sources/testing/edf_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::edf {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TestRecording Plain() {
  TestRecording recording;
  recording.signals = {TestSignal{}, TestSignal{}};
  recording.signals[1].label = "EEG Fz";
  return recording;
}

absl::StatusOr<Header> Read(const TestRecording& recording) {
  return ReadHeader(MemoryByteReader(WriteRecording(recording)));
}

std::string ErrorOf(const TestRecording& recording) {
  const absl::StatusOr<Header> header = Read(recording);
  if (header.ok()) return "no error";
  EXPECT_EQ(header.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(header.status().message());
}

TEST(ReadHeader, ReadsEveryField) {
  const absl::StatusOr<Header> header = Read(Plain());
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->format, Format::kEdf);
  EXPECT_EQ(header->continuity, Continuity::kPlain);
  EXPECT_EQ(header->start_local, absl::CivilSecond(2020, 3, 2, 9, 10, 11));
  EXPECT_EQ(header->records, 3);
  EXPECT_EQ(header->record_duration_ns, 1'000'000'000);
  EXPECT_EQ(header->record_bytes, 40);
  EXPECT_THAT(header->notes, IsEmpty());
  ASSERT_EQ(header->signals.size(), 2u);
  const Signal& signal = header->signals[1];
  EXPECT_EQ(signal.label, "EEG Fz");
  EXPECT_EQ(signal.transducer, "AgAgCl");
  EXPECT_EQ(signal.prefilter, "HP:0.1Hz");
  EXPECT_EQ(signal.record_offset_bytes, 20);
  EXPECT_NEAR(signal.gain(), 0.1, 1e-12);
  EXPECT_NEAR(signal.offset(), 0, 1e-9);
}

TEST(ReadHeader, DerivesTheNumberOfRecordsOfAFileThatWasNotClosed) {
  TestRecording recording = Plain();
  recording.records_text = "-1";
  const absl::StatusOr<Header> header = Read(recording);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->records, 3);
  EXPECT_THAT(header->notes, Contains(HasSubstr("is -1")));
}

TEST(ReadHeader, NotesAFileThatEndsEarlyOrLate) {
  TestRecording recording = Plain();
  recording.records_text = "5";
  std::vector<uint8_t> bytes = WriteRecording(recording);
  bytes.resize(bytes.size() - 7);
  absl::StatusOr<Header> header = ReadHeader(MemoryByteReader(bytes));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->records, 2);
  EXPECT_EQ(header->partial_record_bytes, 33);
  EXPECT_THAT(header->notes, Contains(HasSubstr("promises 5 records, the file holds 2")));
  recording.records_text = "2";
  header = Read(recording);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->records, 2);
  EXPECT_THAT(header->notes, Contains(HasSubstr("40 more bytes")));
}

TEST(ReadHeader, LeavesOutASignalWithoutAScaleAndSaysWhy) {
  TestRecording recording = Plain();
  recording.signals[1].physical_max = recording.signals[1].physical_min;
  absl::StatusOr<Header> header = Read(recording);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_THAT(header->signals[1].problem, HasSubstr("they must differ"));
  EXPECT_THAT(header->notes, Contains(HasSubstr("\"EEG Fz\" is left out")));
  recording = Plain();
  recording.signals[0].digital_min = "32767";
  header = Read(recording);
  ASSERT_TRUE(header.ok());
  EXPECT_THAT(header->signals[0].problem, HasSubstr("the minimum must be smaller"));
  recording = Plain();
  recording.signals[0].digital_max = "70000";
  header = Read(recording);
  ASSERT_TRUE(header.ok());
  EXPECT_THAT(header->signals[0].problem, HasSubstr("a whole number from -32768 to 32767"));
}

TEST(ReadHeader, TakesTheYearOfEdfPlusAndToleratesOddStarts) {
  TestRecording recording = Plain();
  recording.reserved = "EDF+C";
  recording.start_date = "02.03.yy";
  absl::StatusOr<Header> header = Read(recording);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->start_local, absl::CivilSecond(2020, 3, 2, 9, 10, 11));
  recording.reserved = "";
  header = Read(recording);
  ASSERT_TRUE(header.ok());
  EXPECT_FALSE(header->start_local);
  EXPECT_THAT(header->notes, Contains(HasSubstr("the start is unknown")));
  recording.start_date = "31.02.20";
  EXPECT_FALSE(Read(recording)->start_local);
  recording.start_date = "01.02.99";
  EXPECT_EQ(Read(recording)->start_local->year(), 1999);
}

TEST(ReadHeader, ToleratesADecimalCommaAndNotesIt) {
  TestRecording recording = Plain();
  recording.record_duration_s = "0,5";
  const absl::StatusOr<Header> header = Read(recording);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->record_duration_ns, 500'000'000);
  EXPECT_THAT(header->notes, Contains(HasSubstr("decimal comma")));
}

TEST(ReadHeader, HostileFieldsNameByteAndRemedy) {
  TestRecording r = Plain();
  r.version = "PK\x03\x04";
  EXPECT_THAT(ErrorOf(r), HasSubstr("an EDF recording begins with"));
  r = Plain();
  r.header_bytes = "512";
  EXPECT_THAT(
      ErrorOf(r),
      HasSubstr(
          "the header length at byte 184 is \"512\"; for 2 signals (byte 252) it must be 768"));
  r = Plain();
  r.records_text = "-2";
  EXPECT_THAT(
      ErrorOf(r),
      HasSubstr("the number of records at byte 236 is \"-2\"; it must be a whole number from -1"));
  r = Plain();
  r.records_text = "ten";
  EXPECT_THAT(ErrorOf(r), HasSubstr("byte 236"));
  r = Plain();
  r.signals_text = "0";
  EXPECT_THAT(ErrorOf(r), HasSubstr("the number of signals at byte 252"));
  for (const char* bad : {"-5", "9999", "1e6", "abc", "", "1.5"}) {
    r = Plain();
    r.signals_text = bad;
    if (r.signals_text.empty()) r.signals_text = " ";
    EXPECT_THAT(ErrorOf(r), HasSubstr("byte 252")) << bad;
  }
  for (const char* bad : {"-1", "nan", "inf", "1e300", "", "0x10", "1 2"}) {
    r = Plain();
    r.record_duration_s = bad;
    EXPECT_THAT(ErrorOf(r), HasSubstr("byte 244")) << bad;
  }
  r = Plain();
  r.record_duration_s = "0";
  EXPECT_THAT(ErrorOf(r), HasSubstr("can be 0 only where all signals are annotations"));
  r = Plain();
  r.record_duration_s = "99999999";
  r.records_text = "99999999";
  EXPECT_THAT(ErrorOf(r), HasSubstr("are more than 3660 days"));
}

TEST(ReadHeader, HostileSampleCountsAllocateNothing) {
  for (const int count : {-1, 99'999'999, 33'554'433}) {
    TestRecording r = Plain();
    r.records = 0;
    r.signals[1].samples_per_record = count;
    EXPECT_THAT(ErrorOf(r), HasSubstr("samples per record of signal 2 at byte ")) << count;
  }
  TestRecording r = Plain();
  r.records = 0;
  for (TestSignal& signal : r.signals) signal.samples_per_record = 30'000'000;
  EXPECT_THAT(ErrorOf(r), HasSubstr("a record is more than 67108864 bytes"));
}

TEST(ReadHeader, HostileTruncationAtEveryByteIsAnErrorNotACrash) {
  const std::vector<uint8_t> whole = WriteRecording(Plain());
  for (size_t length = 0; length < 768; ++length) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + length);
    const absl::StatusOr<Header> header = ReadHeader(MemoryByteReader(cut));
    ASSERT_FALSE(header.ok()) << length;
    EXPECT_EQ(header.status().code(), absl::StatusCode::kInvalidArgument) << length;
  }
}

TEST(ReadHeader, HostileFlipOfEveryHeaderByteIsAnErrorOrAValidHeader) {
  const std::vector<uint8_t> whole = WriteRecording(Plain());
  for (size_t at = 0; at < 768; ++at) {
    for (const int value : std::initializer_list<int>{0, 0xFF, '-', '9', '0', '.', ' ', 'e'}) {
      std::vector<uint8_t> bytes = whole;
      bytes[at] = static_cast<uint8_t>(value);
      const absl::StatusOr<Header> header = ReadHeader(MemoryByteReader(bytes));
      if (!header.ok()) {
        EXPECT_FALSE(header.status().message().empty());
        continue;
      }
      EXPECT_GT(header->record_bytes, 0);
      EXPECT_LE(header->header_bytes + header->records * header->record_bytes,
                static_cast<int64_t>(bytes.size()));
    }
  }
}

}  // namespace
}  // namespace remora::agent::edf
