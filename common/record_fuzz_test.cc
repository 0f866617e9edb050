// The fuzzer's oracle without a fuzzer: seeded mutations of valid records.

#include <string>
#include <vector>

#include "common/random.h"
#include "common/record_codec.h"
#include "common/testing/record_oracle.h"
#include "common/testing/sample_records.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

constexpr uint64_t kSeed = 0xfeed;
constexpr int kMutations = 60'000;

uint8_t InterestingByte(Random& random) {
  // Tags of the header, of the stamp, of bodies, group tags, varint ends.
  constexpr uint8_t kBytes[] = {0x00, 0x01, 0x0a, 0x12, 0x18, 0x20, 0x2a, 0x7a, 0x17,
                                0x82, 0x0b, 0x0c, 0x80, 0xff, 0x0d, 0x11, 0x19, 0x10};
  return kBytes[random.Below(sizeof(kBytes))];
}

std::string Mutate(std::string bytes, const std::vector<std::string>& seeds, Random& random) {
  const size_t at = random.Below(bytes.size() + 1);
  switch (random.Below(7)) {
    case 0:  // flip a bit
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.Below(8)));
      break;
    case 1:  // set a byte
      if (at < bytes.size()) bytes[at] = static_cast<char>(InterestingByte(random));
      break;
    case 2:  // insert a byte
      bytes.insert(at, 1, static_cast<char>(InterestingByte(random)));
      break;
    case 3:  // leave some out
      bytes.erase(at, random.Below(8) + 1);
      break;
    case 4:  // cut
      bytes.resize(at);
      break;
    case 5: {  // a piece of another record
      const std::string& other = seeds[random.Below(seeds.size())];
      const size_t from = random.Below(other.size());
      bytes.insert(at, other, from, random.Below(40));
      break;
    }
    case 6:  // a whole field, maybe of a kind that nobody knows
      AppendFrame("xyz", &bytes);
      bytes[bytes.size() - 5] = static_cast<char>(InterestingByte(random));
      break;
  }
  return bytes;
}

TEST(RecordWalk, HostileMutationsMeanTheSameToProtobufOrAreRefused) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  SilenceProtobufLog();
  std::vector<std::string> seeds;
  for (const v1::Record& record : SampleRecords()) seeds.push_back(record.SerializeAsString());
  const auto random = MakeSeededRandom(kSeed);
  int walked = 0;
  int validated = 0;
  for (int i = 0; i < kMutations; ++i) {
    std::string bytes = seeds[random->Below(seeds.size())];
    for (uint64_t n = random->Below(3) + 1; n > 0; --n) bytes = Mutate(bytes, seeds, *random);
    const OracleVerdict verdict = CheckRecordOracle(bytes);
    walked += verdict.walked;
    validated += verdict.validated;
    ASSERT_EQ(verdict.wrong, "") << "mutation " << i << ": " << testing::PrintToString(bytes);
  }
  // Enough must pass and enough must fail for the oracle to say something.
  EXPECT_GT(walked, kMutations / 20);
  EXPECT_GT(validated, kMutations / 50);
  EXPECT_LT(validated, kMutations);
}

}  // namespace
}  // namespace remora
