#include "common/verify/record_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/record_codec.h"
#include "common/record_seal.h"
#include "common/status_macros.h"
#include "common/verify/limits.h"
#include "common/wire_reader.h"

namespace remora {
namespace {

constexpr absl::string_view kMark = "remora-record 1";
constexpr char kEndTag = 0x12;  // field 2, bytes: no record is
// Count, chain, digest of the head, digest of these.
constexpr size_t kEndBytes = 8 + 32 + 32 + 32;
// Tag and length of a frame.
constexpr size_t kMaxFrameHeaderBytes = 6;

std::string EncodeHead(const RecordFileHead& head) {
  std::string text = absl::StrCat(kMark, "\ncase ", head.case_id.Hex(), "\n");
  for (const std::string& key : head.keys) {
    absl::StrAppend(&text, "key ", absl::BytesToHexString(key), "\n");
  }
  return text + "\n";
}

bool TakeHex(absl::string_view hex, size_t bytes, std::string* out) {
  if (hex.size() != 2 * bytes ||
      hex.find_first_not_of("0123456789abcdef") != absl::string_view::npos) {
    return false;
  }
  *out = absl::HexStringToBytes(hex);
  return true;
}

// Nothing unless `text` is what EncodeHead makes.
std::optional<RecordFileHead> DecodeHead(absl::string_view text) {
  RecordFileHead head;
  std::string bytes;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, "case ")) {
      if (!TakeHex(line, CaseId::kBytes, &bytes)) return std::nullopt;
      head.case_id = CaseId::FromBytes(bytes);
    } else if (absl::ConsumePrefix(&line, "key ")) {
      if (!TakeHex(line, kPublicKeyBytes, &bytes)) return std::nullopt;
      if (head.keys.size() >= kMaxRecordFileKeys) return std::nullopt;
      head.keys.push_back(bytes);
    }
  }
  if (EncodeHead(head) != text) return std::nullopt;
  return head;
}

std::string EncodeEnd(uint64_t count, const ChainHead& chain, absl::string_view head) {
  std::string body;
  for (int i = 0; i < 8; ++i) body.push_back(static_cast<char>(count >> (8 * i)));
  body.append(reinterpret_cast<const char*>(chain.data()), chain.size());
  body += Blake2b256(head);
  body += Blake2b256(body);
  return std::string({kEndTag, static_cast<char>(kEndBytes)}) + body;
}

// Reads forward through a file with a window of kVerifyReadBytes. What it has read leaves the
// machine's memory: a file of gigabytes is not to push out what others read.
class FileWindow {
 public:
  FileWindow(std::unique_ptr<ReadFile> file, RecordFileProof::OnBytes on_bytes)
      : file_(std::move(file)), size_(file_->size()), on_bytes_(std::move(on_bytes)) {}
  // What is ahead: at least `bytes`, unless the file ends before.
  absl::StatusOr<absl::string_view> Ahead(size_t bytes) {
    if (window_.size() - at_ < bytes && offset_ + window_.size() < size_) {
      const std::string rest = window_.substr(at_);
      offset_ += at_;
      const uint64_t from = offset_ + rest.size();
      ASSIGN_OR_RETURN(const std::string more,
                       file_->ReadAt(from, std::max(bytes, kVerifyReadBytes)));
      file_->DropCache(from, more.size());
      if (on_bytes_) on_bytes_(more);
      window_ = rest + more;
      at_ = 0;
    }
    return absl::string_view(window_).substr(at_);
  }
  void Skip(size_t bytes) { at_ += bytes; }
  uint64_t position() const { return offset_ + at_; }

 private:
  const std::unique_ptr<ReadFile> file_;
  const uint64_t size_;
  const RecordFileProof::OnBytes on_bytes_;
  std::string window_;
  uint64_t offset_ = 0;  // of the window in the file
  size_t at_ = 0;        // within the window
};

// The whole frame ahead, or its absence.
struct Frame {
  absl::string_view record;
  size_t bytes = 0;
};
std::optional<Frame> FrameAhead(absl::string_view ahead) {
  WireReader reader(ahead);
  uint32_t field;
  WireType type;
  absl::string_view record;
  if (!reader.ReadTag(&field, &type) || field != 1 || type != WireType::kBytes ||
      !reader.ReadBytes(&record) || record.size() > kMaxRecordBytes + kStampBytes) {
    return std::nullopt;
  }
  return Frame{record, static_cast<size_t>(record.data() + record.size() - ahead.data())};
}

}  // namespace

