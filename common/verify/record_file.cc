#include "common/verify/record_file.h"

#include <algorithm>
#include <optional>

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

// Reads forward through a file with a window of kVerifyReadBytes.
class FileWindow {
 public:
  explicit FileWindow(const ReadFile& file) : file_(file) {}
  // What is ahead: at least `bytes`, unless the file ends before.
  absl::StatusOr<absl::string_view> Ahead(size_t bytes) {
    if (window_.size() - at_ < bytes && offset_ + window_.size() < file_.size()) {
      const std::string rest = window_.substr(at_);
      offset_ += at_;
      ASSIGN_OR_RETURN(const std::string more,
                       file_.ReadAt(offset_ + rest.size(), std::max(bytes, kVerifyReadBytes)));
      window_ = rest + more;
      at_ = 0;
    }
    return absl::string_view(window_).substr(at_);
  }
  void Skip(size_t bytes) { at_ += bytes; }
  uint64_t position() const { return offset_ + at_; }

 private:
  const ReadFile& file_;
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

absl::StatusOr<VerifyReport> VerifyRecordFile(FileSystem& files, const std::string& path,
                                              const std::vector<std::string>& keys,
                                              const std::vector<HeadWitness>& witnesses,
                                              const std::function<bool()>& goes_on) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, files.OpenRead(path));
  FileWindow window(*file);
  ASSIGN_OR_RETURN(absl::string_view ahead, window.Ahead(kMaxRecordFileHeadBytes));
  const size_t head_end = ahead.substr(0, kMaxRecordFileHeadBytes).find("\n\n");
  std::optional<RecordFileHead> head;
  std::string head_text;
  if (head_end != absl::string_view::npos) {
    head_text = std::string(ahead.substr(0, head_end + 2));
    head = DecodeHead(head_text);
  }
  if (!head) {
    VerifyReport report;
    report.findings.push_back("the head of the file is not that of a record, or was changed");
    return report;
  }
  window.Skip(head_text.size());
  RecordVerifier verifier(head->case_id, keys.empty() ? head->keys : keys);
  for (const HeadWitness& witness : witnesses) verifier.AddWitness(witness);
  ChainHead chain{};
  uint64_t count = 0;
  while (true) {
    if (goes_on && !goes_on()) return absl::CancelledError("ended before all was read");
    ASSIGN_OR_RETURN(ahead, window.Ahead(kMaxRecordBytes + kStampBytes + kMaxFrameHeaderBytes));
    if (!ahead.empty() && ahead[0] == kEndTag) {
      const std::string end = EncodeEnd(count, chain, head_text);
      if (ahead != end) {
        verifier.Find(absl::StrCat("at byte ", window.position(),
                                   ": the end of the file does not fit what is before it: head or "
                                   "records were changed, or something stands behind the end"));
      }
      break;
    }
    const std::optional<Frame> frame = FrameAhead(ahead);
    if (!frame) {
      verifier.Find(ahead.empty()
                        ? absl::StrCat("the file is cut off after ", count, " records")
                        : absl::StrCat("at byte ", window.position(), ", after ", count,
                                       " records: no record; the file is cut off or changed here"));
      break;
    }
    verifier.Take(frame->record);
    chain = ExtendChain(chain, frame->record);
    ++count;
    window.Skip(frame->bytes);
  }
  return verifier.Finish();
}

}  // namespace remora
