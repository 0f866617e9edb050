#pragma once

// Reads a case's record, from the first record to what is there now, for the commands that keep or
// prove it. Blocking.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "common/link/participant_link.h"
#include "reader-client/cc/app/output.h"

namespace remora::reader {

// `begin` once, then `take` for each record with its stamp, in order; an error of either ends it.
// Unavailable: the hub was not there long enough: what was taken is not whole.
absl::Status ReadWholeRecord(
    const Context& context, const std::string& case_name,
    const std::function<absl::Status(const CaseId&, const v1::Welcome&)>& begin,
    const std::function<absl::Status(const DeliveredRecord&)>& take);

}  // namespace remora::reader
