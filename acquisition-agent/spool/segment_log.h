// A row of append-only files ("block-00000001.seg", ...) that are written in groups and synced
// before anybody is told.
//
// One log a class of records (control, sweep, envelope, block), so that what may be shed lies in
// files of its own. Used by CaseSpool on the spool's sequence; thread-compatible; `files` outlives
// it.
//
// Invariants: 1. what Write returned OK for survives a loss of power; 2. after a failed Write
// nothing of that group counts: the file is cut back, or removed when it held nothing else, never
// synced again, and the next group goes to a new file; 3. a torn tail is cut off when the log is
// opened; damage before an intact entry is skipped and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "acquisition-agent/spool/entry.h"
#include "common/file_system.h"

namespace remora::agent {

// Where an entry stands. Ordered as written. Segment 0: nowhere.
struct EntryPlace {
  uint32_t segment = 0;
  uint32_t offset = 0;
  uint32_t bytes = 0;

  bool exists() const { return segment != 0; }
  bool operator<(const EntryPlace& other) const {
    return segment != other.segment ? segment < other.segment : offset < other.offset;
  }
};

class SegmentLog {
 public:
  struct Damage {
    uint64_t torn_bytes = 0;     // cut off at the end: never promised to anybody
    uint64_t skipped_bytes = 0;  // unreadable before intact entries
  };
  using Visitor = std::function<void(const Entry&, const EntryPlace&)>;

  // `header` is the payload of each file's first entry; a file of another header is refused.
  SegmentLog(FileSystem& files, std::string directory, std::string name, std::string header);

  // Reads what is there, oldest first, and syncs it. InvalidArgument: a file that belongs to
  // another case or origin. Unavailable.
  absl::Status Open(const Visitor& visitor, Damage* damage);

  // Appends the entries (each encoded by AppendEntry) and syncs. Fills `places` on success.
  // ResourceExhausted: no space. Unavailable: any other failure.
  absl::Status Write(const std::vector<std::string>& entries, std::vector<EntryPlace>* places);

  // The payload of an entry that was written. DataLoss: it is not readable any more.
  absl::StatusOr<std::string> Read(const EntryPlace& place) const;

  // What was shed, and is not there any more.
  struct Shed {
    uint64_t first = 0;
    uint64_t last = 0;
  };
  // The number of the oldest file unless it is the one being written; 0: there is none to shed.
  uint32_t OldestToShed() const;
  // Frees the space of that file, which holds records `first` to `last` of the log's lane (0:
  // none). A power cut leaves the file, or its name as shed. On an error the file may have gone all
  // the same, without its space being free: then OldestToShed is another.
  absl::Status ShedOldest(uint64_t first, uint64_t last);
  // Of earlier lives, as found by Open.
  const std::vector<Shed>& shed() const { return shed_; }

  uint64_t bytes() const;
  size_t segments() const { return segments_.size(); }

 private:
  struct Segment {
    uint32_t number = 0;
    uint64_t bytes = 0;  // durable
  };

  std::string PathOf(uint32_t number) const;
  // Takes note of a file that was shed, and frees its space again; false: `file` is none.
  bool TakeShedFile(const std::string& file);
  absl::Status OpenSegment(uint32_t number, const Visitor& visitor, bool last, Damage* damage);
  absl::Status StartSegment();
  // The file is in doubt: cuts it back to what is durable and lets the next group start a new one.
  void GiveUpActive();

  FileSystem& files_;
  const std::string directory_;
  const std::string name_;
  const std::string header_;
  std::deque<Segment> segments_;
  std::vector<Shed> shed_;
  uint32_t next_number_ = 1;
  std::unique_ptr<AppendFile> active_;  // the last of segments_, while set
  mutable uint32_t reader_segment_ = 0;
  mutable std::unique_ptr<ReadFile> reader_;
};

}  // namespace remora::agent
