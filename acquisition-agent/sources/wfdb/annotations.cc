#include "acquisition-agent/sources/wfdb/annotations.h"

#include <array>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "acquisition-agent/sources/recording_limits.h"

namespace remora::agent::wfdb {
namespace {

constexpr int kNote = 22;
constexpr int kSkip = 59;
constexpr int kNum = 60;
constexpr int kSub = 61;
constexpr int kChan = 62;
constexpr int kAux = 63;

// By code; "" where none is defined.
constexpr std::array<const char*, 42> kNames = {
    "",  "N", "L", "R", "a", "V", "F", "J", "A",  "S", "E", "j", "/", "Q",
    "~", "",  "|", "",  "s", "T", "*", "D", "\"", "=", "p", "B", "^", "t",
    "+", "u", "?", "!", "[", "]", "e", "n", "@",  "x", "f", "(", ")", "r"};

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  absl::StatusOr<Annotations> Read() {
    while (true) {
      if (Left() == 0) {
        out_.notes.push_back("the annotation file has no end mark; it may have been cut");
        break;
      }
      if (Left() < 2) return Cut();
      const uint32_t word = Word();
      if (word == 0) break;
      absl::Status status = Take(static_cast<int>(word >> 10), word & 0x3FF);
      if (!status.ok()) return status;
    }
    if (absl::Status status = Close(); !status.ok()) return status;
    if (Left() > 0) {
      out_.notes.push_back(absl::StrCat("after the end mark of the annotation file there are ",
                                        Left(), " more bytes; not read"));
    }
    return std::move(out_);
  }

 private:
  // The annotation whose fields are being read.
  struct Current {
    int code = 0;
    int64_t time = 0;
    int32_t subtype = 0;
    absl::string_view text;
  };

  size_t Left() const { return bytes_.size() - at_; }
  uint32_t Word() {
    const uint32_t word = bytes_[at_] | (uint32_t{bytes_[at_ + 1]} << 8);
    at_ += 2;
    return word;
  }
  absl::Status Cut() const {
    return absl::InvalidArgumentError(absl::StrCat("it ends inside an annotation, at byte ",
                                                   bytes_.size(),
                                                   ": no annotation file of the MIT "
                                                   "format, or a part of one"));
  }
  static int32_t SignedByte(uint32_t value) {
    return static_cast<int8_t>(static_cast<uint8_t>(value & 0xFF));
  }

  absl::Status Take(int code, uint32_t value) {
    switch (code) {
      case kSkip: {
        if (Left() < 4) return Cut();
        const uint32_t high = Word();
        const uint32_t low = Word();
        return Advance(static_cast<int32_t>((high << 16) | low));
      }
      case kNum:
        num_ = SignedByte(value);
        return absl::OkStatus();
      case kSub:
        if (open_) current_.subtype = SignedByte(value);
        return absl::OkStatus();
      case kChan:
        chan_ = static_cast<int32_t>(value & 0xFF);
        return absl::OkStatus();
      case kAux: {
        if (Left() < value + (value & 1)) return Cut();
        if (open_) {
          current_.text =
              absl::string_view(reinterpret_cast<const char*>(bytes_.data() + at_), value);
        }
        at_ += value + (value & 1);
        return absl::OkStatus();
      }
      default:
        break;
    }
    if (absl::Status status = Close(); !status.ok()) return status;
    if (absl::Status status = Advance(value); !status.ok()) return status;
    if (code == 0) return absl::OkStatus();  // only time goes on
    current_ = Current{code, time_, 0, ""};
    open_ = true;
    return absl::OkStatus();
  }

  absl::Status Advance(int64_t samples) {
    time_ += samples;
    // 2^48 samples are 9 years at 1 MHz.
    if (time_ > (int64_t{1} << 48) || time_ < -(int64_t{1} << 48)) {
      return absl::InvalidArgumentError(
          absl::StrCat("byte ", at_, ": the annotation lies at sample ", time_));
    }
    return absl::OkStatus();
  }

  // Keeps the annotation that is complete now.
  absl::Status Close() {
    if (!open_) return absl::OkStatus();
    open_ = false;
    const absl::string_view aux = current_.text.substr(0, current_.text.find('\0'));
    if (current_.code == kNote && TakeResolution(aux)) return absl::OkStatus();
    std::string text = current_.code == kNote ? "" : CodeName(current_.code);
    if (!aux.empty()) absl::StrAppend(&text, text.empty() ? "" : " ", aux);
    if (text.empty()) text = CodeName(current_.code);
    if (current_.subtype != 0) absl::StrAppend(&text, " subtype ", current_.subtype);
    if (chan_ != 0) absl::StrAppend(&text, " channel ", chan_);
    if (num_ != 0) absl::StrAppend(&text, " num ", num_);
    if (static_cast<int64_t>(out_.annotations.size()) >= kMaxMarks) {
      return absl::ResourceExhaustedError(absl::StrCat("more than ", kMaxMarks, " annotations"));
    }
    absl::StatusOr<int32_t> index = out_.texts.Add(text);
    if (!index.ok()) return index.status();
    out_.annotations.push_back({current_.time, *index});
    return absl::OkStatus();
  }

  // "## time resolution: 1000", at the very beginning, is about the file.
  bool TakeResolution(absl::string_view aux) {
    if (!out_.annotations.empty() || !absl::ConsumePrefix(&aux, "## time resolution:")) {
      return false;
    }
    double hz = 0;
    if (!absl::SimpleAtod(absl::StripAsciiWhitespace(aux), &hz) ||
        !(hz >= kMinRateHz && hz <= kMaxRateHz)) {
      return false;
    }
    out_.time_resolution_hz = hz;
    return true;
  }

  const std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  Annotations out_;
  int64_t time_ = 0;
  int32_t num_ = 0;
  int32_t chan_ = 0;
  bool open_ = false;
  Current current_;
};

}  // namespace

std::string CodeName(int code) {
  if (code > 0 && code < static_cast<int>(kNames.size()) && *kNames[code] != '\0') {
    return kNames[code];
  }
  return absl::StrCat("code ", code);
}

absl::StatusOr<Annotations> ParseAnnotations(std::span<const uint8_t> bytes) {
  return Reader(bytes).Read();
}

}  // namespace remora::agent::wfdb
