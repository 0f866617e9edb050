// Whether anybody reads this theatre, as the hub's records of presence and links say
// (docs/freshness.md), and what the console says of it. That the hub is reached says nothing of it.
//
//   nobody yet --> read --10 s without the only reader--> AMBER --60 s--> ALARM; back: how long
//                    '--the last one leaves in order--> nobody
//
// What the hub has of the case comes from its beginning: nothing is said before that is over.
// No clock of its own. Sequence-bound to its owner's.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/time.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

class ReaderWatch {
 public:
  // `reader_phone` may be empty.
  explicit ReaderWatch(std::string reader_phone) : reader_phone_(std::move(reader_phone)) {}

  // The hub takes this case; and it is silent: what it knows is not known here, and is said again.
  void OnJoined(DeviceTime now);
  void OnHubLost() { settled_at_.reset(); }
  // Of the case's lanes 0-1, with its time on record. `old`: from before the session.
  void OnRecord(const v1::Record& record, HubTime recorded_at, bool old, DeviceTime now);
  // What to say now; empty: nothing has changed.
  std::string Tell(DeviceTime now);

 private:
  enum class State { kUnknown, kNobodyYet, kRead, kLeft, kLost, kUnsupervised };
  struct Reader {
    std::string name;
    bool here = false;
    v1::LinkCondition link = v1::LINK_CONDITION_UNSPECIFIED;
    HubTime last_sign;  // before the silence, while the link is lost
    bool is_lost() const { return link >= v1::LINK_CONDITION_LOST; }
  };
  State Judge() const;
  Reader* Find(const std::string& participant);
  std::string NamesOfWhoReads() const;
  std::string NamesOfLost() const;

  const std::string reader_phone_;
  std::map<std::string, Reader> readers_;
  bool anybody_ever_ = false;
  std::string left_last_;
  Duration away_;  // as the last return said
  State told_ = State::kUnknown;
  // When the records that come are of now; nothing: the hub is not there.
  std::optional<DeviceTime> settled_at_;
};

}  // namespace remora::agent
