// Writes BrainVision recordings in memory for tests and for the fuzzer's seeds. Test-only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "acquisition-agent/sources/testing/memory_files.h"

namespace remora::agent::brainvision {

struct TestRecording {
  std::string first_line = "Brain Vision Data Exchange Header File Version 1.0";
  std::string data_file = "$b.eeg";
  std::string marker_file = "$b.vmrk";
  std::string orientation = "MULTIPLEXED";
  std::string interval_us = "1000";
  std::string format = "INT_16";
  bool big_endian = false;
  std::string more_common;  // lines for [Common Infos], each with its end
  std::string more_binary;
  std::vector<std::string> channels = {"Cz,,0.1,\xC2\xB5V", "Fz,,0.1,\xC2\xB5V"};
  std::vector<std::string> markers = {"New Segment,,1,1,0,20200302091011500000",
                                      "Stimulus,S  1,11,1,0", "Comment,eyes open,21,5,0"};
  // Of point `i` of channel `k`: the count, or the number itself for IEEE_FLOAT_32.
  double (*value)(int64_t i, int64_t k) = [](int64_t i, int64_t k) {
    return static_cast<double>(i + 1000 * k);
  };
  int64_t points = 100;
};

std::string HeaderOf(const TestRecording& recording);
std::string MarkersOf(const TestRecording& recording);
std::vector<uint8_t> DataOf(const TestRecording& recording);
// "case.vhdr", "case.eeg", "case.vmrk".
MemoryFiles FilesOf(const TestRecording& recording);

}  // namespace remora::agent::brainvision