RecordFileEncoder::RecordFileEncoder(const RecordFileHead& head) : head_(EncodeHead(head)) {}

std::string RecordFileEncoder::Add(absl::string_view stamped_bytes) {
  ++count_;
  chain_ = ExtendChain(chain_, stamped_bytes);
  std::string frame;
  AppendFrame(stamped_bytes, &frame);
  return frame;
}

std::string RecordFileEncoder::End() const { return EncodeEnd(count_, chain_, head_); }

struct RecordFileProof::State {
  FileWindow window;
  std::string head_text;
  // Null: the head is none, and nothing behind it is looked at.
  std::unique_ptr<RecordVerifier> verifier;
  ChainHead chain{};
  uint64_t count = 0;

  // True: the end of the file, or where it cannot be read on.
  absl::StatusOr<bool> TakeOne();
};

absl::StatusOr<bool> RecordFileProof::State::TakeOne() {
  ASSIGN_OR_RETURN(const absl::string_view ahead,
                   window.Ahead(kMaxRecordBytes + kStampBytes + kMaxFrameHeaderBytes));
  if (!ahead.empty() && ahead[0] == kEndTag) {
    const std::string end = EncodeEnd(count, chain, head_text);
    if (ahead != end) {
      verifier->Find(absl::StrCat("at byte ", window.position(),
                                  ": the end of the file does not fit what is before it: head or "
                                  "records were changed, or something stands behind the end"));
    }
    return true;
  }
  const std::optional<Frame> frame = FrameAhead(ahead);
  if (!frame) {
    verifier->Find(ahead.empty()
                       ? absl::StrCat("the file is cut off after ", count, " records")
                       : absl::StrCat("at byte ", window.position(), ", after ", count,
                                      " records: no record; the file is cut off or changed here"));
    return true;
  }
  verifier->Take(frame->record);
  chain = ExtendChain(chain, frame->record);
  ++count;
  window.Skip(frame->bytes);
  return false;
}

absl::StatusOr<std::unique_ptr<RecordFileProof>> RecordFileProof::Begin(
    FileSystem& files, const std::string& path, const std::vector<std::string>& keys,
    const std::vector<HeadWitness>& witnesses, OnBytes on_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<ReadFile> file, files.OpenRead(path));
  std::unique_ptr<State> state(
      new State{FileWindow(std::move(file), std::move(on_bytes)), "", nullptr});
  ASSIGN_OR_RETURN(const absl::string_view ahead, state->window.Ahead(kMaxRecordFileHeadBytes));
  const size_t head_end = ahead.substr(0, kMaxRecordFileHeadBytes).find("\n\n");
  std::optional<RecordFileHead> head;
  if (head_end != absl::string_view::npos) {
    state->head_text = std::string(ahead.substr(0, head_end + 2));
    head = DecodeHead(state->head_text);
  }
  if (head) {
    state->window.Skip(state->head_text.size());
    state->verifier =
        std::make_unique<RecordVerifier>(head->case_id, keys.empty() ? head->keys : keys);
    for (const HeadWitness& witness : witnesses) state->verifier->AddWitness(witness);
  }
  return std::unique_ptr<RecordFileProof>(new RecordFileProof(std::move(state)));
}

RecordFileProof::RecordFileProof(std::unique_ptr<State> state) : state_(std::move(state)) {}

RecordFileProof::~RecordFileProof() = default;

absl::StatusOr<bool> RecordFileProof::Advance(size_t bytes) {
  if (state_->verifier == nullptr) return true;
  const uint64_t begin = state_->window.position();
  while (state_->window.position() - begin < bytes) {
    ASSIGN_OR_RETURN(const bool ended, state_->TakeOne());
    if (ended) return true;
  }
  return false;
}

VerifyReport RecordFileProof::Finish() {
  if (state_->verifier != nullptr) return state_->verifier->Finish();
  VerifyReport report;
  report.findings.push_back("the head of the file is not that of a record, or was changed");
  return report;
}

absl::StatusOr<VerifyReport> VerifyRecordFile(FileSystem& files, const std::string& path,
                                              const std::vector<std::string>& keys,
                                              const std::vector<HeadWitness>& witnesses) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordFileProof> proof,
                   RecordFileProof::Begin(files, path, keys, witnesses));
  bool ended = false;
  while (!ended) {
    ASSIGN_OR_RETURN(ended, proof->Advance(kVerifyReadBytes));
  }
  return proof->Finish();
}

}  // namespace remora
