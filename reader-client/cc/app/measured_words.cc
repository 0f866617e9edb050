#include "reader-client/cc/app/measured_words.h"

#include "absl/strings/str_cat.h"
#include "reader-client/cc/app/quantity.h"

namespace remora::reader {
namespace {

constexpr uint32_t kTwitches = 4;

// "; why", or nothing.
std::string Because(const std::string& reason) {
  return reason.empty() ? "" : absl::StrCat("; ", reason);
}

// Current or voltage, by what the search was in.
std::string Intensity(const v1::StimulusThreshold& threshold, double value) {
  const bool is_voltage =
      IsKnown(threshold.threshold_v()) ||
      (!IsKnown(threshold.threshold_ma()) && IsKnown(threshold.stimulus().voltage_v()));
  return is_voltage ? Quantity(value, 0, "V") : Quantity(value, 2, "mA");
}

std::string FoundWords(const v1::StimulusThreshold& threshold) {
  const double value =
      IsKnown(threshold.threshold_v()) ? threshold.threshold_v() : threshold.threshold_ma();
  std::string words = absl::StrCat("threshold ", Intensity(threshold, value));
  if (threshold.own_count() > 0) {
    absl::StrAppend(&words, ", own mean ", Intensity(threshold, threshold.own_mean()), " of ",
                    threshold.own_count());
  }
  return words;
}

std::string StateWords(const v1::StimulusThreshold& threshold) {
  switch (threshold.state()) {
    case v1::THRESHOLD_STATE_FOUND:
      return FoundWords(threshold);
    case v1::THRESHOLD_STATE_NO_RESPONSE_AT_MAXIMUM:
      return "no response at maximum, not verified";
    case v1::THRESHOLD_STATE_INCONSISTENT:
      return "answers contradict each other";
    default:
      break;
  }
  if (!IsKnown(threshold.largest_without_response())) return "threshold searched";
  return absl::StrCat("threshold searched, none up to ",
                      Intensity(threshold, threshold.largest_without_response()));
}

const char* DischargeWord(const v1::EmgActivity& activity) {
  switch (activity.train_pattern()) {
    case v1::TRAIN_PATTERN_A:
      return "A-train";
    case v1::TRAIN_PATTERN_B:
      return "B-train";
    case v1::TRAIN_PATTERN_C:
      return "C-train";
    default:
      break;
  }
  switch (activity.kind()) {
    case v1::EMG_ACTIVITY_KIND_SPIKE:
      return "spike";
    case v1::EMG_ACTIVITY_KIND_BURST:
      return "burst";
    case v1::EMG_ACTIVITY_KIND_TRAIN:
      return "train";
    case v1::EMG_ACTIVITY_KIND_ARTEFACT:
      return "artefact";
    case v1::EMG_ACTIVITY_KIND_SILENCE:
      return "silence after a burst";
    default:
      return "discharge";
  }
}

}  // namespace

std::string EmgActivityWords(const v1::EmgActivity& activity) {
  std::string words =
      absl::StrCat(activity.trace_id(), " ", DischargeWord(activity), " ",
                   Quantity(activity.duration_ms(), 0, "ms"), activity.ongoing() ? " so far" : "");
  if (IsKnown(activity.peak_uv())) {
    absl::StrAppend(&words, ", ", Quantity(activity.peak_uv(), 0, "uV"));
  }
  if (IsKnown(activity.train_time_ms())) {
    absl::StrAppend(&words, ", train time ", Quantity(activity.train_time_ms() / 1000, 1, "s"));
  }
  return absl::StrCat(words, Because(activity.reason()));
}

std::string TrainOfFourWords(const v1::TrainOfFour& train) {
  std::string words = train.limb().empty() ? train.trace_id() : train.limb();
  if (!train.quality().empty() || train.twitch_count() > kTwitches) {
    absl::StrAppend(&words, " no count: ",
                    train.reason().empty() ? QualityWords(train.quality()) : train.reason());
    return words;
  }
  absl::StrAppend(&words, " ", train.twitch_count(), "/", kTwitches);
  if (train.twitch_count() == kTwitches) {
    absl::StrAppend(&words, ", ratio ", Quantity(train.ratio(), 2, ""));
  }
  if (IsKnown(train.t1_percent_of_control())) {
    absl::StrAppend(&words, ", T1 ", Quantity(train.t1_percent_of_control(), 0, "% of control"));
  }
  return absl::StrCat(words, Because(train.reason()));
}

std::string ThresholdWords(const v1::StimulusThreshold& threshold) {
  std::string words = threshold.level();
  absl::StrAppend(&words, words.empty() ? "" : " ", threshold.trace_id(), " ",
                  StateWords(threshold));
  if (threshold.repeat_index() > 1) absl::StrAppend(&words, ", time ", threshold.repeat_index());
  if (!threshold.quality().empty()) {
    absl::StrAppend(&words, ", ", QualityWords(threshold.quality()));
  }
  return absl::StrCat(words, Because(threshold.reason()));
}

std::string MappingContactWords(const v1::MappingContact& contact) {
  std::string words = absl::StrCat(contact.strip(), " contact ", contact.contact_index(), ":");
  if (!contact.response().empty()) {
    absl::StrAppend(&words, " ", contact.response());
  } else if (IsKnown(contact.amplitude_uv())) {
    absl::StrAppend(&words, " ", Quantity(contact.amplitude_uv(), 2, "uV"), ", polarity ",
                    SignedQuantity(contact.polarity_ratio(), 2, ""));
  } else {
    absl::StrAppend(&words, " not measured");
  }
  if (IsKnown(contact.current_ma())) {
    absl::StrAppend(&words, ", ", Quantity(contact.current_ma(), 1, "mA"));
  }
  if (contact.after_discharge()) absl::StrAppend(&words, ", after-discharge");
  if (!contact.actor().empty()) absl::StrAppend(&words, ", seen by ", contact.actor());
  return words;
}

std::string MappingResultWords(const v1::MappingResult& result) {
  const bool gradient = result.method() == v1::MAPPING_METHOD_GRADIENT;
  std::string words = absl::StrCat(result.strip(), ": ");
  if (result.contact_before() == 0 || result.contact_after() == 0) {
    absl::StrAppend(&words, gradient ? "left and right cross nowhere" : "polarity turns nowhere");
    return absl::StrCat(words, Because(result.reason()));
  }
  absl::StrAppend(&words, gradient ? "left and right cross" : "polarity turns",
                  " between contacts ", result.contact_before(), " and ", result.contact_after(),
                  ", confidence ", Quantity(result.confidence(), 2, ""));
  if (result.mark_confidence() == v1::MARK_CONFIDENCE_UNCERTAIN) {
    absl::StrAppend(&words, ", uncertain");
  }
  return absl::StrCat(words, Because(result.reason()));
}

std::string SpectralEdgeWords(const v1::SpectralEdge& edge) {
  std::string words = edge.trace_id();
  if (!edge.quality().empty()) {
    return absl::StrCat(words, " no numbers: ", QualityWords(edge.quality()));
  }
  absl::StrAppend(&words, " SEF95 ", Quantity(edge.sef95_hz(), 1, "Hz"), ", median ",
                  Quantity(edge.median_hz(), 1, "Hz"));
  if (IsKnown(edge.suppression_over_s())) {
    absl::StrAppend(&words, ", suppression ", Quantity(edge.burst_suppression_percent(), 0, "%"),
                    " of ", Quantity(edge.suppression_over_s(), 0, "s"));
  }
  if (edge.has_asymmetry()) {
    absl::StrAppend(&words, ", asymmetry ", SignedQuantity(edge.asymmetry(), 2, ""));
  }
  return words;
}

std::string RelationWords(const v1::Relation& relation) {
  std::string words = relation.name().empty() ? relation.relation_id() : relation.name();
  const char* side = SideWord(relation.side());
  if (*side != '\0') absl::StrAppend(&words, " ", side);
  if (relation.confidence() == v1::MARK_CONFIDENCE_NO_RESPONSE) {
    return absl::StrCat(words, " no value", Because(relation.reason()));
  }
  absl::StrAppend(
      &words, " ",
      Quantity(relation.value(), 2, relation.kind() == v1::RELATION_KIND_INTERVAL ? "ms" : ""));
  if (relation.confidence() == v1::MARK_CONFIDENCE_UNCERTAIN) {
    absl::StrAppend(&words, ", uncertain");
  }
  return absl::StrCat(words, Because(relation.reason()));
}

std::string EegActivityWords(const v1::EegActivity& activity) {
  const bool discharge = activity.kind() == v1::EEG_ACTIVITY_KIND_AFTER_DISCHARGE;
  std::string words = absl::StrCat(
      activity.trace_id(), discharge ? " after-discharge " : " activity ",
      Quantity(activity.duration_ms() / 1000, 1, "s"), activity.ongoing() ? " so far" : "", ", ",
      Quantity(activity.rate_hz(), 1, "a second"), ", ", Quantity(activity.peak_uv(), 0, "uV"));
  if (!activity.site().empty()) absl::StrAppend(&words, ", after ", activity.site());
  if (IsKnown(activity.current_ma())) {
    absl::StrAppend(&words, activity.site().empty() ? ", after " : " ",
                    Quantity(activity.current_ma(), 1, "mA"));
  }
  return absl::StrCat(words, Because(activity.reason()));
}

std::string SpectrumSliceWords(const v1::SpectrumSlice& slice) {
  std::string words = absl::StrCat(
      slice.trace_id(), " spectrum of ", Quantity(slice.window_ms() / 1000, 1, "s"), ", ",
      slice.power_db().sample_count(), " bins from ", Quantity(slice.first_bin_hz(), 1, "Hz"), ", ",
      Quantity(slice.bin_width_hz(), 2, "Hz each"));
  if (!slice.quality().empty()) absl::StrAppend(&words, ", ", QualityWords(slice.quality()));
  return words;
}

}  // namespace remora::reader
