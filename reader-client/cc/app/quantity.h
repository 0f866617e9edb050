#pragma once

// Numbers with their units, in words for a line of a terminal.

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"
#include "remora/v1/waveform.pb.h"

namespace remora::reader {

// "7.2 mA". What is not finite is "no number"; what is beyond 10^7 has an exponent, so that no
// number fills the line. `unit` may be empty.
std::string Quantity(double value, int digits, absl::string_view unit);

// The same with its sign: "+0.12".
std::string SignedQuantity(double value, int digits, absl::string_view unit);

// As many digits as were said, at most six: "50", "0.8".
std::string PlainNumber(double value);

// A number that was said: 0 says in most fields that it is not known.
bool IsKnown(double value);

// "left", "right", "midline", "both sides"; empty: not said.
const char* SideWord(v1::Side side);

// "clipped, gap": what is wrong with samples.
std::string QualityWords(const google::protobuf::RepeatedField<int>& flags);

}  // namespace remora::reader
