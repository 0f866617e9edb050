#include "dsp/assess/rules/laryngeal_loss.h"

namespace remora::dsp {
namespace {

constexpr double kSatisfactoryUv = 200;
constexpr double kLostUnderUv = 100;
constexpr double kLeastMa = 1;
constexpr double kMostMa = 2;

// In the order of the trouble-shooting: is there a twitch, then tube and leads, then the other
// side.
std::vector<std::string> Missing(const LaryngealFacts& facts) {
  std::vector<std::string> missing;
  if (!facts.first_uv || !(*facts.first_uv > kSatisfactoryUv)) {
    missing.push_back("a first response of this nerve and side over 200 uV");
  }
  if (!facts.delivered_ma || !(*facts.delivered_ma >= kLeastMa && *facts.delivered_ma <= kMostMa)) {
    missing.push_back("1 to 2 mA, delivered");
  }
  if (!facts.twitch_is_felt) missing.push_back("whether a twitch of the larynx is felt");
  if (!facts.tube_and_leads_were_checked) missing.push_back("a look at tube and leads");
  if (!facts.other_vagus_answers) missing.push_back("the response to the other side's vagus");
  return missing;
}

}  // namespace

LaryngealReading ReadLarynx(const LaryngealFacts& facts) {
  LaryngealReading reading;
  if (facts.is_relaxed || !facts.response_uv || !(*facts.response_uv >= 0)) return reading;
  if (*facts.response_uv >= kLostUnderUv) {
    reading.verdict = LaryngealVerdict::kAnswers;
    return reading;
  }
  reading.missing = Missing(facts);
  const bool twitch = facts.twitch_is_felt.value_or(false);
  const bool other_side_too = !facts.other_vagus_answers.value_or(true);
  if (twitch || other_side_too) {
    reading.verdict = LaryngealVerdict::kTechnical;
    reading.consider = twitch ? "the nerve works: look at the recording side (tube, depth, leads)"
                              : "neither side answers: look at tube, relaxation and stimulator";
    return reading;
  }
  if (!reading.missing.empty()) {
    reading.verdict = LaryngealVerdict::kSignalLost;
    return reading;
  }
  reading.verdict = LaryngealVerdict::kLossOfSignal;
  if (facts.is_first_side && facts.is_bilateral_planned) {
    reading.consider = "loss of signal on the first side: consider staging the other side";
  }
  return reading;
}

}  // namespace remora::dsp
