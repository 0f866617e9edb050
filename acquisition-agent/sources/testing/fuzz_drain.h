// What the fuzzers of recordings share: reading a source to its end under the order that source.h
// promises, and writing a corpus to begin with. Test-only.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

inline void FuzzRequire(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

// Reads enough of a long source to see its order; a fuzzer's time is for headers and marks. Gives
// how many values it told, NaN and all.
inline int64_t FuzzDrain(SignalSource* source, int most_items = 5000) {
  int64_t due_ns = INT64_MIN;
  int64_t values = 0;
  for (int i = 0; i < most_items; ++i) {
    const absl::StatusOr<Item> item = source->Next();
    if (!item.ok() || std::holds_alternative<EndOfSource>(*item)) break;
    FuzzRequire(DueTimeNs(*item) >= due_ns, "time went back");
    due_ns = DueTimeNs(*item);
    if (const auto* block = std::get_if<SampleBlock>(&*item)) {
      const size_t channels = source->info().rate_groups[block->rate_group].channels.size();
      FuzzRequire(block->samples_per_channel > 0, "an empty block");
      FuzzRequire(block->samples.size() == channels * block->samples_per_channel,
                  "a block of another size");
      FuzzRequire(block->end_time_ns >= block->start_time_ns, "a block ends before it begins");
      values += static_cast<int64_t>(block->samples.size());
    }
  }
  return values;
}

// With `--write-seeds DIR`: writes the corpus and exits.
inline void WriteSeedsIfAsked(int argc, char** argv,
                              const std::vector<std::vector<uint8_t>>& seeds) {
  if (argc != 3 || std::strcmp(argv[1], "--write-seeds") != 0) return;
  int number = 0;
  for (const std::vector<uint8_t>& bytes : seeds) {
    std::ofstream out(std::string(argv[2]) + "/seed" + std::to_string(number++), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    if (!out) std::exit(1);
  }
  std::exit(0);
}

// Several files in one input: each but the last after its length in two bytes, low byte first; the
// last is what is left.
inline std::vector<std::vector<uint8_t>> SplitFiles(const uint8_t* bytes, size_t size, int files) {
  std::vector<std::vector<uint8_t>> out;
  for (int i = 0; i + 1 < files; ++i) {
    size_t length = 0;
    if (size >= 2) {
      length = bytes[0] + 256u * bytes[1];
      bytes += 2;
      size -= 2;
    }
    length = length < size ? length : size;
    out.emplace_back(bytes, bytes + length);
    bytes += length;
    size -= length;
  }
  out.emplace_back(bytes, bytes + size);
  return out;
}

inline std::vector<uint8_t> JoinFiles(const std::vector<std::vector<uint8_t>>& files) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i < files.size(); ++i) {
    if (i + 1 < files.size()) {
      out.push_back(static_cast<uint8_t>(files[i].size() & 0xFF));
      out.push_back(static_cast<uint8_t>(files[i].size() >> 8));
    }
    out.insert(out.end(), files[i].begin(), files[i].end());
  }
  return out;
}

}  // namespace remora::agent
