#include "acquisition-agent/sources/simulator/vocabulary.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace remora::agent::sim {
namespace {

// As `choices` of WordReader::TakeOneOf; the vocabulary lives as long as the program.
using Words = std::vector<std::string>;

const Words& NerveWords() {
  static const auto* const words =
      new Words{"median", "tibial", "all", "ulnar", "MED", "TIB", "ULN"};
  return *words;
}

// In the order of StimulusKind, without kSep.
const Words& StimulationWords() {
  static const auto* const words = new Words{
      "median", "tibial", "all", "ulnar", "MED",  "TIB", "ULN", "mep",         "dwave",  "tof",
      "screw",  "nerve",  "rln", "vagus", "baep", "vep", "dcs", "subcortical", "midline"};
  return *words;
}

const Words& PhaseWords() {
  static const auto* const words = new Words{"PLANNED",
                                             "IN_ROOM",
                                             "PRE_INTUBATION",
                                             "INDUCTION",
                                             "PRE_POSITION",
                                             "POSITIONING",
                                             "POST_POSITION",
                                             "PRE_INCISION",
                                             "EXPOSURE",
                                             "INSTRUMENTATION",
                                             "NEURAL_MANIPULATION",
                                             "CORRECTION",
                                             "RESECTION",
                                             "CLAMP",
                                             "DECOMPRESSION",
                                             "CLOSURE",
                                             "EMERGENCE",
                                             "DONE"};
  return *words;
}

const Words& PositionWords() {
  static const auto* const words =
      new Words{"supine", "prone", "lateral", "sitting", "lithotomy", "park-bench", "knee-elbow"};
  return *words;
}

const Words& DrugWords() {
  static const auto* const words = new Words{
      "rocuronium",   "vecuronium",    "cisatracurium", "suxamethonium",      "sugammadex",
      "neostigmine",  "propofol",      "sevoflurane",   "desflurane",         "isoflurane",
      "remifentanil", "sufentanil",    "fentanyl",      "ketamine",           "dexmedetomidine",
      "midazolam",    "thiopental",    "etomidate",     "lidocaine",          "magnesium",
      "ephedrine",    "phenylephrine", "noradrenaline", "metaraminol",        "adrenaline",
      "atropine",     "labetalol",     "dexamethasone", "methylprednisolone", "tranexamic-acid",
      "mannitol"};
  return *words;
}

std::optional<Nerve> NerveOf(int word) {
  if (word == 0 || word == 4) return Nerve::kMedian;
  if (word == 1 || word == 5) return Nerve::kTibial;
  if (word == 3 || word == 6) return Nerve::kUlnar;
  return std::nullopt;
}

}  // namespace

bool AtEventEnd(const WordReader& words) {
  return words.AtEnd() || absl::EqualsIgnoreCase(words.Peek(), "for");
}

std::optional<Nerve> TakeNerve(WordReader* words) {
  return NerveOf(words->TakeOneOf("a nerve", NerveWords()));
}

std::optional<Side> TakeSide(WordReader* words) {
  const int i = words->TakeOneOf("a side", {"left", "right", "both", "L", "R"});
  if (i == 0 || i == 3) return Side::kLeft;
  if (i == 1 || i == 4) return Side::kRight;
  return std::nullopt;
}

Side TakeOneSide(WordReader* words) {
  const int i = words->TakeOneOf("one side", {"left", "right", "L", "R"});
  return i == 1 || i == 3 ? Side::kRight : Side::kLeft;
}

Region TakeLimb(WordReader* words) {
  const int i = words->TakeOneOf("a limb", {"arm", "leg", "hand", "foot"});
  return i == 1 || i == 3 ? Region::kLeg : Region::kArm;
}

Region TakeRegion(WordReader* words) {
  constexpr std::array<Region, 6> kRegions = {Region::kFace, Region::kLarynx, Region::kNeck,
                                              Region::kArm,  Region::kTrunk,  Region::kLeg};
  const int i = words->TakeOneOf("a region", {"face", "larynx", "neck", "arm", "trunk", "leg"});
  return i < 0 ? Region::kArm : kRegions[static_cast<size_t>(i)];
}

int TakeRoot(WordReader* words, bool cranial) {
  const std::string word(words->Peek());
  const std::optional<int> root = FindRoot(word);
  if (!root || (*root == kFacialRoot && !cranial)) {
    words->Fail(absl::StrCat("\"", word, "\" is no root of the spinal cord; a root is C1 to C8, ",
                             "T1 to T12, L1 to L5 or S1 to S5", cranial ? ", or facial" : ""));
    return 1;
  }
  words->Take(word);
  return *root;
}

std::string TakeChannel(WordReader* words) {
  if (words->AtEnd()) {
    words->Fail("the line ends where a channel should stand");
    return "";
  }
  std::string label(words->Peek());
  words->Take(label);
  if (words->Take("L")) label += " L";
  if (words->Take("R")) label += " R";
  if (words->Take("rostral")) label += " rostral";
  if (words->Take("caudal")) label += " caudal";
  return label;
}

void TakeStimulation(WordReader* words, ScenarioEvent* event) {
  constexpr int kFirstKind = 7;  // in StimulationWords, of StimulusKind::kMep
  const int word = words->TakeOneOf("what is stimulated", StimulationWords());
  if (word < 0) return;
  if (word >= kFirstKind) {
    event->stimulation =
        static_cast<StimulusKind>(static_cast<int>(StimulusKind::kMep) + word - kFirstKind);
  } else {
    event->nerve = NerveOf(word);
    if (event->nerve) event->stimulation = StimulusKind::kSep;
  }
  if (!AtEventEnd(*words) && !words->AtNumber()) event->side = TakeSide(words);
}

std::string TakePhase(WordReader* words) {
  const int i = words->TakeOneOf("a phase", PhaseWords());
  return i < 0 ? "" : absl::StrCat("PHASE ", PhaseWords()[static_cast<size_t>(i)]);
}

std::string TakePosition(WordReader* words) {
  const int i = words->TakeOneOf("a position", PositionWords());
  return i < 0 ? "" : absl::StrCat("POSITION ", PositionWords()[static_cast<size_t>(i)]);
}

std::string TakeDrug(WordReader* words) {
  const int i = words->TakeOneOf("a drug", DrugWords());
  return i < 0 ? "" : DrugWords()[static_cast<size_t>(i)];
}

}  // namespace remora::agent::sim
