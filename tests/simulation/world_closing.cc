// World: how cases come to their end, and what can be proved of them then.

#include "absl/strings/str_cat.h"
#include "common/fold/readers.h"
#include "tests/simulation/proof.h"
#include "tests/simulation/world.h"

namespace remora::simulation {

void World::CheckLinkState(const Oracle::Entry& entry) {
  v1::Record record;
  if (!record.ParseFromString(entry.bytes)) return Fail("a LinkState that cannot be read");
  const v1::LinkState& state = record.link_state();
  // Through a restart the hub knows no more than its last record.
  if (state.own_view() || hub_->starts() != 1) return;
  const auto check = [&](LinkedProcess& process, const LinkedProcess::Plan& plan) {
    const auto silences = silences_.find(&process.port());
    if (plan.name != state.participant() || silences == silences_.end()) return;
    const bool agent = state.role() == v1::ROLE_AGENT;
    counters_.Count(agent ? "check: the hub's word on a link"
                          : "check: the hub's word on a reader's link");
    if (silences->second.Explain(state, loop_.now())) return;
    Fail(absl::StrCat("the hub says that ", state.participant(), " is ",
                      v1::LinkCondition_Name(state.condition()), ", ", state.outage_ms(),
                      " ms away, and it was not"));
  };
  for (const auto& agent : agents_) check(*agent, agent->plan());
  for (const auto& reader : readers_) {
    if (reader->plan().name != state.participant()) continue;
    if (reader->plan().speaks != Speaks::kAll || !ReadsCases(reader->plan().role) ||
        state.condition() == v1::LINK_CONDITION_STALE) {
      Fail(absl::StrCat("the hub judges the link of ", state.participant(), ": ",
                        v1::LinkCondition_Name(state.condition())));
    }
    check(*reader, reader->plan());
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
