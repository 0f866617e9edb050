// The named limits of the simulator. A scenario beyond them is refused with a message.
#pragma once

#include <cstdint>

namespace remora::agent::sim {

inline constexpr int64_t kMaxScenarioBytes = 256
                                             << 10;  // a day of events by hand is a tenth of this
inline constexpr int kMaxScenarioLines = 5000;
inline constexpr int kMaxEvents = 2000;
inline constexpr int kMaxChannels = 256;
inline constexpr int kMaxStimulators = 64;         // two screws a level, and all else
inline constexpr int kMaxPulses = 20;              // of a train
inline constexpr int kMaxSweeps = 100;             // of a round
inline constexpr int kMaxContacts = 32;            // of a strip on the cord
inline constexpr int kMaxTestSteps = 500;          // of one test
inline constexpr double kMaxTimeS = 7 * 86'400.0;  // as long as anything can last
inline constexpr double kMinSampleRateHz = 500;    // below it no SEP survives
inline constexpr double kMaxSampleRateHz = 50'000;
inline constexpr double kMaxStimulusRateHz = 50;
inline constexpr double kMaxVolts = 1000;
inline constexpr double kMaxMilliamps = 300;
inline constexpr double kMaxBurstS = 10;  // a burst's discharges are held in memory

}  // namespace remora::agent::sim
