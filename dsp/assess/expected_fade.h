// The fall that time under anaesthesia alone brings to transcranial motor responses ("fade"), so
// that it can be shown as a band under a trend, and taken out of what is judged as drift.
//
// Source: Ugawa et al., Scoliosis and Spinal Disorders 13:18, 2018 (142 deformity corrections under
// propofol): amplitude in percent of that at 2 h; abductor hallucis 92, 71, 63 at 4, 5, 6 h,
// abductor digiti minimi 101, 86, 81. Between the hours: straight lines. Before 2 h: 100. After
// 6 h nothing is published: it stays, and `is_beyond_source` says so. How wide the band is, nobody
// has published either: half of the fall to either side, 10 points at least, is Remora's own.
//
// Pure functions.
#pragma once

#include <cstdint>

namespace remora::dsp {

enum class FadeRegion : std::uint8_t { kHand, kFoot };

struct ExpectedFade {
  double percent = 100;  // of the amplitude at 2 h
  double low_percent = 100;
  double high_percent = 100;
  bool is_beyond_source = false;
};

// `hours` since anaesthesia began; under 0 counts as 0.
ExpectedFade FadeAt(FadeRegion region, double hours);

}  // namespace remora::dsp
