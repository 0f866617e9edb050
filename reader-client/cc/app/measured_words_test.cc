#include "reader-client/cc/app/measured_words.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::reader {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(MeasuredWords, DischargeSaysItsKindAndNumbers) {
  v1::EmgActivity activity;
  activity.set_trace_id("EMG_FREE_RUNNING/L/TA");
  activity.set_kind(v1::EMG_ACTIVITY_KIND_TRAIN);
  activity.set_duration_ms(160);
  activity.set_ongoing(true);
  EXPECT_EQ(EmgActivityWords(activity), "EMG_FREE_RUNNING/L/TA train 160 ms so far");
  activity.set_ongoing(false);
  activity.set_train_pattern(v1::TRAIN_PATTERN_A);
  activity.set_peak_uv(92);
  activity.set_train_time_ms(600);
  EXPECT_EQ(EmgActivityWords(activity),
            "EMG_FREE_RUNNING/L/TA A-train 160 ms, 92 uV, train time 0.6 s");
  activity.Clear();
  activity.set_duration_ms(kNan);
  activity.set_reason("diathermy");
  EXPECT_EQ(EmgActivityWords(activity), " discharge no number; diathermy");
}

TEST(MeasuredWords, TrainOfFourSaysCountRatioAndControl) {
  v1::TrainOfFour train;
  train.set_limb("left hand");
  train.set_twitch_count(3);
  train.set_t1_percent_of_control(61);
  EXPECT_EQ(TrainOfFourWords(train), "left hand 3/4, T1 61 % of control");
  train.set_twitch_count(4);
  train.set_ratio(0.42);
  EXPECT_EQ(TrainOfFourWords(train), "left hand 4/4, ratio 0.42, T1 61 % of control");
  train.set_reason("a twitch behind a missing one");
  EXPECT_THAT(TrainOfFourWords(train), HasSubstr("; a twitch behind a missing one"));
}

TEST(MeasuredWords, TrainOfFourWithFlagsHasNoCount) {
  v1::TrainOfFour train;
  train.set_trace_id("TRAIN_OF_FOUR/L/APB");
  train.add_quality(v1::QUALITY_FLAG_TOO_FEW_SWEEPS);
  train.add_quality(v1::QUALITY_FLAG_CLIPPED);
  EXPECT_EQ(TrainOfFourWords(train), "TRAIN_OF_FOUR/L/APB no count: too few sweeps, clipped");
  train.set_reason("only 3 of four stimuli came");
  EXPECT_EQ(TrainOfFourWords(train), "TRAIN_OF_FOUR/L/APB no count: only 3 of four stimuli came");
}

TEST(MeasuredWords, HostileCountOfTwitchesIsNone) {
  v1::TrainOfFour train;
  train.set_limb("foot");
  train.set_twitch_count(5);
  EXPECT_EQ(TrainOfFourWords(train), "foot no count: not to be relied on");
  train.set_twitch_count(4);
  train.set_ratio(kNan);
  EXPECT_EQ(TrainOfFourWords(train), "foot 4/4, ratio no number");
}

TEST(MeasuredWords, ThresholdIsAValueOnlyWhereItWasFound) {
  v1::StimulusThreshold threshold;
  threshold.set_level("L4 left");
  threshold.set_trace_id("PEDICLE_SCREW/L/TA");
  threshold.set_threshold_ma(7.2);
  threshold.set_largest_without_response(7);
  EXPECT_EQ(ThresholdWords(threshold),
            "L4 left PEDICLE_SCREW/L/TA threshold searched, none up to 7.00 mA");
  threshold.set_state(v1::THRESHOLD_STATE_FOUND);
  threshold.set_repeat_index(2);
  EXPECT_EQ(ThresholdWords(threshold), "L4 left PEDICLE_SCREW/L/TA threshold 7.20 mA, time 2");
  threshold.set_own_count(5);
  threshold.set_own_mean(12.4);
  EXPECT_THAT(ThresholdWords(threshold), HasSubstr(" 7.20 mA, own mean 12.40 mA of 5"));
  threshold.set_state(v1::THRESHOLD_STATE_INCONSISTENT);
  EXPECT_THAT(ThresholdWords(threshold), HasSubstr("answers contradict each other"));
  threshold.set_state(v1::THRESHOLD_STATE_NO_RESPONSE_AT_MAXIMUM);
  EXPECT_THAT(ThresholdWords(threshold), HasSubstr("no response at maximum, not verified"));
  EXPECT_THAT(ThresholdWords(threshold), Not(HasSubstr("7.20")));
}

TEST(MeasuredWords, ThresholdOfAVoltageIsInVolt) {
  v1::StimulusThreshold threshold;
  threshold.set_trace_id("MEP_TRANSCRANIAL/L/APB");
  threshold.set_state(v1::THRESHOLD_STATE_FOUND);
  threshold.set_threshold_v(320);
  EXPECT_EQ(ThresholdWords(threshold), "MEP_TRANSCRANIAL/L/APB threshold 320 V");
  threshold.set_threshold_v(0);
  threshold.set_state(v1::THRESHOLD_STATE_SEARCHING);
  threshold.set_largest_without_response(200);
  threshold.mutable_stimulus()->set_voltage_v(200);
  EXPECT_EQ(ThresholdWords(threshold),
            "MEP_TRANSCRANIAL/L/APB threshold searched, none up to 200 V");
}

