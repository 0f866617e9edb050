// A recording in EDF, EDF+C, EDF+D, BDF or BDF+ as a SignalSource.
//
// Reads record by record: memory is one record, the annotations (timeline.h) and one block. Samples
// are exact: CountOf() of a sample gives the stored integer. Breaks of EDF+D become Gaps, a
// recorded time that goes back becomes a kTimeJumpedBack, a file that ends too early a kTruncated
// one.
//
// Thread-compatible.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/byte_reader.h"
#include "acquisition-agent/sources/edf/header.h"
#include "acquisition-agent/sources/edf/timeline.h"
#include "acquisition-agent/sources/read_options.h"
#include "acquisition-agent/sources/source.h"
#include "acquisition-agent/sources/triggers.h"

namespace remora::agent::edf {

using EdfOptions = ReadOptions;

class EdfSource : public SignalSource {
 public:
  // `name` stands in messages and in info().name.
  //   kInvalidArgument    file or options are wrong: the byte, and what would be right
  //   kResourceExhausted  beyond a limit of limits.h
  //   kDataLoss           the storage failed
  static absl::StatusOr<std::unique_ptr<EdfSource>> Open(std::unique_ptr<ByteReader> file,
                                                         const std::string& name,
                                                         const EdfOptions& options);

  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;
  void SkipBefore(int64_t time_ns) override;

  // What was in the file's header. Patient identity is in it: not for logs.
  const Header& header() const { return header_; }
  int64_t first_onset_ns() const { return timeline_.first_onset_ns; }

 private:
  EdfSource(std::unique_ptr<ByteReader> file, Header header, Timeline timeline,
            const EdfOptions& options);

  void DescribeChannels(const std::string& name);
  // Also fills SourceInfo::texts.
  absl::Status ChooseTriggers(const TriggerOptions& options);

  absl::Status LoadRecord();
  void AddBreakBefore(const Segment& segment);
  void AddSlice();
  void AddBlock(int group, int64_t first, int64_t last, std::vector<Item>* items);
  void AddAnnotationsBefore(int64_t time_ns, std::vector<Item>* items);
  void AddEnd();
  void FindTriggersInRecord();
  double SampleAt(int channel, int64_t index) const;
  int64_t SampleTimeNs(int64_t index, int64_t samples_per_record) const;

  const std::unique_ptr<ByteReader> file_;
  const Header header_;
  const Timeline timeline_;
  const int32_t max_block_ms_;
  SourceInfo info_;
  std::vector<int> signal_of_channel_;
  std::vector<int64_t> delivered_;  // samples, by rate group

  bool triggers_from_annotations_ = false;
  std::string annotation_prefix_;
  std::optional<int> trigger_channel_index_;
  std::optional<TriggerChannel> trigger_channel_;

  std::deque<Item> ready_;
  std::vector<uint8_t> record_bytes_;
  int64_t record_ = -1;  // the loaded one
  int64_t record_start_ns_ = 0;
  size_t segment_ = 0;  // of the loaded record
  int64_t slice_ = 0;   // next one of the loaded record
  int64_t slices_per_record_ = 0;
  size_t next_annotation_ = 0;
  std::deque<StimulusTrigger> channel_triggers_;  // of the loaded record
  bool ended_ = false;
};

}  // namespace remora::agent::edf
