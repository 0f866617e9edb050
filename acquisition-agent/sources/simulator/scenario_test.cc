#include "acquisition-agent/sources/simulator/scenario.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/simulator/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = ScenarioEvent::Kind;

Scenario Parse(absl::string_view text) {
  absl::StatusOr<Scenario> scenario = ParseScenario(text, "t.scenario");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *std::move(scenario) : Scenario();
}

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(text, "t.scenario");
  if (scenario.ok()) return "no error";
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(scenario.status().message());
}

TEST(ParseScenario, ReadsTheSetUp) {
  const Scenario s = Parse(
      "# a remark\n"
      "title Case 7, left\r\n"
      "channels CPz, cp3,Erb L , TA R  # four\n"
      "rate 10 kHz\n"
      "stimulate median right at 4.7 Hz 22.5mA\n"
      "stimulate TIB both 2.66Hz\n"
      "mains 60 Hz 12 uV\n"
      "eeg 5 uV\nemg 2 uV\namplifier 0.3 uV\nartefact 0.2 mV\necg 20 uV\nduration 2 min\n");
  EXPECT_EQ(s.title, "Case 7, left");
  ASSERT_EQ(s.channels.size(), 4u);
  EXPECT_EQ(s.channels[1].label, "CP3");
  EXPECT_EQ(s.channels[2].label, "Erb L");
  EXPECT_EQ(s.sample_rate_hz, 10'000);
  ASSERT_EQ(s.stimulators.size(), 3u);
  EXPECT_EQ(s.stimulators[0].side, Side::kRight);
  EXPECT_EQ(s.stimulators[0].rate_hz, 4.7);
  EXPECT_EQ(s.stimulators[0].current_ma, 22.5);
  EXPECT_EQ(s.stimulators[2].nerve, Nerve::kTibial);
  EXPECT_EQ(s.mains_hz, 60);
  EXPECT_EQ(s.mains_uv, 12);
  EXPECT_EQ(s.artefact_uv, 200);
  EXPECT_EQ(s.duration_s, 120);
}

TEST(ParseScenario, ReadsEveryKindOfEvent) {
  const Scenario s = Parse(
      "at 40 s for 30 s: sep median left amplitude 0.35 latency 1.12 ramp 10 s\n"
      "at 70 s: emg train TA L 120 Hz for 3 s\n"
      "at 71 s: emg burst AH R 90 uV\n"
      "at 72 s: emg spike APB L\n"
      "at 90 s: diathermy for 4 s\n"
      "at 120 s: disconnect CP4 flat for 20 s\n"
      "at 130 s: mains 15 uV\n"
      "at 140 s: lose triggers for 5 s\n"
      "at 150 s: stop stimulation tibial left for 5 s\n"
      "at 2.5 min: gap 2 s\n"
      "at 160 s: saturate cp3 for 500 ms\n"
      "at 10 s every 60 s: note Incision: left side\n"
      "at 5 s: sep all both peripheral amplitude 50%\n");
  ASSERT_EQ(s.events.size(), 13u);
  const ScenarioEvent& sep = s.events[0];
  EXPECT_EQ(sep.kind, Kind::kResponse);
  EXPECT_EQ(sep.at_s, 40);
  EXPECT_EQ(sep.for_s, 30);
  EXPECT_EQ(sep.nerve, Nerve::kMedian);
  EXPECT_EQ(sep.side, Side::kLeft);
  EXPECT_EQ(sep.amplitude, 0.35);
  EXPECT_EQ(sep.latency, 1.12);
  EXPECT_EQ(sep.ramp_s, 10);
  EXPECT_FALSE(sep.levels[0]);
  EXPECT_TRUE(sep.levels[1] && sep.levels[2]);
  EXPECT_EQ(s.events[1].channel, "TA L");
  EXPECT_EQ(s.events[1].rate_hz, 120);
  EXPECT_EQ(s.events[1].for_s, 3);
  EXPECT_EQ(s.events[2].level_uv, 90);
  EXPECT_EQ(s.events[4].level_uv, 5000);
  EXPECT_TRUE(s.events[5].flat);
  EXPECT_TRUE(std::isinf(s.events[6].for_s));
  EXPECT_EQ(s.events[9].at_s, 150);
  EXPECT_EQ(s.events[9].for_s, 2);
  EXPECT_EQ(s.events[10].channel, "CP3");
  EXPECT_EQ(s.events[10].for_s, 0.5);
  EXPECT_EQ(s.events[11].text, "Incision: left side");
  EXPECT_FALSE(s.events[12].nerve);
  EXPECT_EQ(s.events[12].amplitude, 0.5);
  EXPECT_TRUE(s.events[12].levels[0]);
  EXPECT_FALSE(s.events[12].levels[2]);
}

TEST(ParseScenario, AnEmptyOneIsASpinalCase) {
  const Scenario s = Parse("");
  EXPECT_EQ(s.channels.size(), 16u);
  EXPECT_EQ(s.stimulators.size(), 4u);
}

TEST(ShippedScenario, AllParse) {
  const std::vector<std::string> names = ShippedScenarioNames();
  ASSERT_EQ(names.size(), 4u + 2 * 25u);
  for (const std::string& name : names) {
    EXPECT_FALSE(Parse(ShippedScenario(name)).title.empty()) << name;
  }
  for (const char* name : {"quiet", "cord", "noisy"}) {
    EXPECT_EQ(Parse(ShippedScenario(name)).channels.size(), 16u) << name;
  }
  EXPECT_EQ(Parse(ShippedScenario("everything")).channels.size(), 64u);
  for (int i = 1; i <= 25; ++i) {
    const std::string name = absl::StrCat(i < 10 ? "S0" : "S", i);
    const std::string text(ShippedScenario(name));
    ASSERT_FALSE(text.empty()) << name;
    EXPECT_THAT(text, AllOf(StartsWith("# " + name + " "), HasSubstr("# Expected: ")));
    // The word that its first line gives is its other name.
    const std::string word = text.substr(6, text.find('.') - 6);
    EXPECT_EQ(ShippedScenario(word), text) << word;
    const Scenario scenario = Parse(text);
    EXPECT_TRUE(std::isfinite(scenario.duration_s)) << name;
    EXPECT_TRUE(scenario.has_vitals && scenario.impedance_kohm) << name;
    for (const ScenarioEvent& event : scenario.events) {
      EXPECT_LT(event.at_s, scenario.duration_s) << name << ":" << event.line;
    }
  }
  EXPECT_TRUE(ShippedScenario("none").empty());
  EXPECT_TRUE(ShippedScenario("").empty());
}

TEST(ParseScenario, HostileLinesNameLineFaultAndRemedy) {
  EXPECT_THAT(ErrorOf("\n\nstimulat median left at 3 Hz"),
              AllOf(StartsWith(
                  "t.scenario:3: \"stimulat\" is not a statement (did you mean \"stimulate\"?)")));
  EXPECT_THAT(ErrorOf("at 3 s: sep tibail left amplitude 0.5"),
              HasSubstr("t.scenario:1: \"tibail\" is not a nerve (did you mean \"tibial\"?); a "
                        "nerve is one of: median, tibial, all"));
  EXPECT_THAT(ErrorOf("at 3 s: sep tibial left"), HasSubstr("nothing changes"));
  EXPECT_THAT(ErrorOf("at 3 s: sep tibial left amplitude"),
              HasSubstr("the line ends where an amplitude should stand"));
  EXPECT_THAT(ErrorOf("at 3 s: sep tibial left amplitude -1"),
              HasSubstr("out of range; an amplitude is a number from 0 to 10"));
  EXPECT_THAT(ErrorOf("at 3: diathermy"),
              HasSubstr("\"3\" has no unit; the time of an event is a number"));
  EXPECT_THAT(ErrorOf("at 3 sec: diathermy"), HasSubstr("unknown unit \"sec\""));
  EXPECT_THAT(ErrorOf("at soon: diathermy"), HasSubstr("\"soon\" is no number"));
  EXPECT_THAT(ErrorOf("at 3 s diathermy"), HasSubstr("no colon"));
  EXPECT_THAT(ErrorOf("at 3 s: diatermy"), HasSubstr("(did you mean \"diathermy\"?)"));
  EXPECT_THAT(ErrorOf("at 3 s: diathermy 5 mV loud"),
              HasSubstr("\"loud\" is more than is understood here"));
  EXPECT_THAT(ErrorOf("at 3 s: disconnect CP33"),
              HasSubstr("this scenario has no channel \"CP33\" (did you mean \"CP3\"?)"));
  EXPECT_THAT(ErrorOf("channels CPz, CP33"),
              HasSubstr("knows no channel \"CP33\" (did you mean \"CP3\"?)"));
  EXPECT_THAT(ErrorOf("channels CPz, cpz"), HasSubstr("stands here twice"));
  EXPECT_THAT(ErrorOf("rate 5000000 Hz"), HasSubstr("from 500 to 50000"));
  EXPECT_THAT(ErrorOf("stimulate median left at 3 Hz\nstimulate median both at 3 Hz"),
              HasSubstr("t.scenario:2: MED L is stimulated twice"));
  EXPECT_THAT(ErrorOf("at 3 s: gap"), HasSubstr("how long?"));
  EXPECT_THAT(ErrorOf("at 3 s every 2 s for 3 s: diathermy"), HasSubstr("before it is over"));
  EXPECT_THAT(ErrorOf("at 3 s: emg burst TA L for 1 h"), HasSubstr("a burst lasts at most 10 s"));
  EXPECT_THAT(ErrorOf("at 3 s: note"), HasSubstr("a note needs a text"));
  EXPECT_THAT(ErrorOf("at nan s: diathermy"), HasSubstr("no number"));
  EXPECT_THAT(ErrorOf("at 1e9 s: diathermy"), HasSubstr("unit \"e9\""));
  EXPECT_THAT(ErrorOf("at 3 s: lose patience"), HasSubstr("what can be lost is one of: triggers"));
}

TEST(ParseScenario, HostileSizesAreRefused) {
  EXPECT_THAT(ErrorOf(std::string(300'000, 'x')), HasSubstr("at most 262144 are read"));
  EXPECT_THAT(ErrorOf(std::string(10'000, '\n')), HasSubstr("more than 5000 lines"));
  std::string events;
  for (int i = 0; i < 2001; ++i) events += "at 1 s: diathermy\n";
  EXPECT_THAT(ErrorOf(events), HasSubstr("t.scenario:2001: more than 2000 events"));
}

TEST(ParseScenario, HostileMixesOfWordsNeverCrash) {
  SimRandom random(11, 0);
  const std::vector<std::string> words = {
      "at",        "3",         "s",    "for", "every",    ":",     "sep",   "median",
      "left",      "amplitude", "0.5",  "emg", "train",    "TA",    "L",     "120",
      "Hz",        "gap",       "note", "\n",  "channels", ",",     "CPz",   "#",
      "stimulate", "ramp",      "uV",   "-",   "\xFF",     "1e400", "mains", "disconnect"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = 0; i < 14; ++i)
      text += words[random.NextBits() % words.size()] + (random.NextBits() % 4 ? " " : "");
    (void)ParseScenario(text, "t");
  }
}

}  // namespace
}  // namespace remora::agent::sim
