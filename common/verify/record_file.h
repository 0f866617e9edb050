#pragma once

// A case's record as a file that proves itself (docs/certificate.md, "The file"): a head of text
// with the hub's public keys, the frames as the journal has them, and an end that tells a whole
// file from a cut one. Written and read as a stream.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/chain.h"
#include "common/file_system.h"
#include "common/head_witness.h"
#include "common/ids.h"
#include "common/verify/record_verifier.h"

namespace remora {

struct RecordFileHead {
  CaseId case_id;
  // 32 bytes each, the one in use first.
  std::vector<std::string> keys;
};

// Makes the bytes of a file, piece by piece. Thread-compatible.
class RecordFileEncoder {
 public:
  explicit RecordFileEncoder(const RecordFileHead& head);

  const std::string& head() const { return head_; }
  // A record with its stamp, in `seq` order from 1.
  std::string Add(absl::string_view stamped_bytes);
  std::string End() const;

 private:
  std::string head_;
  uint64_t count_ = 0;
  ChainHead chain_{};
};

// Verifies a file piece by piece, each byte read once. Thread-compatible.
class RecordFileProof {
 public:
  // Is given the file's bytes, in their order; may be null.
  using OnBytes = std::function<void(absl::string_view)>;

  // As VerifyRecordFile. `files` outlives it.
  static absl::StatusOr<std::unique_ptr<RecordFileProof>> Begin(
      FileSystem& files, const std::string& path, const std::vector<std::string>& keys,
      const std::vector<HeadWitness>& witnesses = {}, OnBytes on_bytes = nullptr);
  ~RecordFileProof();

  // Takes records of `bytes` or a little more; true: that was the end.
  absl::StatusOr<bool> Advance(size_t bytes);
  // Once, after the end.
  VerifyReport Finish();

 private:
  struct State;
  explicit RecordFileProof(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

// Verifies a file. `keys`: 32 bytes each, instead of those that the file names; may be empty.
// `witnesses`: heads that somebody kept, of this case or others. What is wrong with the file is a
// finding. NotFound, Unavailable: it cannot be read.
absl::StatusOr<VerifyReport> VerifyRecordFile(FileSystem& files, const std::string& path,
                                              const std::vector<std::string>& keys,
                                              const std::vector<HeadWitness>& witnesses = {});

}  // namespace remora
