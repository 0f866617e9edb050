// libFuzzer target for the reader of BrainVision recordings: any header, markers and data give an
// error or a source whose items keep the order that source.h promises, and that tells no more
// samples than there are bytes for. `brainvision_fuzz --write-seeds DIR` makes a corpus to begin
// with, then `brainvision_fuzz DIR`.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/sources/brainvision/brainvision_source.h"
#include "acquisition-agent/sources/testing/brainvision_files.h"
#include "acquisition-agent/sources/testing/fuzz_drain.h"

namespace remora::agent::brainvision {
namespace {

std::vector<std::vector<uint8_t>> Seeds() {
  TestRecording gaps;
  gaps.markers.push_back("New Segment,,51,1,0,20200302091021500000");
  gaps.markers.push_back("New Segment,,71,1,0,20200302091000000000");
  gaps.markers.push_back("New Segment,,81,1,0");
  TestRecording vectorized;
  vectorized.orientation = "VECTORIZED";
  vectorized.format = "INT_32";
  vectorized.big_endian = true;
  vectorized.more_common = "DataPoints=100\r\n";
  TestRecording floats;
  floats.first_line = "Brain Vision Data Exchange Header File Version 2.0";
  floats.format = "IEEE_FLOAT_32";
  floats.channels = {"A\\1B,REF,,nV", "Trig,,1,", "T,,0.5,mmHg"};
  std::vector<std::vector<uint8_t>> seeds;
  for (const TestRecording& r : {TestRecording{}, gaps, vectorized, floats}) {
    seeds.push_back(JoinFiles({BytesOf(HeaderOf(r)), BytesOf(MarkersOf(r)), DataOf(r)}));
  }
  return seeds;
}

void Try(const uint8_t* bytes, size_t size) {
  std::vector<std::vector<uint8_t>> files = SplitFiles(bytes, size, 3);
  // A header may name the markers as its data.
  const int64_t most_bytes = static_cast<int64_t>(std::max(files[1].size(), files[2].size()));
  const MemoryByteReader header(files[0]);
  // Whatever names the header gives, the markers and the data are found.
  const std::vector<uint8_t> markers = files[1];
  const std::vector<uint8_t> data = files[2];
  const OpenNamed open =
      [&](const std::string& name) -> absl::StatusOr<std::unique_ptr<ByteReader>> {
    return std::make_unique<MemoryByteReader>(name.ends_with("vmrk") ? markers : data);
  };
  ReadOptions options;
  options.triggers.annotation_prefix = kStimulusPrefix;
  auto source = OpenBrainVision(header, open, "case.vhdr", options);
  if (!source.ok()) {
    FuzzRequire(!source.status().message().empty(), "an error without a message");
    return;
  }
  FuzzRequire(FuzzDrain(source->get()) * 2 <= most_bytes, "more samples than bytes");
}

}  // namespace
}  // namespace remora::agent::brainvision

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  remora::agent::WriteSeedsIfAsked(*argc, *argv, remora::agent::brainvision::Seeds());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  remora::agent::brainvision::Try(bytes, size);
  return 0;
}
