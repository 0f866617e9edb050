// The signal files of a WFDB record, open: which frames they hold, and the counts in them.
//
// Thread-compatible. Memory: the bytes of the frames that were read last.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "acquisition-agent/sources/byte_reader.h"
#include "acquisition-agent/sources/wfdb/header.h"
#include "acquisition-agent/sources/wfdb/samples.h"

namespace remora::agent::wfdb {

// One file with the signals in it.
class SignalFile {
 public:
  // `signals`: those of `header` whose file it is; they stand together.
  SignalFile(std::unique_ptr<ByteReader> bytes, const Header& header, std::vector<int> signals);

  const std::vector<int>& signals() const { return signals_; }
  int64_t frames() const { return frames_; }  // whole ones that the file holds
  int64_t left_over_samples() const { return left_over_samples_; }
  uint64_t size_bytes() const { return bytes_->size_bytes(); }

  // Makes frames [first, first + count) of the file readable.
  //   kDataLoss  the storage failed
  absl::Status Load(int64_t first, int64_t count);
  // A count of a loaded frame: sample `sample` in it of signal signals()[place].
  int32_t At(int64_t frame, int place, int64_t sample) const {
    return SampleAt(format_, loaded_,
                    frame * samples_per_frame_ + place_in_frame_[place] + sample - loaded_from_);
  }

 private:
  const std::unique_ptr<ByteReader> bytes_;
  const std::vector<int> signals_;
  const FormatInfo format_;
  const int64_t offset_bytes_;
  int64_t samples_per_frame_ = 0;
  std::vector<int64_t> place_in_frame_;  // of the first sample of each signal
  int64_t frames_ = 0;
  int64_t left_over_samples_ = 0;
  int64_t first_loaded_ = 0;  // frames
  int64_t count_loaded_ = 0;
  int64_t loaded_from_ = 0;  // the sample that loaded_ begins with
  std::vector<uint8_t> loaded_;
};

// Opens the files that the header names.
//   kInvalidArgument, kNotFound  naming the file
absl::StatusOr<std::vector<std::unique_ptr<SignalFile>>> OpenSignalFiles(const Header& header,
                                                                         const OpenNamed& open);

// What the samples of a signal are, against what the header says of them.
struct Measured {
  uint16_t checksum = 0;  // the sum of all of them
  int32_t first = 0;
  int32_t lowest = 0;  // but those that stand for "no value"
  int32_t highest = 0;
  bool any = false;  // value
};
// Reads `frames` frames of the file, all signals.
absl::StatusOr<std::vector<Measured>> Measure(const Header& header, int64_t frames,
                                              SignalFile* file);

}  // namespace remora::agent::wfdb
