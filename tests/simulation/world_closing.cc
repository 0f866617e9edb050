// World: how cases come to their end, and what can be proved of them then.

#include "absl/strings/str_cat.h"
#include "tests/simulation/proof.h"
#include "tests/simulation/world.h"

namespace remora::simulation {

void World::CheckLinkState(const Oracle::Entry& entry) {
  v1::Record record;
  if (!record.ParseFromString(entry.bytes)) return Fail("a LinkState that cannot be read");
  const v1::LinkState& state = record.link_state();
  // Through a restart the hub knows no more than its last record.
  if (state.own_view() || hub_->starts() != 1) return;
  for (const auto& agent : agents_) {
    const auto silences = silences_.find(&agent->port());
    if (agent->plan().name != state.participant() || silences == silences_.end()) continue;
    counters_.Count("check: the hub's word on a link");
    if (silences->second.Explain(state, loop_.now())) continue;
    Fail(absl::StrCat("the hub says that ", state.participant(), " is ",
                      v1::LinkCondition_Name(state.condition()), ", ", state.outage_ms(),
                      " ms away, and it was not"));
  }
}

void World::HelpToClose() {
  for (const auto& agent : agents_) {
    const Oracle::Case* one = oracle_->Find(agent->case_id());
    if (!agent->closes() || !agent->needs_person() || one == nullptr || EndOf(*one).closed)
      continue;
    for (const auto& reader : readers_) {
      const bool may = reader->plan().role == v1::ROLE_TECHNOLOGIST && reader->is_up() &&
                       reader->home() == agent->case_id() && reader->Lack().empty();
      if (!may) continue;
      counters_.Count("case closed with gaps");
      reader->process().Post([reader = reader.get()] { reader->CloseWithGaps(); });
      break;
    }
  }
}

void World::CheckProofs() {
  for (const auto& [case_id, one] : oracle_->cases()) {
    if (one.head() == 0) continue;
    const VerifyReport report = Verify(case_id, one, hub_->record_key());
    counters_.Count("check: the record verifies");
    counters_.Count("signed heads", report.signed_heads);
    counters_.Count("certificates", report.certificates);
    if (!report.ok()) {
      Fail(absl::StrCat("case ", case_id.Hex().substr(0, 6),
                        " does not verify: ", report.findings.front()));
    }
  }
}

void World::CountEnds() {
  for (const auto& agent : agents_) {
    const Oracle::Case* one = oracle_->Find(agent->case_id());
    if (!agent->closes() || one == nullptr || agent->retired()) continue;
    counters_.Count(EndOf(*one).closed ? "case closed" : "case that nobody could close");
  }
}

}  // namespace remora::simulation
