#pragma once

// What is measured beside evoked responses, in words for a line of a terminal. Outside text is in
// it as it came (record_words.h).

#include <string>

#include "remora/v1/measurement.pb.h"

namespace remora::reader {

// "EMG_FREE_RUNNING/L/TA A-train 160 ms, 92 uV, train time 0.6 s".
std::string EmgActivityWords(const v1::EmgActivity& activity);
// "left hand 3/4, T1 61 % of control"; without a count, why: "left hand no count: clipped".
std::string TrainOfFourWords(const v1::TrainOfFour& train);
// "L4 left PEDICLE_SCREW/L/TA threshold 7.20 mA". No response at the maximum is "not verified".
std::string ThresholdWords(const v1::StimulusThreshold& threshold);
// "strip A contact 3: 12.30 uV, polarity -0.85".
std::string MappingContactWords(const v1::MappingContact& contact);
// "strip A: polarity turns between contacts 4 and 5, confidence 0.93".
std::string MappingResultWords(const v1::MappingResult& result);
// "EEG/L/F3-P3 SEF95 11.2 Hz, median 4.5 Hz, suppression 12 % of 60 s".
std::string SpectralEdgeWords(const v1::SpectralEdge& edge);
// "central conduction time N13-N20 right 6.40 ms".
std::string RelationWords(const v1::Relation& relation);
// "ECOG/L/G1-G2 after-discharge 4.2 s, 6.0 a second, 250 uV, after C3-C4 8.0 mA".
std::string EegActivityWords(const v1::EegActivity& activity);
// "EEG/L/F3-P3 spectrum of 4.0 s, 180 bins from 0.0 Hz, 0.25 Hz each".
std::string SpectrumSliceWords(const v1::SpectrumSlice& slice);

}  // namespace remora::reader
