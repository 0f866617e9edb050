#pragma once

// A signed head that somebody keeps, to hold the record against it later (docs/certificate.md,
// "Witnesses"). As a file it is three lines of text. Thread-safe functions.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "remora/v1/link.pb.h"

namespace remora {

struct HeadWitness {
  CaseId case_id;
  v1::SignedHead head;
};

std::string EncodeWitness(const HeadWitness& witness);
// InvalidArgument: it is none. Whether its signature holds is not looked at.
absl::StatusOr<HeadWitness> DecodeWitness(absl::string_view text_untrusted);

}  // namespace remora
