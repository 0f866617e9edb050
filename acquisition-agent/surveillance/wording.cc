#include "acquisition-agent/surveillance/wording.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "dsp/assess/adaptive_criterion.h"
#include "dsp/assess/drift.h"

namespace remora::agent {
namespace {

double RecentFallPercent(const v1::AdaptiveRule& rule) {
  return rule.least_fall_percent() > 0 ? rule.least_fall_percent()
                                       : dsp::AdaptiveLimits().least_fall_percent;
}

double DriftFallPercent(const v1::DriftRule& rule) {
  return rule.least_fall_percent() > 0 ? rule.least_fall_percent()
                                       : dsp::DriftLimits().least_fall_percent;
}

bool IsOfMuscles(const v1::Criterion& criterion) {
  const bool is_motor = criterion.modality() == v1::MODALITY_MEP_TRANSCRANIAL ||
                        criterion.modality() == v1::MODALITY_MEP_DIRECT_CORTICAL;
  return is_motor && !criterion.has_adaptive() && !criterion.has_drift();
}

}  // namespace

std::string StimulusText(const v1::EvokedPlan& plan) {
  std::string text = "SEP";
  if (!plan.stimulus().site().empty()) absl::StrAppend(&text, " ", plan.stimulus().site());
  if (plan.side() == v1::SIDE_LEFT) absl::StrAppend(&text, " left");
  if (plan.side() == v1::SIDE_RIGHT) absl::StrAppend(&text, " right");
  if (plan.side() == v1::SIDE_BILATERAL) absl::StrAppend(&text, " both sides");
  return text;
}

std::string LimitText(const v1::Criterion& criterion, dsp::AlertLevel level) {
  std::vector<std::string> parts;
  const auto add = [&](double amber, double red, const char* sign, double scale, const char* unit) {
    const bool is_red = level == dsp::AlertLevel::kRed;
    const double own = is_red                             ? red
                       : level == dsp::AlertLevel::kAmber ? amber
                       : red > 0                          ? red
                                                          : amber;
    if (own > 0) parts.push_back(absl::StrCat(sign, own * scale, " ", unit));
  };
  add(criterion.amber_amplitude_fall_percent(), criterion.red_amplitude_fall_percent(), "-", 1,
      "%");
  add(criterion.amber_latency_rise_percent(), criterion.red_latency_rise_percent(), "+", 1, "%");
  add(criterion.amber_train_ms(), criterion.red_train_ms(), "", 1e-3, "s");
  if (criterion.has_adaptive()) {
    parts.push_back(absl::StrCat("-", RecentFallPercent(criterion.adaptive()),
                                 " % of what it has lately been, beyond its own variation"));
  }
  if (criterion.has_drift()) {
    parts.push_back(absl::StrCat("slowly by ", DriftFallPercent(criterion.drift()), " %"));
  }
  // A level that came from the other limit of the row (a loss): name what there is.
  if (parts.empty() && level != dsp::AlertLevel::kNormal) {
    return LimitText(criterion, dsp::AlertLevel::kNormal);
  }
  return absl::StrJoin(parts, " or ");
}

dsp::AlertLevel LevelOf(v1::AlertPriority priority) {
  return priority >= v1::ALERT_PRIORITY_HIGH     ? dsp::AlertLevel::kRed
         : priority >= v1::ALERT_PRIORITY_MEDIUM ? dsp::AlertLevel::kAmber
                                                 : dsp::AlertLevel::kNormal;
}

v1::CriterionReference ReferenceTo(const v1::Criterion& criterion, const std::string& version) {
  std::vector<std::string> parts;
  const auto add = [&](const char* what, double amber, double red, const char* sign, double scale,
                       const char* unit) {
    if (amber > 0)
      parts.push_back(absl::StrCat("amber ", what, " ", sign, amber * scale, " ", unit));
    if (red > 0) parts.push_back(absl::StrCat("red ", what, " ", sign, red * scale, " ", unit));
  };
  add("amplitude", criterion.amber_amplitude_fall_percent(), criterion.red_amplitude_fall_percent(),
      "-", 1, "%");
  add("latency", criterion.amber_latency_rise_percent(), criterion.red_latency_rise_percent(), "+",
      1, "%");
  add("train", criterion.amber_train_ms(), criterion.red_train_ms(), "", 1e-3, "s");
  if (criterion.has_adaptive()) {
    parts.push_back(absl::StrCat("amber at one, red at two in a row ",
                                 RecentFallPercent(criterion.adaptive()),
                                 " % below the recent ones and beyond their variation"));
  }
  if (criterion.has_drift()) {
    parts.push_back(absl::StrCat("amber by a slow fall of ", DriftFallPercent(criterion.drift()),
                                 " % beyond what time alone brings"));
  }
  if (IsOfMuscles(criterion)) {
    parts.push_back(criterion.loss_is_amber_only() ? "amber loss" : "red loss of two in a row");
  }
  v1::CriterionReference reference;
  reference.set_key(criterion.key());
  reference.set_limits(absl::StrJoin(parts, ", "));
  reference.set_source(criterion.source());
  reference.set_version(version);
  return reference;
}

std::string WhyNot(dsp::Interpretability interpretability) {
  switch (interpretability) {
    case dsp::Interpretability::kAssessed:
    case dsp::Interpretability::kNotLikeForLike:
      return "";
    case dsp::Interpretability::kNotReproducible:
      return "odd and even averages differ";
    case dsp::Interpretability::kNotInterpretable:
      return "too much noise, or too few sweeps, to tell a loss";
  }
  return "";
}

double FiniteOr0(double value) { return std::isfinite(value) ? value : 0.0; }

v1::MarkConfidence ConfidenceOf(dsp::Presence presence) {
  switch (presence) {
    case dsp::Presence::kPresent:
      return v1::MARK_CONFIDENCE_CLEAR;
    case dsp::Presence::kUncertain:
      return v1::MARK_CONFIDENCE_UNCERTAIN;
    case dsp::Presence::kAbsent:
      return v1::MARK_CONFIDENCE_NO_RESPONSE;
  }
  return v1::MARK_CONFIDENCE_UNSPECIFIED;
}

v1::QualityFlag QualityOf(dsp::Rejection cause) {
  switch (cause) {
    case dsp::Rejection::kNone:
      break;
    case dsp::Rejection::kGap:
      return v1::QUALITY_FLAG_GAP;
    case dsp::Rejection::kNonFinite:
      return v1::QUALITY_FLAG_NOT_FINITE;
    case dsp::Rejection::kClipping:
    case dsp::Rejection::kAmplitude:
      return v1::QUALITY_FLAG_CLIPPED;
    case dsp::Rejection::kFlat:
      return v1::QUALITY_FLAG_DISCONNECTED;
    case dsp::Rejection::kExternal:
      return v1::QUALITY_FLAG_DIATHERMY;
  }
  return v1::QUALITY_FLAG_UNSPECIFIED;
}

std::string WhyRejected(dsp::Rejection cause) {
  switch (cause) {
    case dsp::Rejection::kNone:
      break;
    case dsp::Rejection::kGap:
      return "samples are missing";
    case dsp::Rejection::kNonFinite:
      return "samples are no numbers";
    case dsp::Rejection::kClipping:
      return "the amplifier is at its limit";
    case dsp::Rejection::kFlat:
      return "an electrode is disconnected";
    case dsp::Rejection::kAmplitude:
      return "larger than any response";
    case dsp::Rejection::kExternal:
      return "in a burst of interference, or over another stimulus";
  }
  return "";
}

std::string Bounded(absl::string_view text, size_t most) {
  size_t end = std::min(text.size(), most);
  // Not in the middle of a UTF-8 character.
  while (end > 0 && end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

void PutSystemMessage(const std::string& text, const RecordKey& about, int64_t now_ns,
                      RecordSink& sink) {
  v1::Record record;
  v1::Message& message = *record.mutable_message();
  message.set_kind(v1::MESSAGE_KIND_SYSTEM);
  message.set_text(text.substr(0, kMaxTextBytes));
  message.set_sender("acquisition agent");
  if (about.origin_seq != 0) *message.mutable_about() = ToProto(about);
  sink.Put(&record, now_ns);
}

}  // namespace remora::agent
