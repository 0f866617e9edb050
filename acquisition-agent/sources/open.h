// Opens a source by the address that a person gives on the command line or in a configuration.
//
//   edf:PATH[?option&option]               EDF, EDF+C, EDF+D, BDF, BDF+
//   brainvision:PATH.vhdr[?option&option]  BrainVision, with the .eeg and .vmrk that it names
//   wfdb:PATH.hea[?option&option]          a WFDB record, with the files that it names
//
//     triggers=auto                annotations that begin with "STIM" (BrainVision: markers of type
//                                  Stimulus), else a trigger channel
//     triggers=annotations:PREFIX  annotations or markers that begin with PREFIX
//     triggers=channel:LABEL       rising edges of a channel (BDF Status: changes of its low bits)
//     triggers=none
//     codes=1:MED R,2:MED L        names for the codes of a trigger channel or of markers
//     threshold=0.5                of a trigger channel, in its unit
//     block_ms=50                  the longest block
//     from=90s, to=200s            a part of the recording
//     loop=true, loop=3            again and again; three times
//     annotator=atr                (wfdb) the annotation file; none: without
//
//   lsl:NAME[,NAME...][?option&option]     streams of the Lab Streaming Layer
//
//     type=EEG                     of the streams; without NAME: whatever stream has this type
//     triggers, codes, threshold   as above; auto: markers that are a number, or "S  1", or begin
//                                  with "STIM"; without a marker stream a trigger channel
//     wait=5s                      how long to look for the streams
//     hold_ms=100                  how late a marker may come
//     gap_ms=50                    a stretch of time from which on samples are missing
//     library=PATH                 of liblsl, where it is not found by itself
//
//   sim:[NAME or FILE][?option&option]  the simulator with a scenario that ships with Remora
//   (quiet, cord, noisy, S01 to S25 or their words such as cord-derotation; none means quiet), or
//   with a file that ends in ".scenario"
//
//     seed=1, rate=5000 (Hz), mains_hz=50, block_ms=20
//     seconds=60  the end; without it, and without a duration in the scenario, it never ends
//
//   feed:ENDPOINT[,ENDPOINT...][?option&option]  devices that speak docs/feed-protocol.md, merged
//   in time; ENDPOINT is tcp://HOST:PORT or ipc://PATH, where the device listens
//
//     key=FILE         this agent's certificate with its secret key (agent.key_secret)
//     server_key=FILE  the device's (device.key); one for all, or one each with commas
//                      both are needed for a device that is not on this machine
//     wait_s=10        how long to wait for every device to describe itself
//     seconds=60       the end; without it, it never ends
//
// A "%XX" in PATH or a value stands for that byte ("%3F" for a question mark in a file name).
// docs/sources.md has an example of each.
//
// Errors: kInvalidArgument (the address, or what is in the file: one message that says what would
// be right), kNotFound (no such file or stream), kPermissionDenied, kUnavailable (liblsl is not
// installed, a stream went away, a device is not heard).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

absl::StatusOr<std::unique_ptr<SignalSource>> OpenSource(absl::string_view uri);

}  // namespace remora::agent
