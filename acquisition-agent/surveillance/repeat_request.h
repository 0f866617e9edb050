// A prepared repeat: a trial that has to be settled by another one asks the technologist for it,
// and the next trial answers. One a limb; thread-compatible. Records it makes: Request. Never a
// command to a stimulator.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "acquisition-agent/pipelines/record_sink.h"
#include "common/ids.h"
#include "remora/v1/message.pb.h"

namespace remora::agent {

class RepeatRequest {
 public:
  RepeatRequest(v1::Modality modality, v1::Side side, std::string limb, std::string trace_id)
      : modality_(modality), side_(side), limb_(std::move(limb)), trace_id_(std::move(trace_id)) {}

  // `why`: in words. `about`: the alert that is on; none yet: an empty key. No-op while one is
  // open.
  void Ask(const std::string& why, const RecordKey& about, int64_t now_ns, RecordSink& sink);
  // A trial that could be judged came.
  void Answer(const RecordKey& measurement, int64_t now_ns, RecordSink& sink);
  bool is_open() const { return open_.has_value(); }

 private:
  const v1::Modality modality_;
  const v1::Side side_;
  const std::string limb_;
  const std::string trace_id_;
  std::optional<RecordKey> open_;
};

}  // namespace remora::agent
