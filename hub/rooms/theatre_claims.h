#pragma once

// Which agent stands in which theatre. A claim lasts as long as the agent's session; while it does,
// nobody else's agent can claim the theatre. The same agent may claim it again (it crashed, and its
// old session is not yet found dead): the newer session then holds it.
//
//   free --Claim--> held --Release, by the session that holds it--> free
//                    '--Claim by the same agent: held by its newer session
//
// Sequence-bound to the hub.

#include <map>
#include <string>

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
  // The claims on this case go on to `theatre`. AlreadyExists as above; nothing moves then.
  absl::Status Move(const CaseId& case_id, const std::string& theatre);
  // Whether a case may be put into the theatre. AlreadyExists: an agent stands there with another
  // case.
  absl::Status CheckFree(const CaseId& case_id, const std::string& theatre) const;
  void ReleaseAll(const void* session);
  void Release(const void* session, const CaseId& case_id);

  // Null: free.
  const Holder* Find(const std::string& theatre) const;

 private:
  std::map<std::string, Holder> holders_;
};

}  // namespace remora::hub
