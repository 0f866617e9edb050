#pragma once

// What a participant has to publish in one case: the agent's spool, or a MemoryOutbox. The link
// asks it for what comes next; it keeps every record until the hub has said that the journal holds
// it. Called on the link's sequence only. Owned by its maker; outlives its place in the link.

#include <string>

#include "remora/v1/room.pb.h"

namespace remora {

// Whether the hub refuses the record for good: its number is used up (docs/protocol.md). For other
// reasons, and for those of later versions, it is offered again after the next OnJoined.
inline bool IsPermanentRefusal(v1::RefusalReason reason) {
  switch (reason) {
    case v1::REFUSAL_REASON_NOT_PERMITTED:
    case v1::REFUSAL_REASON_MALFORMED:
    case v1::REFUSAL_REASON_TOO_LARGE:
    case v1::REFUSAL_REASON_WRONG_STAGE:
    case v1::REFUSAL_REASON_THEATRE_CLAIMED:
    case v1::REFUSAL_REASON_ID_REUSED:
      return true;
    default:
      return false;
  }
}

class Outbox {
 public:
  virtual ~Outbox() = default;

  // A session begins, or the hub asks for everything again: it holds exactly these of this origin,
  // and has refused those. Neither is offered again; everything else is, from the beginning: what
  // was given out before, and also what was refused before and is not listed by a journal (it has
  // gone back, and waits for that number).
  virtual void OnJoined(const v1::Joined& joined) = 0;
  // Appends frames (record_codec.h) of what comes next, in strict priority (lanes 0-2 first, each
  // in order), up to `max_bytes`, but at least one record if one waits. What was given out is not
  // given out again before the next OnJoined. Only called between OnJoined and the session's end.
  // True: all of them are of the backlog (Up.backlog); a batch is of one kind.
  virtual bool NextBatch(size_t max_bytes, std::string* frames) = 0;
  // The journal holds these durably, and knows durably that those were refused, which are over, but
  // never on record. May repeat what was said before.
  virtual void OnAcknowledged(const v1::Acknowledge& acknowledge) = 0;
  // The hub did not take this record. If IsPermanentRefusal, it is over and its number used up, and
  // the next may follow; else nothing has changed. Comes again if it was offered again.
  virtual void OnRefused(const v1::RecordRefused& refused) = 0;
  // Something waits that was not given out in this session.
  virtual bool HasPending() const = 0;
};

}  // namespace remora
