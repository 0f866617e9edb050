#include "acquisition-agent/sources/wfdb/signal_files.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/text.h"

namespace remora::agent::wfdb {
namespace {

// How many samples are measured at a time.
constexpr int64_t kMeasuredSamples = 1 << 18;

}  // namespace

SignalFile::SignalFile(std::unique_ptr<ByteReader> bytes, const Header& header,
                       std::vector<int> signals)
    : bytes_(std::move(bytes)),
      signals_(std::move(signals)),
      format_(*FindFormat(header.signals[signals_[0]].format)),
      offset_bytes_(header.signals[signals_[0]].byte_offset) {
  for (const int signal : signals_) {
    place_in_frame_.push_back(samples_per_frame_);
    samples_per_frame_ += header.signals[signal].samples_per_frame;
  }
  const int64_t size =
      static_cast<int64_t>(std::min<uint64_t>(bytes_->size_bytes(), int64_t{1} << 50));
  const int64_t samples = SamplesIn(format_, std::max<int64_t>(size - offset_bytes_, 0));
  frames_ = samples / samples_per_frame_;
  left_over_samples_ = samples % samples_per_frame_;
}

absl::Status SignalFile::Load(int64_t first, int64_t count) {
  if (first == first_loaded_ && count == count_loaded_) return absl::OkStatus();
  count_loaded_ = 0;
  const int64_t first_pack = first * samples_per_frame_ / format_.samples_per_pack;
  const int64_t end_sample = (first + count) * samples_per_frame_;
  const int64_t end_pack = (end_sample + format_.samples_per_pack - 1) / format_.samples_per_pack;
  const int64_t from = offset_bytes_ + first_pack * format_.bytes_per_pack;
  // The last pack of the file may be short of bytes.
  const int64_t end = std::min(offset_bytes_ + end_pack * format_.bytes_per_pack,
                               static_cast<int64_t>(bytes_->size_bytes()));
  loaded_.resize(static_cast<size_t>(std::max<int64_t>(end - from, 0)));
  if (absl::Status status = bytes_->ReadAt(static_cast<uint64_t>(from), loaded_); !status.ok())
    return status;
  loaded_from_ = first_pack * format_.samples_per_pack;
  first_loaded_ = first;
  count_loaded_ = count;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::unique_ptr<SignalFile>>> OpenSignalFiles(const Header& header,
                                                                         const OpenNamed& open) {
  std::vector<std::unique_ptr<SignalFile>> files;
  for (size_t i = 0; i < header.signals.size();) {
    const std::string& name = header.signals[i].file;
    std::vector<int> signals;
    while (i < header.signals.size() && header.signals[i].file == name) {
      signals.push_back(static_cast<int>(i++));
    }
    absl::StatusOr<std::unique_ptr<ByteReader>> bytes = open(name);
    if (!bytes.ok()) {
      return absl::Status(
          bytes.status().code(),
          absl::StrCat("the signal file of \"", header.signals[signals[0]].description,
                       "\": ", bytes.status().message()));
    }
    const int64_t offset = header.signals[signals[0]].byte_offset;
    if ((*bytes)->size_bytes() < static_cast<uint64_t>(offset)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the signal file ", CleanText(name), " has ", (*bytes)->size_bytes(),
                       " bytes; its samples are to begin at byte ", offset));
    }
    files.push_back(std::make_unique<SignalFile>(*std::move(bytes), header, std::move(signals)));
  }
  return files;
}

absl::StatusOr<std::vector<Measured>> Measure(const Header& header, int64_t frames,
                                              SignalFile* file) {
  std::vector<Measured> all(file->signals().size());
  int64_t frame_samples = 0;
  for (const int signal : file->signals())
    frame_samples += header.signals[signal].samples_per_frame;
  const int64_t step = std::max<int64_t>(kMeasuredSamples / frame_samples, 1);
  for (int64_t first = 0; first < frames; first += step) {
    const int64_t count = std::min(step, frames - first);
    if (absl::Status status = file->Load(first, count); !status.ok()) return status;
    for (size_t place = 0; place < all.size(); ++place) {
      const Signal& signal = header.signals[file->signals()[place]];
      const int64_t no_value = FindFormat(signal.format)->lowest();
      Measured& measured = all[place];
      if (first == 0) measured.first = file->At(0, static_cast<int>(place), 0);
      uint32_t sum = measured.checksum;
      for (int64_t frame = first; frame < first + count; ++frame) {
        for (int64_t k = 0; k < signal.samples_per_frame; ++k) {
          const int32_t value = file->At(frame, static_cast<int>(place), k);
          sum += static_cast<uint32_t>(value);
          if (value == no_value) continue;
          measured.lowest = measured.any ? std::min(measured.lowest, value) : value;
          measured.highest = measured.any ? std::max(measured.highest, value) : value;
          measured.any = true;
        }
      }
      measured.checksum = static_cast<uint16_t>(sum);
    }
  }
  return all;
}

}  // namespace remora::agent::wfdb
