#include "acquisition-agent/surveillance/repeat_request.h"

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"

namespace remora::agent {

void RepeatRequest::Ask(const std::string& why, const RecordKey& about, int64_t now_ns,
                        RecordSink& sink) {
  if (open_) return;
  v1::Record record;
  v1::Request& request = *record.mutable_request();
  request.set_state(v1::REQUEST_STATE_ASKED);
  request.set_kind(v1::REQUEST_TEST_TRIAL);
  request.set_test(absl::StrCat("MEP again, ", limb_));
  request.set_reason(why);
  request.set_modality(modality_);
  request.set_side(side_);
  request.set_limb(limb_);
  request.set_trace_id(trace_id_);
  if (about.origin_seq != 0) *request.mutable_about() = ToProto(about);
  open_ = sink.Put(&record, now_ns);
}

void RepeatRequest::Answer(const RecordKey& measurement, int64_t now_ns, RecordSink& sink) {
  if (!open_) return;
  v1::Record record;
  v1::Request& answer = *record.mutable_request();
  *answer.mutable_request() = ToProto(*open_);
  answer.set_state(v1::REQUEST_STATE_DONE);
  answer.set_kind(v1::REQUEST_TEST_TRIAL);
  answer.set_test(absl::StrCat("MEP again, ", limb_));
  answer.set_modality(modality_);
  answer.set_limb(limb_);
  *answer.mutable_answered_by() = ToProto(measurement);
  open_.reset();
  sink.Put(&record, now_ns);
}

}  // namespace remora::agent
