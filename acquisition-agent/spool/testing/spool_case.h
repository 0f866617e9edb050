#pragma once

// A spool of one case with records that tell their own numbers, for tests.

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/spool/case_spool.h"
#include "common/testing/crash_file_system.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {

inline constexpr char kDirectory[] = "/spool/case";

inline SpoolOptions Options() {
  SpoolOptions options;
  options.directory = kDirectory;
  options.case_id = CaseId::FromBytes(std::string(16, 'c'));
  options.origin = OriginId::FromBytes(std::string(16, 'o'));
  return options;
}

inline std::string Bytes(uint32_t lane, uint64_t seq) {
  return absl::StrCat("record ", lane, "/", seq, std::string(seq * 37 % 200, 'x'));
}

inline std::unique_ptr<CaseSpool> OpenSpool(FileSystem& files, RecoveryReport* report = nullptr,
                                            SpoolOptions options = Options()) {
  RecoveryReport ignored;
  absl::StatusOr<std::unique_ptr<CaseSpool>> spool =
      CaseSpool::Open(files, options, report != nullptr ? report : &ignored);
  EXPECT_TRUE(spool.ok()) << spool.status();
  return spool.ok() ? *std::move(spool) : nullptr;
}

inline absl::Status AppendNext(CaseSpool& spool, uint32_t lane, uint32_t ordinal = 0) {
  const uint64_t seq = spool.last_seq(lane) + 1;
  return spool.AppendRecord(lane, seq, ordinal, Bytes(lane, seq));
}

// All that is committed reads as it was written.
inline void ExpectWhole(const CaseSpool& spool) {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    for (uint64_t seq = 1; seq <= spool.committed_seq(lane); ++seq) {
      const absl::StatusOr<std::string> read = spool.Read(lane, seq);
      ASSERT_TRUE(read.ok()) << lane << "/" << seq << ": " << read.status();
      EXPECT_EQ(*read, Bytes(lane, seq));
    }
  }
}

}  // namespace remora::agent
