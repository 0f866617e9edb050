// libFuzzer target (REMORA_FUZZ): any bytes against the oracle of the walk. Seeds: record_corpus/.

#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "common/record_codec.h"
#include "common/testing/record_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  remora::SilenceProtobufLog();
  const remora::OracleVerdict verdict =
      remora::CheckRecordOracle(absl::string_view(reinterpret_cast<const char*>(bytes), size));
  REMORA_CHECK(verdict.wrong.empty(), verdict.wrong.c_str());
  return 0;
}
