#include "reader-client/cc/app/record_words.h"

#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/limits.h"
#include "reader-client/cc/app/event_words.h"
#include "reader-client/cc/app/limits.h"
#include "reader-client/cc/app/measured_words.h"

namespace remora::reader {
namespace {

std::string MeasurementWords(const v1::Measurement& m) {
  return absl::StrFormat("%s %s %.2f uV (%.0f %%) %.2f ms (%+.1f %%)", m.trace_id(), m.component(),
                         m.amplitude_uv(), m.amplitude_percent_of_baseline(), m.latency_ms(),
                         m.latency_change_percent());
}

std::string SweepWords(const v1::Sweep& sweep) {
  return absl::StrCat(sweep.trace_id(), " n=", sweep.accepted_count(), "/", sweep.requested_count(),
                      sweep.provisional() ? " provisional" : "");
}

// "samples 341 to 352 given up: its disk was short of space"; "EMG/L: 2.5 s of the source missing".
std::string DataGapWords(const v1::DataGap& gap) {
  const std::string trace = gap.trace_id().empty() ? "" : gap.trace_id() + ": ";
  if (gap.first_origin_seq() > 0) {
    return absl::StrCat(trace, LaneWord(gap.lane()), " ",
                        NumbersText(gap.first_origin_seq(), gap.last_origin_seq()), " ",
                        ReasonWords(GapReason::kGivenUp, gap.cause()));
  }
  const double from_s = static_cast<double>(gap.from_monotonic_ns()) / 1e9;
  const double to_s = static_cast<double>(gap.to_monotonic_ns()) / 1e9;
  return absl::StrFormat("%s%.2f s of signal missing: %s", trace, to_s - from_s,
                         CauseWords(gap.cause()));
}

std::string HeadGapWords(const v1::OriginLaneHead& head, const v1::NamedGap& gap) {
  const char* why = gap.cause() == v1::NAMED_GAP_CAUSE_DATA_GAP  ? "given up"
                    : gap.cause() == v1::NAMED_GAP_CAUSE_REFUSED ? "refused by the hub"
                                                                 : "missing";
  return absl::StrCat(head.participant().empty() ? "the hub" : head.participant(), ": ",
                      LaneWord(head.lane()), " ",
                      NumbersText(gap.first_origin_seq(), gap.last_origin_seq()), " ", why);
}

std::string CertificateWords(const v1::Certificate& certificate) {
  std::vector<std::string> gaps;
  uint64_t more = 0;
  for (const v1::OriginLaneHead& head : certificate.heads()) {
    for (const v1::NamedGap& gap : head.gaps()) {
      if (gaps.size() < kMaxGapsInALine) {
        gaps.push_back(HeadGapWords(head, gap));
      } else {
        ++more;
      }
    }
  }
  std::string words = absl::StrCat("certificate ", certificate.certificate_index(), " of ",
                                   certificate.record_count(), " records: ",
                                   !certificate.complete() ? "not complete"
                                   : gaps.empty()          ? "complete, nothing left out"
                                                           : "complete but for what is named");
  for (const std::string& gap : gaps) absl::StrAppend(&words, "; ", gap);
  if (more > 0) absl::StrAppend(&words, "; and ", more, " more gaps (remora verify lists them)");
  if (!certificate.reason().empty()) {
    absl::StrAppend(&words, "; ", certificate.actor(), ": ", certificate.reason());
  }
  return words;
}

// Of what is told or measured beside traces.
std::string ToldWords(const v1::Record& record) {
  switch (record.body_case()) {
    case v1::Record::kVitals:
      return VitalsWords(record.vitals());
    case v1::Record::kDrugGiven:
      return DrugWords(record.drug_given());
    case v1::Record::kImpedances:
      return ImpedancesWords(record.impedances());
    case v1::Record::kStimulusChange:
      return StimulusChangeWords(record.stimulus_change());
    case v1::Record::kPositionChange:
      return PositionWords(record.position_change());
    case v1::Record::kTrainOfFour:
      return TrainOfFourWords(record.train_of_four());
    case v1::Record::kStimulusThreshold:
      return ThresholdWords(record.stimulus_threshold());
    case v1::Record::kMappingContact:
      return MappingContactWords(record.mapping_contact());
    case v1::Record::kMappingResult:
      return MappingResultWords(record.mapping_result());
    case v1::Record::kSpectralEdge:
      return SpectralEdgeWords(record.spectral_edge());
    case v1::Record::kRelation:
      return RelationWords(record.relation());
    case v1::Record::kEegActivity:
      return EegActivityWords(record.eeg_activity());
    case v1::Record::kSpectrumSlice:
      return SpectrumSliceWords(record.spectrum_slice());
    default:
      return "";
  }
}

}  // namespace

const char* LaneWord(uint32_t lane) {
  static constexpr const char* kWords[] = {"alerts", "events",    "measurements",
                                           "sweeps", "envelopes", "samples"};
  static_assert(std::size(kWords) == kLaneCount);
  return lane < kLaneCount ? kWords[lane] : "records of an unknown lane";
}

const char* CauseWords(v1::DataGapCause cause) {
  switch (cause) {
    case v1::DATA_GAP_CAUSE_SPOOL_SHORT:
      return "its disk was short of space";
    case v1::DATA_GAP_CAUSE_SOURCE_GAP:
      return "the source gave none";
    case v1::DATA_GAP_CAUSE_SPOOL_DAMAGED:
      return "its spool was damaged";
    case v1::DATA_GAP_CAUSE_AGENT_RESTARTED:
      return "the agent was started again";
    default:
      return "it has not said why";
  }
}

std::string ReasonWords(GapReason reason, v1::DataGapCause cause) {
  switch (reason) {
    case GapReason::kMissing:
      return "missing";
    case GapReason::kGivenUp:
      return absl::StrCat("given up: ", CauseWords(cause));
    case GapReason::kRefused:
      return "refused by the hub";
    case GapReason::kLate:
      return "late, and on record";
  }
  return "";
}

std::string NumbersText(uint64_t first, uint64_t last) {
  return first == last ? absl::StrCat(first) : absl::StrCat(first, " to ", last);
}

std::string RecordWords(const v1::Record& record) {
  switch (record.body_case()) {
    case v1::Record::kAlert:
      return record.alert().summary();
    case v1::Record::kMessage:
      return absl::StrCat(record.message().sender(), ": ", record.message().text());
    case v1::Record::kAnnotation:
      return absl::StrCat(record.annotation().actor(), ": ", record.annotation().text());
    case v1::Record::kMeasurement:
      return MeasurementWords(record.measurement());
    case v1::Record::kSweep:
      return SweepWords(record.sweep());
    case v1::Record::kEmgActivity:
      return EmgActivityWords(record.emg_activity());
    case v1::Record::kEnvelope:
      return record.envelope().trace_id();
    case v1::Record::kSampleBlock:
      return record.sample_block().trace_id();
    case v1::Record::kDataGap:
      return DataGapWords(record.data_gap());
    case v1::Record::kCertificate:
      return CertificateWords(record.certificate());
    default:
      return ToldWords(record);
  }
}

}  // namespace remora::reader
