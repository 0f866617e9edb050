// Whether a case's certificate lets its spool be cleared (docs/certificate.md). Pure function.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/spool/case_spool.h"
#include "remora/v1/link.pb.h"

namespace remora::agent {

// OK: `public_key` has signed that the record holds every record of this spool, but for those that
// the spool does not have either, and those of lanes 0-2 that the hub has refused and said so
// (control is never removed). Else FailedPrecondition says what is not certified; an empty key
// clears nothing.
absl::Status CheckClears(const CaseSpool& spool, const v1::Certificate& certificate,
                         absl::string_view public_key);

}  // namespace remora::agent
