// Follows a case by its records, and ranks the causes of a change whenever an alert is raised or
// becomes louder, and while it is on, at most each minute, where what is known orders them anew
// (docs/differential.md).
//
//   record --> FollowedTraces, FollowedPatient --> picture --> features --> ranking
//
// Pure: the same records in the same order give the same rankings. Thread-compatible, on the
// agent's sequence.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "acquisition-agent/reasoning/followed_patient.h"
#include "acquisition-agent/reasoning/followed_traces.h"
#include "common/ids.h"
#include "dsp/assess/causes/cause_model.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

class CaseFollower {
 public:
  explicit CaseFollower(dsp::CauseModel model) : model_(std::move(model)) {}

  // Each record of the case in its order, the agent's own and those of others. The rankings that it
  // leads to: of a physiological alert that is raised or becomes worse, and of each that is on,
  // where what is known now orders the causes anew.
  std::vector<v1::CauseRanking> OnRecord(const v1::Record& record, const RecordKey& key,
                                         int64_t at_ns);

  // As it would be told now.
  dsp::CasePicture PictureOf(const v1::Alert& alert, int64_t now_ns) const;

 private:
  struct On {
    RecordKey newest;
    v1::Alert alert;
    std::string told;  // first causes and test of the ranking that was told last
    int64_t told_ns = 0;
    v1::AlertPriority told_priority = v1::ALERT_PRIORITY_UNSPECIFIED;
  };

  v1::CauseRanking Rank(const RecordKey& raised_by, const On& on, int64_t now_ns) const;
  static std::string OrderOf(const v1::CauseRanking& ranking);
  void OnAlert(const v1::Alert& alert, const RecordKey& key);

  const dsp::CauseModel model_;
  FollowedTraces traces_;
  FollowedPatient patient_;
  std::map<RecordKey, On> on_;  // by the record that raised it
};

}  // namespace remora::agent
