#pragma once

// What is told beside signals, in words for a line of a terminal: vital signs, drugs, electrodes,
// stimuli, positions. Outside text is in it as it came (record_words.h).

#include <string>

#include "remora/v1/case.pb.h"

namespace remora::reader {

// "MAP 58 mmHg, heart rate 72 /min, left foot 31.0 C (entered by hand, Ines Ruiz)".
std::string VitalsWords(const v1::Vitals& vitals);
// "rocuronium 50 mg, bolus", "propofol 6 mg/kg/h, infusion", "propofol infusion stopped".
std::string DrugWords(const v1::DrugGiven& given);
// "32 electrodes: 2 open (Fz, C3'), highest 12.4 kOhm (Cz)".
std::string ImpedancesWords(const v1::Impedances& impedances);
// "MEP_TRANSCRANIAL C3-C4: 120.0 mA, 5 pulses; was 100.0 mA, 5 pulses".
std::string StimulusChangeWords(const v1::StimulusChange& change);
// "position: prone, head turned to the left".
std::string PositionWords(const v1::PositionChange& change);

}  // namespace remora::reader
