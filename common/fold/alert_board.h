#pragma once

// The alerts of a case and what people did about them: part of the fold. Of each alert the record
// that raised it, its call and its newest update are kept, with the newest actions.
//
// What calls and which actions hold is written at AlertActionKind in alert.proto. It follows from
// the records that are kept, so that a checkpoint loses nothing of it.
//
// Open: not resolved or dismissed, and its condition is there or no reader has acknowledged it.
// Acknowledgement is per place. When full, the oldest alert that is not open leaves; open ones only
// when there is no other (kMaxAlerts, kMaxAlertBytes), the least urgent and oldest first.
// Thread-compatible value.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/fold/origin_clocks.h"
#include "common/fold/record_shelf.h"
#include "common/ids.h"
#include "remora/v1/record.pb.h"

namespace remora {

class AlertBoard {
 public:
  void ApplyAlert(const RecordKey& key, const v1::Alert& alert, uint64_t seq, const MadeAt& made,
                  const StampedBytes& bytes);
  void ApplyAction(const RecordKey& key, const v1::AlertAction& action, uint64_t seq,
                   const StampedBytes& bytes);

  struct Worst {
    v1::AlertPriority priority = v1::ALERT_PRIORITY_UNSPECIFIED;
    std::string summary;
    int64_t called_unix_ns = 0;
  };
  struct Counts {
    uint32_t open = 0;
    uint32_t unacknowledged = 0;
    // The highest priority, of equal ones the newest: of the open ones, and of those that no reader
    // has acknowledged.
    Worst worst;
    Worst calling;
  };
  Counts Count(const OriginClocks& clocks) const;
  // Whether a person at `place` has acknowledged (or gone beyond) the alert.
  bool IsAcknowledged(const RecordKey& alert, v1::Place place) const;
  bool IsOpen(const RecordKey& alert) const;
  // The newest alert for this criterion that has not recovered.
  struct Raised {
    RecordKey key;
    uint64_t seq = 0;
    int64_t recorded_unix_ns = 0;
  };
  std::optional<Raised> FindRaised(absl::string_view criterion_key) const;
  size_t size() const { return alerts_.size(); }

  // Fields `alerts_field` and `actions_field` of a CaseState.
  void AppendTo(uint32_t alerts_field, uint32_t actions_field, std::string* out) const;

 private:
  struct Action {
    RecordKey key;
    uint64_t seq = 0;
    v1::AlertAction action;  // without its reason
    StampedBytes bytes;
  };
  struct Kept {
    uint64_t seq = 0;
    StampedBytes bytes;
  };
  struct Call {
    RecordKey key;
    uint64_t seq = 0;
    MadeAt made;
    uint32_t episode = 0;
    v1::AlertPriority priority = v1::ALERT_PRIORITY_UNSPECIFIED;
  };
  struct Entry {
    // The first, the call and the newest: the same record in part or in whole.
    Kept first;
    Kept called;
    Kept newest;
    Call call;
    v1::AlertPriority priority = v1::ALERT_PRIORITY_UNSPECIFIED;
    v1::AlertCondition condition = v1::ALERT_CONDITION_UNSPECIFIED;
    std::string summary;
    std::vector<Action> actions;
    // Derived from the actions that hold.
    std::array<bool, 4> acknowledged{};  // by v1::Place
    bool resolved = false;

    bool IsOpen() const {
      return !resolved &&
             (condition != v1::ALERT_CONDITION_RECOVERED || !acknowledged[v1::PLACE_READER]);
    }
    bool Holds(const Action& action) const;
    size_t action_bytes() const;
    size_t bytes() const;
  };

  static void Derive(Entry* entry);
  void MakeRoom();

  absl::flat_hash_map<RecordKey, Entry> alerts_;
  // By the `seq` of the first record.
  std::map<uint64_t, RecordKey> order_;
  size_t bytes_ = 0;
};

}  // namespace remora
