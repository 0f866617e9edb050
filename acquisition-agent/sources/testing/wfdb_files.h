// Writes WFDB signal and annotation files in memory for tests and for the fuzzer: the other way
// round than the reader, written apart from it. Test-only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace remora::agent::wfdb {

// The samples, in the order of the file, in one of the formats that are read; each is cut to the
// bits of the format.
std::vector<uint8_t> EncodeSamples(int format, const std::vector<int32_t>& samples);

// One annotation after the other, as an annotation file has them.
class AnnotationWriter {
 public:
  // `code` at `samples` after the one before; longer than 1023 by a SKIP.
  AnnotationWriter& Add(int code, int64_t samples);
  AnnotationWriter& Aux(const std::string& text);  // of the one that was added last
  AnnotationWriter& Field(int code, int value);    // NUM 60, SUB 61, CHN 62
  std::vector<uint8_t> Finish();                   // with the end mark

 private:
  void Word(uint32_t word);
  std::vector<uint8_t> bytes_;
};

}  // namespace remora::agent::wfdb
