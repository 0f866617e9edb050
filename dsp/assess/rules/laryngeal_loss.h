// A loss of signal of the recurrent laryngeal nerve, and what it asks for in a bilateral operation.
//
// Steps of each side: L1 V1 R1 (dissection) R2 V2 L2. A loss is called one only when all of these
// are on record; what lacks is named, and until then it is "signal lost, not yet a loss":
//   (a) the first response of that nerve and side was satisfactory
//   (b) 1 to 2 mA were delivered
//   (c) no response, or one under 100 uV
//   (d) no twitch of the larynx is felt
//   (e) tube and leads were looked at
//   (f) the other side's vagus answers: the equipment works
//
// Where it is the first side of a planned bilateral operation, to stage the other one may be
// considered: a person decides.
//
// Sources: PMC7667053, table 4 (the definition; the letters are Remora's own); Wu, gs.amegroups
// 5455 (staging). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace remora::dsp {

struct LaryngealFacts {
  // Of V1, or R1 where the vagus was not stimulated; nothing: not on record.
  std::optional<double> first_uv;
  // Delivered at the stimulation that is judged; nothing: not on record.
  std::optional<double> delivered_ma;
  // 0: no response. Nothing: not judged.
  std::optional<double> response_uv;
  std::optional<bool> twitch_is_felt;
  bool tube_and_leads_were_checked = false;
  std::optional<bool> other_vagus_answers;
  bool is_first_side = false;
  bool is_bilateral_planned = false;
  bool is_relaxed = false;
};

enum class LaryngealVerdict : std::uint8_t {
  kAnswers,       // no loss
  kNotJudged,     // no response to judge, or relaxed
  kSignalLost,    // (c) holds, and something of the rest lacks
  kTechnical,     // a twitch is felt, or the other vagus does not answer either
  kLossOfSignal,  // (a) to (f)
};

struct LaryngealReading {
  LaryngealVerdict verdict = LaryngealVerdict::kNotJudged;
  // What must be on record before it is a loss, in the order in which it is looked for.
  std::vector<std::string> missing;
  // What may be considered; "": nothing.
  std::string consider;
};

LaryngealReading ReadLarynx(const LaryngealFacts& facts);

}  // namespace remora::dsp
