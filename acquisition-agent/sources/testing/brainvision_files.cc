#include "acquisition-agent/sources/testing/brainvision_files.h"

#include <cstring>

namespace remora::agent::brainvision {

std::string HeaderOf(const TestRecording& r) {
  std::string out = r.first_line + "\r\n; written for a test\r\n\r\n[Common Infos]\r\n";
  out += "Codepage=UTF-8\r\nDataFile=" + r.data_file + "\r\n";
  if (!r.marker_file.empty()) out += "MarkerFile=" + r.marker_file + "\r\n";
  out += "DataFormat=BINARY\r\nDataOrientation=" + r.orientation + "\r\n";
  out += "NumberOfChannels=" + std::to_string(r.channels.size()) + "\r\n";
  out += "SamplingInterval=" + r.interval_us + "\r\n" + r.more_common;
  out += "[Binary Infos]\r\nBinaryFormat=" + r.format + "\r\n" + r.more_binary;
  if (r.big_endian) out += "UseBigEndianOrder=YES\r\n";
  out += "[Channel Infos]\r\n";
  for (size_t i = 0; i < r.channels.size(); ++i) {
    out += "Ch" + std::to_string(i + 1) + "=" + r.channels[i] + "\r\n";
  }
  out += "[Comment]\r\nNumberOfChannels=of a person's text\r\n";
  return out;
}

std::string MarkersOf(const TestRecording& r) {
  std::string out = "Brain Vision Data Exchange Marker File, Version 1.0\r\n[Common Infos]\r\n";
  out += "DataFile=" + r.data_file + "\r\n[Marker Infos]\r\n; Mk<number>=...\r\n";
  for (size_t i = 0; i < r.markers.size(); ++i) {
    out += "Mk" + std::to_string(i + 1) + "=" + r.markers[i] + "\r\n";
  }
  return out;
}

std::vector<uint8_t> DataOf(const TestRecording& r) {
  std::vector<uint8_t> out;
  const int64_t channels = static_cast<int64_t>(r.channels.size());
  const int width = r.format == "INT_16" ? 2 : 4;
  const bool vectorized = r.orientation == "VECTORIZED";
  for (int64_t n = 0; n < r.points * channels; ++n) {
    const double value =
        vectorized ? r.value(n % r.points, n / r.points) : r.value(n / channels, n % channels);
    uint32_t bits = 0;
    if (r.format == "IEEE_FLOAT_32") {
      const float single = static_cast<float>(value);
      std::memcpy(&bits, &single, 4);
    } else {
      bits = static_cast<uint32_t>(static_cast<int64_t>(value));
    }
    for (int b = 0; b < width; ++b) {
      out.push_back(static_cast<uint8_t>(bits >> (8 * (r.big_endian ? width - 1 - b : b))));
    }
  }
  return out;
}

MemoryFiles FilesOf(const TestRecording& r) {
  return {{"case.vhdr", BytesOf(HeaderOf(r))},
          {"case.vmrk", BytesOf(MarkersOf(r))},
          {"case.eeg", DataOf(r)}};
}

}  // namespace remora::agent::brainvision
