// Keeps the records that an analysis makes, and checks each as the hub would.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "acquisition-agent/pipelines/record_sink.h"
#include "common/record_codec.h"

namespace remora::agent {

class KeepingSink : public RecordSink {
 public:
  RecordKey Put(v1::Record* record, int64_t at_ns) override {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
    const RecordKey key{OriginId::FromBytes(std::string(16, 'o')), lane, ++counts_[lane]};
    record->set_case_id(std::string(16, 'c'));
    record->set_origin(key.origin.ToString());
    record->set_lane(lane);
    record->set_origin_seq(key.origin_seq);
    record->mutable_captured_at()->set_boot_id(1);
    record->mutable_captured_at()->set_monotonic_ns(at_ns);
    const std::string bytes = record->SerializeAsString();
    const auto header = WalkRecord(bytes);
    EXPECT_TRUE(header.ok()) << header.status();
    if (header.ok()) {
      v1::Record parsed;
      const absl::Status valid = ValidateBody(*header, bytes, &parsed);
      EXPECT_TRUE(valid.ok()) << valid << "\n" << record->ShortDebugString().substr(0, 300);
    }
    records.push_back(*record);
    return key;
  }

  // All bodies of one kind: All(&v1::Record::has_sweep, &v1::Record::sweep).
  template <typename Body>
  std::vector<Body> All(bool (v1::Record::*has)() const,
                        const Body& (v1::Record::*get)() const) const {
    std::vector<Body> bodies;
    for (const v1::Record& record : records) {
      if ((record.*has)()) bodies.push_back((record.*get)());
    }
    return bodies;
  }

  std::vector<v1::Record> records;

 private:
  std::map<uint32_t, uint64_t> counts_;
};

}  // namespace remora::agent
