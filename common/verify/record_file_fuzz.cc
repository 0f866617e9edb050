// libFuzzer target (REMORA_FUZZ): what `remora verify FILE` reads. Seeds: record_file_corpus/.
//
// Bytes that begin as a record's file are verified as they are. Others are taken for frames, of
// which a hub with a key of its own makes a file: stamped, and each signed head or certificate made
// to fit where it stands, so that all behind a signature is walked too. Of such a file, any one bit
// that is turned and any end that is cut off is found.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/check.h"
#include "common/fold/case_fold.h"
#include "common/record_codec.h"
#include "common/record_seal.h"
#include "common/testing/fake_file_system.h"
#include "common/verify/record_file.h"

namespace remora {
namespace {

constexpr size_t kMostRecords = 64;

const RecordSigner& Signer() {
  static const auto& signer = *new RecordSigner(RecordSigner::Seed{7, 7, 7});
  return signer;
}

VerifyReport Verify(const std::string& text) {
  FakeFileSystem files;
  REMORA_CHECK((*files.OpenAppend("/case"))->Append(text).ok(), "the file is written");
  return *VerifyRecordFile(files, "/case", {});
}

// A hub's file of what publishers sent.
class FileMaker {
 public:
  explicit FileMaker(const CaseId& case_id)
      : case_id_(case_id), encoder_({case_id, {Signer().public_key()}}), text_(encoder_.head()) {}

  // False: no hub would take it.
  bool Add(absl::string_view bytes) {
    v1::Record record;
    const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
    if (!header.ok() || !ValidateBody(*header, bytes, &record).ok()) return false;
    if (header->case_id != case_id_) return false;
    const uint64_t seq = count_ + 1;
    std::string stamped(bytes);
    if (record.has_signed_head() || record.has_certificate()) {
      record.has_signed_head() ? Fit(record.mutable_signed_head())
                               : Fit(record.mutable_certificate());
      stamped = record.SerializeAsString();
      if (!WalkRecord(stamped).ok()) return false;  // grown too large
    }
    const auto recorded_unix_ns = static_cast<int64_t>(seq);
    AppendStamp({1, seq, HubTime::FromNanoseconds(recorded_unix_ns), false}, &stamped);
    count_ = seq;
    text_ += encoder_.Add(stamped);
    chain_ = ExtendChain(chain_, stamped);
    if (header->lane < kControlLaneCount) {
      fold_.Apply({{SharedBytes(std::move(stamped)), 0}, seq, recorded_unix_ns, header->lane});
    }
    return true;
  }
  std::string Text() const { return text_ + encoder_.End(); }
  size_t count() const { return count_; }

 private:
  template <typename Seal>
  void Fit(Seal* seal) {
    seal->set_seq(count_);
    seal->set_epoch(1);
    seal->set_chain(std::string(chain_.begin(), chain_.end()));
    seal->set_state_digest(Blake2b256(fold_.EncodeCheckpoint()));
    seal->set_fold_version(kFoldVersion);
    Signer().Sign(case_id_, seal);
  }

  const CaseId case_id_;
  RecordFileEncoder encoder_;
  std::string text_;
  CaseFold fold_{case_id_};
  ChainHead chain_{};
  size_t count_ = 0;
};

// Its own records, whatever they say, leave the file one that can be read to its end.
void CheckIsFile(const VerifyReport& report) {
  for (const std::string& finding : report.findings) {
    for (const char* wrong : {"not a record", "no record;", "cut off", "the end of the file",
                              "its signature", "not what was signed", "folded from record 1"}) {
      REMORA_CHECK(!absl::StrContains(finding, wrong), finding.c_str());
    }
  }
}

void VerifyFrames(absl::string_view frames) {
  // Where a file is harmed, by bytes that mean nothing else.
  uint32_t place = 0;
  for (const char byte : frames.substr(0, 64)) place = place * 31 + static_cast<uint8_t>(byte);
  absl::StatusOr<absl::string_view> frame = TakeFrame(&frames);
  if (!frame.ok()) return;
  const absl::StatusOr<RecordHeader> first = WalkRecord(*frame);
  if (!first.ok()) return;
  FileMaker maker(first->case_id);
  for (; frame.ok() && maker.count() < kMostRecords; frame = TakeFrame(&frames)) maker.Add(*frame);
  const std::string whole = maker.Text();
  const VerifyReport report = Verify(whole);
  CheckIsFile(report);
  REMORA_CHECK(report.record_count == maker.count(), "each record is read once");
  std::string harmed = whole;
  if (place % 8 == 0) {
    harmed.resize(place / 8 % whole.size());
  } else {
    harmed[place / 8 % whole.size()] ^= static_cast<char>(1 << place % 8);
  }
  REMORA_CHECK(!Verify(harmed).ok(), "a bit is turned, or its end is cut off");
}

}  // namespace
}  // namespace remora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  remora::SilenceProtobufLog();
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (absl::StartsWith(bytes, "remora-record 1\n")) {
    remora::Verify(std::string(bytes));
  } else {
    remora::VerifyFrames(bytes);
  }
  return 0;
}
