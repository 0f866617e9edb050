// libFuzzer target for the reader of recordings: any bytes give an error or a source whose items
// keep the order that source.h promises. `edf_fuzz --write-seeds DIR` makes a corpus to begin with,
// then `edf_fuzz DIR`.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/sources/edf/edf_source.h"
#include "acquisition-agent/sources/testing/edf_writer.h"

namespace remora::agent::edf {
namespace {

// Enough of a long source to see its order; the fuzzer's time is for headers and annotations.
constexpr int kMaxItems = 5000;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "edf_fuzz: %s\n", what);
  std::abort();
}

void Drain(EdfSource* source) {
  int64_t due_ns = INT64_MIN;
  for (int i = 0; i < kMaxItems; ++i) {
    const absl::StatusOr<Item> item = source->Next();
    if (!item.ok() || std::holds_alternative<EndOfSource>(*item)) return;
    Require(DueTimeNs(*item) >= due_ns, "time went back");
    due_ns = DueTimeNs(*item);
    if (const auto* block = std::get_if<SampleBlock>(&*item)) {
      const size_t channels = source->info().rate_groups[block->rate_group].channels.size();
      Require(block->samples_per_channel > 0, "an empty block");
      Require(block->samples.size() == channels * block->samples_per_channel,
              "a block of another size");
    }
  }
}

std::vector<TestRecording> Seeds() {
  TestRecording plain;
  plain.signals = {TestSignal{}};
  TestRecording gaps;
  gaps.reserved = "EDF+D";
  gaps.signals = {
      TestSignal{},
      AnnotationSignal(false, {RecordTime("+0") + AnnotationList("+0.1", "0.2", "STIM MED R 4.7Hz"),
                               RecordTime("+5"), RecordTime("+3")})};
  TestRecording bdf;
  bdf.bdf = true;
  bdf.reserved = "BDF+C";
  bdf.record_duration_s = "0.5";
  TestSignal status;
  status.label = "Status";
  status.samples_per_record = 4;
  bdf.signals = {TestSignal{}, status,
                 AnnotationSignal(true, {RecordTime("+0.25"), RecordTime("+0.75"), ""})};
  TestRecording open_end = plain;
  open_end.records_text = "-1";
  return {plain, gaps, bdf, open_end};
}

int WriteSeeds(const std::string& folder) {
  int number = 0;
  for (const TestRecording& seed : Seeds()) {
    const std::vector<uint8_t> bytes = WriteRecording(seed);
    std::ofstream out(folder + "/seed" + std::to_string(number++), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    if (!out) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace remora::agent::edf

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::strcmp((*argv)[1], "--write-seeds") == 0)
    std::exit(remora::agent::edf::WriteSeeds((*argv)[2]));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using remora::agent::MemoryByteReader;
  using remora::agent::edf::EdfSource;
  auto source = EdfSource::Open(
      std::make_unique<MemoryByteReader>(std::vector<uint8_t>(bytes, bytes + size)), "fuzz", {});
  if (source.ok()) remora::agent::edf::Drain(source->get());
  return 0;
}
