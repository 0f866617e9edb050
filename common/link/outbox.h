#pragma once

// What a participant has to publish in one case: the agent's spool, or a MemoryOutbox. The link
// asks it for what comes next; it keeps every record until the hub has said that the journal holds
// it. Called on the link's sequence only. Owned by its maker; outlives its place in the link.

#include <string>

#include "remora/v1/room.pb.h"

namespace remora {

// Whether the hub will refuse the record for this reason whenever it is offered. For other reasons
// (out of order, draining, too many) it is offered again in the next session.
bool IsPermanentRefusal(v1::RefusalReason reason);

class Outbox {
 public:
  virtual ~Outbox() = default;

  // A session begins: the hub holds exactly these of this origin. What it holds is not offered
  // again, everything else is, from the beginning; also what was given out in an earlier session.
  virtual void OnJoined(const v1::Joined& joined) = 0;
  // Appends frames (record_codec.h) of what comes next, in strict priority (lanes 0-2 first, each
  // in order), up to `max_bytes`, but at least one record if one waits. What was given out is not
  // given out again before the next OnJoined. Only called between OnJoined and the session's end.
  virtual void NextBatch(size_t max_bytes, std::string* frames) = 0;
  // The journal holds these durably. May repeat what was said before.
  virtual void OnAcknowledged(const v1::Acknowledge& acknowledge) = 0;
  // The hub did not take this record. If IsPermanentRefusal, its number stays unused for ever, and
  // the next may follow.
  virtual void OnRefused(const v1::RecordRefused& refused) = 0;
  // Something waits that was not given out in this session.
  virtual bool HasPending() const = 0;
};

}  // namespace remora
