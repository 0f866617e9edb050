#include "common/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"

namespace remora {
namespace {

// FIPS 180-4's example.
TEST(Sha256Test, IsTheSumThatOthersMakeHoweverTheBytesCome) {
  for (const size_t cut : {0, 1, 3}) {
    Sha256 sha256;
    const absl::string_view bytes = "abc";
    sha256.Add(bytes.substr(0, cut));
    sha256.Add(bytes.substr(cut));
    const Sha256::Sum sum = sha256.Finish();
    EXPECT_EQ(absl::BytesToHexString(
                  absl::string_view(reinterpret_cast<const char*>(sum.data()), sum.size())),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }
}

}  // namespace
}  // namespace remora
