#pragma once

// Which agent stands in which theatre. A claim lasts as long as the agent's session; while it does,
// nobody else's agent can claim the theatre. The same agent may claim it again (it crashed, and its
// old session is not yet found dead): the newer session then holds it.
//
//   free --Claim--> held --Release, by the session that holds it--> free
//                    |'--Claim by the same agent: held by its newer session
//                    '--Suspend, the case is over--> free --Resume, it is re-opened--> held
//
// Checks change nothing: what is decided on is done once the record that does it is accepted.
// Sequence-bound to the hub.

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/ids.h"

namespace remora::hub {

class TheatreClaims {
 public:
  struct Holder {
    std::string agent;
    CaseId case_id;
    // Identifies the session; never followed.
    const void* session = nullptr;
  };

  // AlreadyExists: another agent holds it; the text says who.
  absl::Status Claim(const std::string& theatre, const Holder& holder);
  // Whether that would be OK.
  absl::Status CheckClaim(const std::string& theatre, const std::string& agent) const;
  // Whether a case may be put into the theatre. AlreadyExists: an agent stands there with another
  // case.
  absl::Status CheckFree(const CaseId& case_id, const std::string& theatre) const;
  // The claim on this case goes on to `theatre`, which CheckFree says is free for it.
  void Move(const CaseId& case_id, const std::string& theatre);
  // The case is over: its theatre is free. Who held it holds it again when the case is re-opened
  // while the session lasts.
  void Suspend(const CaseId& case_id);
  void Resume(const CaseId& case_id, const std::string& theatre);
  // An agent in a case that is over: as if suspended.
  void Wait(const Holder& holder);
  void ReleaseAll(const void* session);
  void Release(const void* session, const CaseId& case_id);

  // Null: free.
  const Holder* Find(const std::string& theatre) const;

 private:
  std::map<std::string, Holder> holders_;
  // One a session and case, so bounded by the sessions' joins.
  std::vector<Holder> suspended_;
};

}  // namespace remora::hub