TEST(MeasuredWords, HostileThresholdHasNoNumber) {
  v1::StimulusThreshold threshold;
  threshold.set_state(v1::THRESHOLD_STATE_FOUND);
  threshold.set_threshold_ma(kNan);
  EXPECT_EQ(ThresholdWords(threshold), " threshold no number");
}

TEST(MeasuredWords, ContactSaysAmplitudeOrWhatWasSeen) {
  v1::MappingContact contact;
  contact.set_strip("strip A");
  contact.set_contact_index(3);
  EXPECT_EQ(MappingContactWords(contact), "strip A contact 3: not measured");
  contact.set_amplitude_uv(12.3);
  contact.set_polarity_ratio(-0.85);
  EXPECT_EQ(MappingContactWords(contact), "strip A contact 3: 12.30 uV, polarity -0.85");
  contact.set_response("speech arrest");
  contact.set_current_ma(4);
  contact.set_after_discharge(true);
  contact.set_actor("Ines Ruiz");
  EXPECT_EQ(MappingContactWords(contact),
            "strip A contact 3: speech arrest, 4.0 mA, after-discharge, seen by Ines Ruiz");
}

TEST(MeasuredWords, ResultSaysBetweenWhichContactsOrWhyNot) {
  v1::MappingResult result;
  result.set_strip("strip A");
  result.set_reason("no turn of polarity");
  EXPECT_EQ(MappingResultWords(result), "strip A: polarity turns nowhere; no turn of polarity");
  result.clear_reason();
  result.set_contact_before(4);
  result.set_contact_after(5);
  result.set_confidence(0.93);
  EXPECT_EQ(MappingResultWords(result),
            "strip A: polarity turns between contacts 4 and 5, confidence 0.93");
  result.set_method(v1::MAPPING_METHOD_GRADIENT);
  result.set_mark_confidence(v1::MARK_CONFIDENCE_UNCERTAIN);
  EXPECT_EQ(MappingResultWords(result),
            "strip A: left and right cross between contacts 4 and 5, confidence 0.93, uncertain");
}

TEST(MeasuredWords, SpectralEdgeHasNumbersOnlyWhereTheyAreOfUse) {
  v1::SpectralEdge edge;
  edge.set_trace_id("EEG/L/F3-P3");
  edge.set_sef95_hz(11.2);
  edge.set_median_hz(4.5);
  edge.set_burst_suppression_percent(12);
  EXPECT_EQ(SpectralEdgeWords(edge), "EEG/L/F3-P3 SEF95 11.2 Hz, median 4.5 Hz");
  edge.set_suppression_over_s(60);
  edge.set_has_asymmetry(true);
  edge.set_asymmetry(0.12);
  EXPECT_EQ(SpectralEdgeWords(edge),
            "EEG/L/F3-P3 SEF95 11.2 Hz, median 4.5 Hz, suppression 12 % of 60 s, asymmetry +0.12");
  edge.add_quality(v1::QUALITY_FLAG_DIATHERMY);
  EXPECT_EQ(SpectralEdgeWords(edge), "EEG/L/F3-P3 no numbers: diathermy");
}

TEST(MeasuredWords, RelationIsAnIntervalOrARatio) {
  v1::Relation relation;
  relation.set_name("central conduction time");
  relation.set_side(v1::SIDE_RIGHT);
  relation.set_kind(v1::RELATION_KIND_INTERVAL);
  relation.set_value(6.4);
  EXPECT_EQ(RelationWords(relation), "central conduction time right 6.40 ms");
  relation.set_kind(v1::RELATION_KIND_RATIO);
  relation.set_confidence(v1::MARK_CONFIDENCE_UNCERTAIN);
  relation.set_reason("N13 of Cv5: uncertain");
  EXPECT_EQ(RelationWords(relation),
            "central conduction time right 6.40, uncertain; N13 of Cv5: uncertain");
  relation.set_confidence(v1::MARK_CONFIDENCE_NO_RESPONSE);
  EXPECT_THAT(RelationWords(relation), HasSubstr("right no value; "));
}

TEST(MeasuredWords, AfterDischargeSaysHowLongAndAfterWhat) {
  v1::EegActivity activity;
  activity.set_trace_id("ECOG/L/G1-G2");
  activity.set_kind(v1::EEG_ACTIVITY_KIND_AFTER_DISCHARGE);
  activity.set_duration_ms(4200);
  activity.set_rate_hz(6);
  activity.set_peak_uv(250);
  activity.set_ongoing(true);
  EXPECT_EQ(EegActivityWords(activity),
            "ECOG/L/G1-G2 after-discharge 4.2 s so far, 6.0 a second, 250 uV");
  activity.set_ongoing(false);
  activity.set_current_ma(8);
  EXPECT_THAT(EegActivityWords(activity), HasSubstr("250 uV, after 8.0 mA"));
  activity.set_site("C3-C4");
  EXPECT_THAT(EegActivityWords(activity),
              HasSubstr("4.2 s, 6.0 a second, 250 uV, after C3-C4 8.0 mA"));
}

TEST(MeasuredWords, SpectrumSliceSaysItsBins) {
  v1::SpectrumSlice slice;
  slice.set_trace_id("EEG/L/F3-P3");
  slice.set_window_ms(4000);
  slice.set_bin_width_hz(0.25);
  slice.mutable_power_db()->set_sample_count(180);
  EXPECT_EQ(SpectrumSliceWords(slice),
            "EEG/L/F3-P3 spectrum of 4.0 s, 180 bins from 0.0 Hz, 0.25 Hz each");
}

}  // namespace
}  // namespace remora::reader
