#pragma once

// Who reads a case from elsewhere, so that the theatre counts on them: the roles that may say to
// have looked through a backlog (hub/identity/permissions.h; a test compares the two).

#include "remora/v1/case.pb.h"
#include "remora/v1/link.pb.h"

namespace remora {

inline bool ReadsCases(v1::Role role) {
  return role == v1::ROLE_NEUROPHYSIOLOGIST || role == v1::ROLE_CENTRE;
}

// Of a reader's link, by the hub's view. What does not say whose it is, is of an agent's.
inline bool IsOfReadersLink(const v1::LinkState& link) { return ReadsCases(link.role()); }

}  // namespace remora
