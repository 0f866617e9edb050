#pragma once

// What the parts of a session share: who it is, what the hub offers, and how to speak to the
// participant. Sequence-bound to the hub.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/executor.h"
#include "common/hub_time.h"
#include "common/ids.h"
#include "hub/metrics.h"
#include "hub/participants/session.h"
#include "hub/participants/session_limits.h"
#include "hub/rooms/directory.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

// The hub's services; outlive all sessions.
struct HubServices {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  HubTimeSource* hub_time = nullptr;
  HubMetrics* metrics = nullptr;
  Directory* directory = nullptr;
  std::string software;
  uint64_t boot_id = 0;
  bool draining = false;
  // Of all sessions: bytes of records whose case is not there yet.
  size_t before_open_bytes = 0;
  // For Welcome.
  std::vector<v1::RecordKey> record_keys;
};

// The session as its parts see it; outlives them.
class SessionContext {
 public:
  SessionContext(const Identity& who, HubServices& hub) : identity(who), services(hub) {}
  virtual ~SessionContext() { *alive_ = false; }

  // Queues one control message.
  virtual void Send(const v1::Down& down) = 0;
  // Something can be written at the end of the drain.
  virtual void Wake() = 0;
  // Refuses the whole session and ends it.
  virtual void End(v1::RefusalReason reason, absl::string_view text) = 0;

  // Says whether what is shown of this case is on record, as it is when it can be written; once
  // however often it is asked for.
  virtual void TellRecording(const Room& room) = 0;

  // Refuses what was asked for a case, a follow or a history request; the session goes on.
  void Refuse(v1::RefusalReason reason, absl::string_view text, uint32_t follow_id,
              absl::string_view case_id, uint32_t request_id = 0);
  // A case that the directory does not give, and why (Directory::Obtain). Of one that was purged
  // the answer comes when its tombstone was read.
  void RefuseCase(const absl::Status& why, uint32_t follow_id, absl::string_view case_id,
                  uint32_t request_id = 0);
  // Whether the identity may enter this theatre; "" is none yet.
  bool MayEnter(const std::string& theatre) const;

  // Version 1 knows no mark, and is shown nothing that would need it.
  bool KnowsUnrecorded() const { return version >= kFirstVersionWithUnrecorded; }

  const Identity identity;
  HubServices& services;
  // Bound at hello.
  OriginId origin;
  // What both speak: from kOldestProtocolVersion to kProtocolVersion. Set by hello.
  uint32_t version = 0;

 private:
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
