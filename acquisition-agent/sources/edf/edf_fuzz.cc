// libFuzzer target for the reader of recordings: any bytes give an error or a source whose items
// keep the order that source.h promises. `edf_fuzz --write-seeds DIR` makes a corpus to begin with,
// then `edf_fuzz DIR`.
#include <memory>
#include <vector>

#include "acquisition-agent/sources/edf/edf_source.h"
#include "acquisition-agent/sources/testing/edf_writer.h"
#include "acquisition-agent/sources/testing/fuzz_drain.h"

namespace remora::agent::edf {
namespace {

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

}  // namespace
}  // namespace remora::agent::edf

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::vector<std::vector<uint8_t>> seeds;
  for (const auto& seed : remora::agent::edf::Seeds()) {
    seeds.push_back(remora::agent::edf::WriteRecording(seed));
  }
  remora::agent::WriteSeedsIfAsked(*argc, *argv, seeds);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using remora::agent::MemoryByteReader;
  using remora::agent::edf::EdfSource;
  auto source = EdfSource::Open(
      std::make_unique<MemoryByteReader>(std::vector<uint8_t>(bytes, bytes + size)), "fuzz", {});
  if (source.ok()) remora::agent::FuzzDrain(source->get());
  return 0;
}
