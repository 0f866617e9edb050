#include "tests/surveillance/cause_figures.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dsp/assess/causes/feature.h"

namespace remora::surveillance {

bool IsAmongFirst(const dsp::CauseModel& model, const dsp::Differential& differential,
                  dsp::CauseGroup group, size_t places) {
  const size_t count = std::min(places, differential.ranked.size());
  for (size_t i = 0; i < count; ++i) {
    if (model.causes[differential.ranked[i].cause].group == group) return true;
  }
  return false;
}

CauseFigures MeasureCauses(const dsp::CauseModel& model, int seeds, std::uint64_t seed) {
  CauseFigures figures;
  figures.causes = SimulatedCauses();
  figures.seeds = seeds;
  for (const std::string& cause : figures.causes) {
    std::vector<int> first(model.causes.size(), 0);
    int right_first = 0;
    int right_in_two = 0;
    const size_t right = model.CauseAt(cause);
    for (int i = 0; i < seeds; ++i) {
      const dsp::Differential differential = dsp::RankCauses(
          model, dsp::SeeFeatures(SimulateChange(cause, Beside::kNothing, seed++), model));
      const auto& ranked = differential.ranked;
      if (ranked.empty()) continue;
      ++first[ranked[0].cause];
      if (ranked[0].cause == right) ++right_first;
      if (ranked[0].cause == right || (ranked.size() > 1 && ranked[1].cause == right)) {
        ++right_in_two;
      }
    }
    figures.first.push_back(std::move(first));
    figures.right_first.push_back(right_first);
    figures.right_in_two.push_back(right_in_two);
  }
  return figures;
}

BesideFigures MeasureBeside(const dsp::CauseModel& model, int runs, std::uint64_t seed) {
  const std::array<std::pair<const char*, Beside>, 5> besides = {
      {{"hypotension", Beside::kHypotension},
       {"relaxant", Beside::kRelaxant},
       {"deepening", Beside::kDeepening},
       {"noise", Beside::kNoise},
       {"dead control", Beside::kDeadControl}}};
  const std::array<const char*, 3> injuries = {"cord", "root", "cortical"};
  BesideFigures figures;
  for (int i = 0; i < runs; ++i, ++seed) {
    const char* injury = injuries[static_cast<size_t>(i) % injuries.size()];
    const auto& [name, beside] = besides[static_cast<size_t>(i) / injuries.size() % besides.size()];
    const dsp::Differential differential =
        dsp::RankCauses(model, dsp::SeeFeatures(SimulateChange(injury, beside, seed), model));
    ++figures.runs;
    if (IsAmongFirst(model, differential, dsp::CauseGroup::kSurgical, 2)) {
      ++figures.surgical_in_two;
    } else {
      figures.missed.push_back(absl::StrCat(injury, ", ", name, ", seed ", seed));
    }
  }
  return figures;
}

std::string TableOf(const dsp::CauseModel& model, const CauseFigures& figures) {
  std::string table =
      "| simulated | first | in the first two | first where it was not |\n"
      "| --- | --- | --- | --- |\n";
  for (size_t row = 0; row < figures.causes.size(); ++row) {
    const size_t right = model.CauseAt(figures.causes[row]);
    std::vector<std::string> others;
    for (size_t cause = 0; cause < model.causes.size(); ++cause) {
      const int count = figures.first[row][cause];
      if (cause == right || count == 0) continue;
      others.push_back(absl::StrCat(model.causes[cause].name, " ", count));
    }
    absl::StrAppend(&table, "| ", model.causes[right].name, " | ", figures.right_first[row], " of ",
                    figures.seeds, " | ", figures.right_in_two[row], " | ",
                    absl::StrJoin(others, "; "), " |\n");
  }
  return table;
}

}  // namespace remora::surveillance
