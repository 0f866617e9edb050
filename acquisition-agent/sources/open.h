// Opens a source by the address that a person gives on the command line or in a configuration.
//
//   edf:PATH[?option&option]  a recording in EDF, EDF+C, EDF+D, BDF or BDF+
//
//     triggers=auto                annotations that begin with "STIM", else a trigger channel
//     triggers=annotations:PREFIX  annotations that begin with PREFIX
//     triggers=channel:LABEL       rising edges of a channel (BDF Status: changes of its low bits)
//     triggers=none
//     codes=1:MED R,2:MED L        names for the codes of a trigger channel
//     threshold=0.5                of a trigger channel, in its unit
//     block_ms=50                  the longest block
//
//   sim:[NAME or FILE][?option&option]  the simulator with a scenario that ships with Remora
//   (quiet, cord, noisy, S01 to S25 or their words such as cord-derotation; none means quiet), or
//   with a file that ends in ".scenario"
//
//     seed=1, rate=5000 (Hz), mains_hz=50, block_ms=20
//     seconds=60  the end; without it, and without a duration in the scenario, it never ends
//
// A "%XX" in PATH or a value stands for that byte ("%3F" for a question mark in a file name).
//
// Errors: kInvalidArgument (the address, or what is in the file: one message that says what would
// be right), kNotFound (no such file), kPermissionDenied.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

absl::StatusOr<std::unique_ptr<SignalSource>> OpenSource(absl::string_view uri);

}  // namespace remora::agent
