// libFuzzer target for the reader of WFDB records: any header, annotations and samples give an
// error or a source whose items keep the order that source.h promises, and that tells no more
// samples than there are bits for. The formats have an oracle: what is read from any bytes, written
// again by other code, gives those bytes. `wfdb_fuzz --write-seeds DIR` makes a corpus to begin
// with, then `wfdb_fuzz DIR`.
#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/sources/testing/fuzz_drain.h"
#include "acquisition-agent/sources/testing/memory_files.h"
#include "acquisition-agent/sources/testing/wfdb_files.h"
#include "acquisition-agent/sources/wfdb/samples.h"
#include "acquisition-agent/sources/wfdb/wfdb_source.h"

namespace remora::agent::wfdb {
namespace {

constexpr int kFormats[] = {16, 24, 32, 61, 80, 160, 212, 310, 311};

std::vector<std::vector<uint8_t>> Seeds() {
  const std::vector<uint8_t> annotations = AnnotationWriter()
                                               .Add(1, 5)
                                               .Add(22, 10)
                                               .Aux("STIM MED R 4.7Hz")
                                               .Add(28, 5000)
                                               .Field(61, 2)
                                               .Aux("(AFIB")
                                               .Finish();
  std::vector<int32_t> samples;
  for (int i = 0; i < 300; ++i) samples.push_back(i % 100 - 50);
  std::vector<std::vector<uint8_t>> seeds;
  for (const int format : kFormats) {
    const std::string f = std::to_string(format);
    const std::string header = "r 2 250 100 09:10:11.5 02/03/2020\nr.dat " + f +
                               "x2 200(0)/mV 11 0 -50 0 0 EMG\nr.dat " + f + " 10/uV\n# age: 44\n";
    seeds.push_back(JoinFiles({BytesOf(header), annotations, EncodeSamples(format, samples)}));
  }
  for (const char* header :
       {"r/2 1\n", "r 2 1e3/7(2) 0\na.dat 16:2+4\nb.dat 80 100/C 8 128 3 -7 0 t"}) {
    seeds.push_back(JoinFiles({BytesOf(header), annotations, EncodeSamples(16, samples)}));
  }
  return seeds;
}

// Reading and writing are each other's inverse, but for bits that a format does not use.
void CheckFormats(const std::vector<uint8_t>& bytes) {
  for (const int format : kFormats) {
    const FormatInfo& info = *FindFormat(format);
    const int64_t whole =
        static_cast<int64_t>(bytes.size()) / info.bytes_per_pack * info.samples_per_pack;
    std::vector<int32_t> samples;
    for (int64_t i = 0; i < whole; ++i) {
      samples.push_back(SampleAt(info, bytes, i));
      FuzzRequire(samples.back() >= info.lowest() && samples.back() <= info.highest(),
                  "a sample out of its format's range");
    }
    const std::vector<uint8_t> again = EncodeSamples(format, samples);
    for (size_t i = 0; i < again.size(); ++i) {
      uint8_t mask = 0xFF;
      if (format == 310 && i % 2 == 0) mask = 0xFE;  // the lowest bit of each word
      if (format == 311 && i % 4 == 3) mask = 0x3F;  // the top two bits
      FuzzRequire((again[i] & mask) == (bytes[i] & mask), "a format does not give its bytes back");
    }
  }
}

void Try(const uint8_t* bytes, size_t size) {
  std::vector<std::vector<uint8_t>> files = SplitFiles(bytes, size, 3);
  const std::vector<uint8_t> annotations = files[1];
  const std::vector<uint8_t> data = files[2];
  CheckFormats(data);
  const MemoryByteReader header(files[0]);
  int64_t opened = 0;
  const OpenNamed open =
      [&](const std::string& name) -> absl::StatusOr<std::unique_ptr<ByteReader>> {
    if (name == "case.atr") return std::make_unique<MemoryByteReader>(annotations);
    ++opened;
    return std::make_unique<MemoryByteReader>(data);
  };
  auto source = OpenWfdb(header, open, "case.hea", {});
  if (!source.ok()) {
    FuzzRequire(!source.status().message().empty(), "an error without a message");
    return;
  }
  // 8 bits is the narrowest.
  FuzzRequire(FuzzDrain(source->get()) <= static_cast<int64_t>(data.size()) * opened,
              "more samples than bytes");
}

}  // namespace
}  // namespace remora::agent::wfdb

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  remora::agent::WriteSeedsIfAsked(*argc, *argv, remora::agent::wfdb::Seeds());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  remora::agent::wfdb::Try(bytes, size);
  return 0;
}
