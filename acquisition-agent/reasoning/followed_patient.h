// Patient, equipment and operation as a case's records tell them: what the picture of a change has
// beside the traces (dsp/assess/causes/picture.h). Fed with each record, in their order.
//
// What is older than its due interval is missing, with its age: never "normal". What nobody tells
// in this case at all (no drug is ever entered) is missing too, and not "none". Thread-compatible,
// bounded.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dsp/assess/causes/picture.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

// How old each may be, in ns.
struct DueTimes {
  int64_t train_ns = int64_t{15} * 60 * 1'000'000'000;
  int64_t vitals_ns = int64_t{5} * 60 * 1'000'000'000;
};

class FollowedPatient {
 public:
  void OnRecord(const v1::Record& record, int64_t at_ns);

  // Fills in all that is not of traces. `electrodes`, `stimuli` and `roots` are those of what
  // changed; `limbs`: "left leg" and such.
  struct About {
    std::vector<std::string> electrodes;
    std::vector<std::string> stimulating;
    std::vector<std::string> myotomes;
    std::vector<v1::Modality> modalities;
    std::vector<dsp::BodyPart> parts;
  };
  void Fill(const About& about, int64_t now_ns, dsp::CasePicture* picture) const;

 private:
  struct Timed {
    int64_t at_ns = 0;
    double value = 0;
    std::string words;
  };
  using Series = std::deque<Timed>;

  void OnEmg(const v1::EmgActivity& activity, int64_t at_ns);
  void OnVitals(const v1::Vitals& vitals, int64_t at_ns);
  void OnDrug(const v1::DrugGiven& drug, int64_t at_ns);
  void OnSpectrum(const v1::SpectralEdge& edge, int64_t at_ns);
  void OnImpedances(const v1::Impedances& impedances, int64_t at_ns);
  void OnWords(const std::string& words, int64_t at_ns);
  static void Keep(Series* series, Timed one);

  dsp::Known<dsp::StageOfSurgery> Stage() const;
  dsp::Known<dsp::Relaxation> RelaxationNow(int64_t now_ns) const;
  dsp::Known<bool> Given(const Series& series, int64_t within_ns, int64_t now_ns,
                         const char* none) const;
  dsp::Known<bool> Deeper(int64_t now_ns) const;
  dsp::Known<bool> PressureLow(int64_t now_ns) const;
  dsp::Known<bool> CoreCooling(int64_t now_ns) const;
  dsp::Known<bool> LimbCold(const About& about, int64_t now_ns) const;
  dsp::Known<dsp::ImpedanceChange> Impedance(const About& about) const;
  dsp::Known<bool> Delivered(const About& about) const;
  dsp::Known<bool> DeviceOn(int64_t now_ns) const;
  dsp::Known<dsp::SurgicalEvent> EventOfSurgery(int64_t now_ns) const;
  dsp::Known<bool> Trains(const About& about, int64_t now_ns) const;
  dsp::Known<bool> EegDiffers(int64_t now_ns) const;

  DueTimes due_;
  double target_map_mmhg_ = 0;
  v1::Phase phase_ = v1::PHASE_UNSPECIFIED;
  int64_t phase_since_ns_ = 0;
  std::map<std::string, v1::TrainOfFour> trains_of_four_;  // by limb
  std::map<std::string, int64_t> trains_of_four_ns_;
  bool any_drug_ = false;
  bool any_position_ = false;
  bool any_words_ = false;
  bool any_emg_ = false;
  Series relaxants_;
  Series anaesthetics_;
  Series moves_;
  Series pressure_;
  Series core_;
  std::map<std::string, Series> limb_temperature_;  // by site
  std::map<std::string, Series> edge_;              // SEF95 by trace
  std::map<std::string, Series> suppression_;
  std::map<std::string, Series> asymmetry_;
  std::map<std::string, Series> kohm_;  // by electrode; open: negative
  std::map<v1::Modality, std::pair<bool, std::string>> delivered_;
  Series artefacts_;
  Series instruments_;
  Series retractors_;
  Series vessels_;
  std::map<std::string, Series> emg_trains_;  // by muscle
};

}  // namespace remora::agent
