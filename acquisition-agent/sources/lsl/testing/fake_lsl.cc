#include "acquisition-agent/sources/lsl/testing/fake_lsl.h"

#include <cstdlib>
#include <cstring>

namespace remora::agent::lsl {
namespace {

FakeLsl* current = nullptr;

FakeStream* StreamOf(StreamInfo info) { return reinterpret_cast<FakeStream*>(info); }
FakeStream* StreamOf(Inlet inlet) { return reinterpret_cast<FakeStream*>(inlet); }

int32_t LibraryVersion() { return 117; }
double LocalClock() { return current->now_s; }

template <typename Fits>
int32_t Resolve(StreamInfo* found, uint32_t elements, Fits fits) {
  uint32_t count = 0;
  for (const auto& stream : current->streams) {
    if (count < elements && fits(*stream)) {
      found[count++] = reinterpret_cast<StreamInfo>(stream.get());
      ++current->open_infos;
    }
  }
  return static_cast<int32_t>(count);
}
int32_t ResolveAll(StreamInfo* found, uint32_t elements, double) {
  return Resolve(found, elements, [](const FakeStream&) { return true; });
}
int32_t ResolveByProperty(StreamInfo* found, uint32_t elements, const char* property,
                          const char* value, int32_t, double) {
  return Resolve(found, elements, [&](const FakeStream& stream) {
    return (std::strcmp(property, "name") == 0 ? stream.name : stream.type) == value;
  });
}
void DestroyStreamInfo(StreamInfo) { --current->open_infos; }
const char* GetName(StreamInfo info) { return StreamOf(info)->name.c_str(); }
const char* GetType(StreamInfo info) { return StreamOf(info)->type.c_str(); }
const char* GetHostname(StreamInfo info) { return StreamOf(info)->host.c_str(); }
int32_t GetChannelCount(StreamInfo info) { return StreamOf(info)->channel_count; }
double GetNominalRate(StreamInfo info) { return StreamOf(info)->rate_hz; }
int32_t GetChannelFormat(StreamInfo info) { return StreamOf(info)->format; }

// The description: the stream itself stands for "desc" and for "channels", then its channels.
XmlElement GetDesc(StreamInfo info) { return reinterpret_cast<XmlElement>(info); }
XmlElement Child(XmlElement element, const char* name) {
  if (element == nullptr || std::strcmp(name, "channels") == 0) return element;
  auto* stream = reinterpret_cast<FakeStream*>(element);
  if (stream->channels.empty()) return nullptr;
  return reinterpret_cast<XmlElement>(stream->channels.data());
}
XmlElement NextSibling(XmlElement element, const char*) {
  FakeChannel* next = reinterpret_cast<FakeChannel*>(element) + 1;
  for (const auto& stream : current->streams) {
    FakeChannel* const begin = stream->channels.data();
    if (next > begin && next < begin + stream->channels.size()) {
      return reinterpret_cast<XmlElement>(next);
    }
  }
  return nullptr;
}
int32_t Empty(XmlElement element) { return element == nullptr ? 1 : 0; }
const char* ChildValue(XmlElement element, const char* name) {
  const auto* channel = reinterpret_cast<const FakeChannel*>(element);
  if (std::strcmp(name, "label") == 0) return channel->label.c_str();
  if (std::strcmp(name, "unit") == 0) return channel->unit.c_str();
  return channel->type.c_str();
}

Inlet CreateInlet(StreamInfo info, int32_t, int32_t, int32_t) {
  ++current->open_inlets;
  return reinterpret_cast<Inlet>(info);
}
void DestroyInlet(Inlet) { --current->open_inlets; }
StreamInfo GetFullInfo(Inlet inlet, double, int32_t* error) {
  *error = StreamOf(inlet)->answers ? 0 : -1;
  if (!StreamOf(inlet)->answers) return nullptr;
  ++current->open_infos;
  return reinterpret_cast<StreamInfo>(inlet);
}
void Open(Inlet, double, int32_t* error) { *error = 0; }
double TimeCorrection(Inlet inlet, double, int32_t* error) {
  *error = 0;
  ++current->corrections_asked;
  return StreamOf(inlet)->correction_s;
}
uint32_t WasClockReset(Inlet inlet) {
  const bool was = StreamOf(inlet)->clock_was_reset;
  StreamOf(inlet)->clock_was_reset = false;
  return was ? 1 : 0;
}
unsigned long PullChunk(Inlet inlet, double* values, double* stamps, unsigned long value_elements,
                        unsigned long stamp_elements, double, int32_t* error) {
  FakeStream& stream = *StreamOf(inlet);
  *error = stream.lost && stream.waiting.empty() ? kLostError : 0;
  unsigned long samples = 0;
  const unsigned long channels = static_cast<unsigned long>(stream.channel_count);
  while (samples < stamp_elements && (samples + 1) * channels <= value_elements &&
         !stream.waiting.empty()) {
    const FakeSample& sample = stream.waiting.front();
    stamps[samples] = sample.stamp_s;
    for (unsigned long k = 0; k < channels; ++k) values[samples * channels + k] = sample.values[k];
    ++samples;
    stream.waiting.pop_front();
  }
  return samples * channels;
}
double PullString(Inlet inlet, char** values, int32_t elements, double, int32_t* error) {
  FakeStream& stream = *StreamOf(inlet);
  *error = stream.lost && stream.waiting.empty() ? kLostError : 0;
  if (stream.waiting.empty() || elements < 1) return 0;
  const FakeSample sample = stream.waiting.front();
  stream.waiting.pop_front();
  values[0] = static_cast<char*>(std::malloc(sample.text.size() + 1));
  std::memcpy(values[0], sample.text.c_str(), sample.text.size() + 1);
  ++current->open_strings;
  return sample.stamp_s;
}
void DestroyString(char* string) {
  --current->open_strings;
  std::free(string);
}

}  // namespace

FakeLsl::FakeLsl() { current = this; }
FakeLsl::~FakeLsl() { current = nullptr; }

FakeLsl* FakeLsl::Current() { return current; }

FakeStream* FakeLsl::Add(FakeStream stream) {
  return streams.emplace_back(std::make_unique<FakeStream>(std::move(stream))).get();
}

LslApi FakeLsl::Api() {
  LslApi api;
  api.library_version = LibraryVersion;
  api.local_clock = LocalClock;
  api.resolve_all = ResolveAll;
  api.resolve_byprop = ResolveByProperty;
  api.destroy_streaminfo = DestroyStreamInfo;
  api.get_name = GetName;
  api.get_type = GetType;
  api.get_hostname = GetHostname;
  api.get_channel_count = GetChannelCount;
  api.get_nominal_srate = GetNominalRate;
  api.get_channel_format = GetChannelFormat;
  api.get_desc = GetDesc;
  api.child = Child;
  api.next_sibling_n = NextSibling;
  api.empty = Empty;
  api.child_value_n = ChildValue;
  api.create_inlet = CreateInlet;
  api.destroy_inlet = DestroyInlet;
  api.get_fullinfo = GetFullInfo;
  api.open_stream = Open;
  api.time_correction = TimeCorrection;
  api.was_clock_reset = WasClockReset;
  api.pull_chunk_d = PullChunk;
  api.pull_sample_str = PullString;
  api.destroy_string = DestroyString;
  return api;
}

}  // namespace remora::agent::lsl
