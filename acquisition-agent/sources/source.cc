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

}  // namespace

int64_t DueTimeNs(const Item& item) { return std::visit(Due{}, item); }

}  // namespace remora::agent
