// A Lab Streaming Layer of one machine in memory, behind the same table of functions as the real
// one. Test-only. One at a time: C functions have no object.
//
// It counts what is open, so that a test sees what was not given back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/sources/lsl/api.h"

namespace remora::agent::lsl {

struct FakeChannel {
  std::string label;
  std::string unit;
  std::string type;
};

struct FakeSample {
  double stamp_s = 0;  // of the sender's clock
  std::vector<double> values;
  std::string text;  // of a stream of strings
};

struct FakeStream {
  std::string name;
  std::string type = "EEG";
  std::string host = "amplifier";
  double rate_hz = 0;
  int32_t format = kFloat32;
  int32_t channel_count = 1;
  std::vector<FakeChannel> channels;  // that the description tells
  double correction_s = 0;
  bool answers = true;  // to requests for its description
  bool lost = false;
  bool clock_was_reset = false;
  std::deque<FakeSample> waiting;
};

class FakeLsl {
 public:
  FakeLsl();
  FakeLsl(const FakeLsl&) = delete;
  FakeLsl& operator=(const FakeLsl&) = delete;
  ~FakeLsl();

  // The stream lives as long as this.
  FakeStream* Add(FakeStream stream);
  static LslApi Api();
  static FakeLsl* Current();

  double now_s = 1000;  // what local_clock tells
  int open_infos = 0;
  int open_inlets = 0;
  int open_strings = 0;
  int corrections_asked = 0;
  std::vector<std::unique_ptr<FakeStream>> streams;
};

}  // namespace remora::agent::lsl
