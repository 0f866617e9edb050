// What the threshold of a pedicle screw, or of a dilator on its way through the psoas, stands for.
//
//   lumbar (L2 to S1)   < 4 mA red, to 8 mA amber, above green     Raynor 2007 (4,857 screws)
//   thoracic (T6-T12)   < 6 mA amber; red where it is 60 % below    Raynor 2002 (677 screws)
//                       the patient's own mean as well
//   dilator             < 5 mA red, to 10 mA amber, above green     custom
//   elsewhere           no band: no source
//
// Never green by silence: no response at the highest current is unverified until delivery and a
// positive control in that muscle's roots are on record. Under relaxation nothing is said. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace remora::dsp {

enum class ScrewRegion : std::uint8_t { kLumbar, kThoracic, kDilator, kOther };
enum class ScrewBand : std::uint8_t {
  kGreen,
  kAmber,
  kRed,
  kUnverified,
  kNotInterpretable,
  kNoBand
};

struct ScrewFinding {
  ScrewRegion region = ScrewRegion::kOther;
  // In mA, over 0; nothing: no response up to `highest_ma`.
  std::optional<double> threshold_ma;
  double highest_ma = 0;
  // Mean of the patient's other screws of the region; nothing: fewer than three.
  std::optional<double> own_mean_ma;
  bool is_relaxed = false;
  bool delivery_is_proven = false;
  bool has_positive_control = false;
};

struct ScrewReading {
  ScrewBand band = ScrewBand::kNoBand;
  std::string words;
};

ScrewReading ReadScrew(const ScrewFinding& finding);

}  // namespace remora::dsp
