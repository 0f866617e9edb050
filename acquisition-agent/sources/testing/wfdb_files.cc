#include "acquisition-agent/sources/testing/wfdb_files.h"

#include <algorithm>

namespace remora::agent::wfdb {
namespace {

void Append(uint32_t value, int bytes, std::vector<uint8_t>* out) {
  for (int b = 0; b < bytes; ++b) out->push_back(static_cast<uint8_t>(value >> (8 * b)));
}

// Packs of a bit-packed format; a last pack that is not full is cut to the bytes it needs.
void AppendPacked(int format, const std::vector<int32_t>& samples, std::vector<uint8_t>* out) {
  const size_t in_pack = format == 212 ? 2 : 3;
  const uint32_t mask = format == 212 ? 0xFFF : 0x3FF;
  for (size_t first = 0; first < samples.size(); first += in_pack) {
    uint32_t part[3] = {0, 0, 0};
    const size_t count = std::min(in_pack, samples.size() - first);
    for (size_t i = 0; i < count; ++i) part[i] = static_cast<uint32_t>(samples[first + i]) & mask;
    if (format == 212) {
      const uint32_t word = part[0] | ((part[1] & 0xF00) << 4) | ((part[1] & 0xFF) << 16);
      Append(word, count == 1 ? 2 : 3, out);
    } else if (format == 310) {
      const uint32_t low = (part[0] << 1) | ((part[2] & 0x1F) << 11);
      const uint32_t high = (part[1] << 1) | ((part[2] >> 5) << 11);
      Append(low, 2, out);
      if (count > 1) Append(high, 2, out);
    } else {
      Append(part[0] | (part[1] << 10) | (part[2] << 20), count == 1 ? 2 : count == 2 ? 3 : 4, out);
    }
  }
}

}  // namespace

std::vector<uint8_t> EncodeSamples(int format, const std::vector<int32_t>& samples) {
  std::vector<uint8_t> out;
  if (format == 212 || format == 310 || format == 311) {
    AppendPacked(format, samples, &out);
    return out;
  }
  for (const int32_t sample : samples) {
    const uint32_t bits = static_cast<uint32_t>(sample);
    switch (format) {
      case 61:
        out.push_back(static_cast<uint8_t>(bits >> 8));
        out.push_back(static_cast<uint8_t>(bits));
        break;
      case 80:
        Append(bits + 128, 1, &out);
        break;
      case 160:
        Append(bits + 32768, 2, &out);
        break;
      default:
        Append(bits, format / 8, &out);
    }
  }
  return out;
}

void AnnotationWriter::Word(uint32_t word) { Append(word, 2, &bytes_); }

AnnotationWriter& AnnotationWriter::Add(int code, int64_t samples) {
  if (samples < 0 || samples > 1023) {
    const uint32_t interval = static_cast<uint32_t>(samples);
    Word(59u << 10);
    Word(interval >> 16);
    Word(interval & 0xFFFF);
    samples = 0;
  }
  Word((static_cast<uint32_t>(code) << 10) | static_cast<uint32_t>(samples));
  return *this;
}

AnnotationWriter& AnnotationWriter::Aux(const std::string& text) {
  Word((63u << 10) | static_cast<uint32_t>(text.size()));
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  if (text.size() % 2 == 1) bytes_.push_back(0);
  return *this;
}

AnnotationWriter& AnnotationWriter::Field(int code, int value) {
  Word((static_cast<uint32_t>(code) << 10) | (static_cast<uint32_t>(value) & 0x3FF));
  return *this;
}

std::vector<uint8_t> AnnotationWriter::Finish() {
  Word(0);
  return bytes_;
}

}  // namespace remora::agent::wfdb
