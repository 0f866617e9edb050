#include "acquisition-agent/sources/source.h"

namespace remora::agent {
namespace {

struct Due {
  int64_t operator()(const SampleBlock& block) const { return block.end_time_ns; }
  int64_t operator()(const StimulusTrigger& trigger) const { return trigger.time_ns; }
  int64_t operator()(const SourceEvent& event) const { return event.time_ns; }
  int64_t operator()(const Gap& gap) const { return gap.from_ns; }
  int64_t operator()(const VitalSign& vital) const { return vital.time_ns; }
  int64_t operator()(const DrugEvent& drug) const { return drug.time_ns; }
  int64_t operator()(const ElectrodeImpedance& impedance) const { return impedance.time_ns; }
  int64_t operator()(const NothingYet&) const { return 0; }
  int64_t operator()(const EndOfSource&) const { return 0; }
};

struct Shift {
  void operator()(SampleBlock& block) const {
    block.start_time_ns += by_ns;
    block.end_time_ns += by_ns;
  }
  void operator()(Gap& gap) const {
    gap.from_ns += by_ns;
    gap.to_ns += by_ns;
  }
  void operator()(NothingYet&) const {}
  void operator()(EndOfSource&) const {}
  template <typename Timed>
  void operator()(Timed& item) const {
    item.time_ns += by_ns;
  }
  int64_t by_ns;
};

}  // namespace

int64_t DueTimeNs(const Item& item) { return std::visit(Due{}, item); }

void ShiftTimes(int64_t by_ns, Item* item) { std::visit(Shift{by_ns}, *item); }

}  // namespace remora::agent
