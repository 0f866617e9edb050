#pragma once

// One valid record of each kind, for tests that need some record and for the fuzzer's seeds.

#include <cstdint>
#include <vector>

#include "common/ids.h"
#include "remora/v1/record.pb.h"

namespace remora {

// Ids made of one byte, readable in a failed test.
CaseId CaseIdForTest(uint8_t byte = 0xca);
OriginId OriginIdForTest(uint8_t byte = 0x0f);

// A record of `kind` (v1::Record::kAlert and so on) with its header filled in.
v1::Record SampleRecord(v1::Record::BodyCase kind, uint64_t origin_seq = 1);

// All kinds that this version knows, ascending.
std::vector<v1::Record> SampleRecords();

}  // namespace remora
