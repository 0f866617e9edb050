// A shared library with the functions of liblsl that Remora uses, and one stream of samples and one
// of markers behind them: "Fake EEG" (2 channels, 500 Hz, one second of samples that wait) and
// "Fake markers" (a stimulus "S  7" at its sample 100). Test-only: it tests the way through dlopen.
#include "acquisition-agent/sources/lsl/testing/fake_lsl.h"

namespace remora::agent::lsl {
namespace {

FakeLsl* Layer() {
  static FakeLsl* const layer = [] {
    auto* made = new FakeLsl;
    FakeStream eeg;
    eeg.name = "Fake EEG";
    eeg.rate_hz = 500;
    eeg.channel_count = 2;
    eeg.channels = {{"Cz", "microvolts", "EEG"}, {"Fz", "millivolts", "EEG"}};
    for (int i = 0; i < 500; ++i) {
      eeg.waiting.push_back({50 + i / 500.0, {static_cast<double>(i), i / 1000.0}, ""});
    }
    eeg.correction_s = 949;
    made->Add(std::move(eeg));
    FakeStream markers;
    markers.name = "Fake markers";
    markers.type = "Markers";
    markers.format = kString;
    markers.waiting.push_back({999.2, {}, "S  7"});
    made->Add(std::move(markers));
    return made;
  }();
  return layer;
}

LslApi Api() {
  Layer();
  return FakeLsl::Api();
}

}  // namespace
}  // namespace remora::agent::lsl

using remora::agent::lsl::Api;
using remora::agent::lsl::Inlet;
using remora::agent::lsl::StreamInfo;
using remora::agent::lsl::XmlElement;

extern "C" {
int32_t lsl_library_version() { return Api().library_version(); }
double lsl_local_clock() { return Api().local_clock(); }
int32_t lsl_resolve_all(StreamInfo* found, uint32_t n, double wait_s) {
  return Api().resolve_all(found, n, wait_s);
}
int32_t lsl_resolve_byprop(StreamInfo* found, uint32_t n, const char* property, const char* value,
                           int32_t minimum, double timeout_s) {
  return Api().resolve_byprop(found, n, property, value, minimum, timeout_s);
}
void lsl_destroy_streaminfo(StreamInfo info) { Api().destroy_streaminfo(info); }
const char* lsl_get_name(StreamInfo info) { return Api().get_name(info); }
const char* lsl_get_type(StreamInfo info) { return Api().get_type(info); }
const char* lsl_get_hostname(StreamInfo info) { return Api().get_hostname(info); }
int32_t lsl_get_channel_count(StreamInfo info) { return Api().get_channel_count(info); }
double lsl_get_nominal_srate(StreamInfo info) { return Api().get_nominal_srate(info); }
int32_t lsl_get_channel_format(StreamInfo info) { return Api().get_channel_format(info); }
XmlElement lsl_get_desc(StreamInfo info) { return Api().get_desc(info); }
XmlElement lsl_child(XmlElement element, const char* name) { return Api().child(element, name); }
XmlElement lsl_next_sibling_n(XmlElement element, const char* name) {
  return Api().next_sibling_n(element, name);
}
int32_t lsl_empty(XmlElement element) { return Api().empty(element); }
const char* lsl_child_value_n(XmlElement element, const char* name) {
  return Api().child_value_n(element, name);
}
Inlet lsl_create_inlet(StreamInfo info, int32_t buffered_s, int32_t chunk, int32_t recover) {
  return Api().create_inlet(info, buffered_s, chunk, recover);
}
void lsl_destroy_inlet(Inlet inlet) { Api().destroy_inlet(inlet); }
StreamInfo lsl_get_fullinfo(Inlet inlet, double timeout_s, int32_t* error) {
  return Api().get_fullinfo(inlet, timeout_s, error);
}
void lsl_open_stream(Inlet inlet, double timeout_s, int32_t* error) {
  Api().open_stream(inlet, timeout_s, error);
}
double lsl_time_correction(Inlet inlet, double timeout_s, int32_t* error) {
  return Api().time_correction(inlet, timeout_s, error);
}
uint32_t lsl_was_clock_reset(Inlet inlet) { return Api().was_clock_reset(inlet); }
unsigned long lsl_pull_chunk_d(Inlet inlet, double* values, double* stamps, unsigned long n,
                               unsigned long m, double timeout_s, int32_t* error) {
  return Api().pull_chunk_d(inlet, values, stamps, n, m, timeout_s, error);
}
double lsl_pull_sample_str(Inlet inlet, char** values, int32_t n, double timeout_s,
                           int32_t* error) {
  return Api().pull_sample_str(inlet, values, n, timeout_s, error);
}
void lsl_destroy_string(char* string) { Api().destroy_string(string); }
}  // extern "C"
