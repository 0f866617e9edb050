#include "common/testing/crash_disk.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace remora {

struct CrashNode {
  using Ptr = std::shared_ptr<CrashNode>;
  using Entries = std::map<std::string, Ptr, std::less<>>;
  // Of a file: a write or a cut.
  struct Change {
    bool truncate = false;
    uint64_t offset = 0;  // or the size to cut to
    std::string bytes;
  };
  // Of a directory: a name made, removed or both.
  struct NameChange {
    std::string remove;  // empty: nothing
    std::string add;     // empty: nothing
    Ptr node;            // of `add`
  };

  explicit CrashNode(bool is_directory) : directory(is_directory) {}

  const bool directory;
  // What reads see; what a cut leaves for sure; what was done since.
  std::string now;
  std::string durable;
  std::vector<Change> pending;
  uint64_t sync_errors = 0;
  Entries names;
  Entries durable_names;
  std::vector<NameChange> pending_names;
};

namespace {

using Node = CrashNode;
using Remains = CrashDisk::Remains;

// What a disk writes whole or not at all, unless it is cut within it.
constexpr uint64_t kSectorBytes = 512;

void Apply(const Node::Change& change, std::string* contents) {
  if (change.truncate) {
    contents->resize(change.offset);
    return;
  }
  const uint64_t end = change.offset + change.bytes.size();
  if (contents->size() < end) contents->resize(end);
  contents->replace(change.offset, change.bytes.size(), change.bytes);
}

void Apply(const Node::NameChange& change, Node::Entries* names) {
  if (!change.remove.empty()) names->erase(change.remove);
  if (!change.add.empty()) (*names)[change.add] = change.node;
}

void Change(Node::NameChange change, Node* directory) {
  Apply(change, &directory->names);
  directory->pending_names.push_back(std::move(change));
}

std::string ParentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }
absl::Status NoSuchFile(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": no such file or directory"));
}
absl::Status PowerIsCut() { return absl::UnavailableError("the power was cut"); }

// What may stand where a sector was given to a file and not written: zeros, anything, or what was
// on the disk before, such as a part of this file's own past.
std::string Garbage(const Node& file, size_t size, Random& random) {
  std::string bytes(size, '\0');
  const uint64_t kind = random.Below(3);
  if (kind == 1) {
    for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
  }
  if (kind == 2 && file.now.size() > size) {
    const uint64_t sectors = (file.now.size() - size) / kSectorBytes;
    bytes = file.now.substr(kSectorBytes * random.Below(sectors + 1), size);
  }
  return bytes;
}

// One unsynced write of which each sector has a fate of its own.
void ApplySectors(const Node& file, const Node::Change& change, Random& random,
                  std::string* contents) {
  uint64_t at = 0;
  while (at < change.bytes.size()) {
    const uint64_t place = change.offset + at;
    const uint64_t size =
        std::min<uint64_t>(kSectorBytes - place % kSectorBytes, change.bytes.size() - at);
    const uint64_t fate = random.Below(8);  // 0-1: not written; 2: garbage; else: written
    if (fate >= 2) {
      Apply({false, place, fate == 2 ? Garbage(file, size, random) : change.bytes.substr(at, size)},
            contents);
    }
    at += size;
  }
}

std::string AnyContents(const Node& file, Random& random) {
  std::string contents = file.durable;
  std::vector<const Node::Change*> changes;
  for (const Node::Change& change : file.pending) changes.push_back(&change);
  if (random.Below(2) == 0) {
    for (size_t i = changes.size(); i > 1; --i) std::swap(changes[i - 1], changes[random.Below(i)]);
  }
  // The size may be on the disk before the bytes are.
  if (random.Below(4) == 0 && file.now.size() > contents.size()) contents.resize(file.now.size());
  for (const Node::Change* change : changes) {
    const uint64_t fate = random.Below(3);
    if (fate == 0) continue;
    if (fate == 1 || change->truncate) {
      Apply(*change, &contents);
    } else {
      ApplySectors(file, *change, random, &contents);
    }
  }
  return contents;
}

std::string ContentsAfterCut(const Node& file, Remains remains, Random& random) {
  if (remains == Remains::kAny) return AnyContents(file, random);
  std::string contents = file.durable;
  size_t kept = 0;
  if (remains == Remains::kEverything) kept = file.pending.size();
  if (remains == Remains::kTorn && !file.pending.empty()) kept = random.Below(file.pending.size());
  for (size_t i = 0; i < kept; ++i) Apply(file.pending[i], &contents);
  if (remains == Remains::kTorn && kept < file.pending.size()) {
    Node::Change last = file.pending[kept];
    uint64_t size = random.Below(last.bytes.size() + 1);
    // At a sector of the disk, or anywhere.
    const uint64_t past_sector = (last.offset + size) % kSectorBytes;
    if (random.Below(2) == 0 && past_sector <= size) size -= past_sector;
    last.bytes.resize(size);
    if (!last.truncate && size > 0) Apply(last, &contents);
  }
  return contents;
}

Node::Ptr NodeAfterCut(const Node& node, Remains remains, Random& random) {
  auto after = std::make_shared<Node>(node.directory);
  if (!node.directory) {
    after->now = ContentsAfterCut(node, remains, random);
    after->durable = after->now;
    return after;
  }
  Node::Entries names = node.durable_names;
  size_t kept = node.pending_names.size();
  if (remains == Remains::kNothing) kept = 0;
  if (remains == Remains::kTorn) kept = random.Below(node.pending_names.size() + 1);
  for (size_t i = 0; i < kept; ++i) {
    if (remains == Remains::kAny && random.Below(2) == 0) continue;
    Apply(node.pending_names[i], &names);
  }
  for (const auto& [name, child] : names)
    after->names[name] = NodeAfterCut(*child, remains, random);
  after->durable_names = after->names;
  return after;
}

uint64_t BytesIn(const Node& node) {
  uint64_t bytes = node.now.size();
  for (const auto& [name, child] : node.names) bytes += BytesIn(*child);
  return bytes;
}

}  // namespace

CrashDisk::CrashDisk(const std::string& directory) : root_(std::make_shared<Node>(true)) {
  Node* node = root_.get();
  size_t begin = 1;
  while (begin < directory.size()) {
    const size_t end = std::min(directory.find('/', begin), directory.size());
    const Node::Ptr child = std::make_shared<Node>(true);
    node->names[directory.substr(begin, end - begin)] = child;
    node->durable_names = node->names;
    node = child.get();
    begin = end + 1;
  }
}

void CrashDisk::SetWatcher(Watcher watcher) {
  MutexLock lock(&mutex_);
  watcher_ = std::move(watcher);
}

void CrashDisk::SetPlant(Plant plant, std::string path_part) {
  MutexLock lock(&mutex_);
  plant_ = plant;
  plant_part_ = std::move(path_part);
}

void CrashDisk::SetFreeBytes(uint64_t bytes) {
  MutexLock lock(&mutex_);
  free_bytes_ = bytes;
}

uint64_t CrashDisk::free_bytes() const {
  MutexLock lock(&mutex_);
  return free_bytes_;
}

bool CrashDisk::Planted(Plant plant, const std::string& path) const {
  return plant_ == plant && absl::StrContains(path + "$", plant_part_);
}

CrashDisk::NodePtr CrashDisk::Find(absl::string_view path) const {
  NodePtr node = root_;
  while (node != nullptr && !path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    const absl::string_view name = path.substr(0, path.find('/'));
    const auto it = node->names.find(name);
    node = it == node->names.end() ? nullptr : it->second;
    path.remove_prefix(name.size());
  }
  return node;
}

absl::Status CrashDisk::Check(uint64_t generation) const {
  return cut_ || ended_ || generation != generation_ ? PowerIsCut() : absl::OkStatus();
}

absl::Status CrashDisk::Do(const Call& call, const std::function<void()>& effect) {
  if (cut_ || ended_) return PowerIsCut();
  const Verdict verdict = watcher_ ? watcher_(call) : Verdict::kGoOn;
  if (verdict == Verdict::kFail) {
    return absl::UnavailableError(absl::StrCat(call.path, ": input/output error"));
  }
  if (verdict != Verdict::kCutBefore) effect();
  cut_ = verdict == Verdict::kCutBefore || verdict == Verdict::kCutAfter;
  return cut_ ? PowerIsCut() : absl::OkStatus();
}

absl::StatusOr<CrashDisk::File> CrashDisk::Open(const std::string& path, bool* created) {
  MutexLock lock(&mutex_);
  if (cut_ || ended_) return PowerIsCut();
  if (created != nullptr) *created = false;
  File file;
  file.node_ = Find(path);
  if (file.node_ == nullptr) {
    const NodePtr directory = Find(ParentOf(path));
    if (created == nullptr || directory == nullptr || !directory->directory) {
      return NoSuchFile(path);
    }
    file.node_ = std::make_shared<Node>(false);
    const absl::Status status = Do({Op::kCreate, path, 0, ""}, [&] {
      Change({"", NameOf(path), file.node_}, directory.get());
    });
    if (!status.ok()) return status;
    *created = true;
  }
  if (file.node_->directory) return NoSuchFile(path);
  file.path_ = path;
  file.generation_ = generation_;
  file.told_errors_ = std::make_shared<uint64_t>(file.node_->sync_errors);
  return file;
}

absl::StatusOr<size_t> CrashDisk::Read(const File& file, uint64_t offset, char* to,
                                       size_t size) const {
  MutexLock lock(&mutex_);
  if (absl::Status status = Check(file.generation_); !status.ok()) return status;
  const std::string& now = file.node_->now;
  if (offset >= now.size()) return size_t{0};
  const size_t there = std::min<uint64_t>(size, now.size() - offset);
  std::memcpy(to, now.data() + offset, there);
  return there;
}

absl::Status CrashDisk::Write(const File& file, uint64_t offset, absl::string_view bytes) {
  MutexLock lock(&mutex_);
  if (absl::Status status = Check(file.generation_); !status.ok()) return status;
  Node& node = *file.node_;
  const uint64_t end = offset + bytes.size();
  const uint64_t grows = end > node.now.size() ? end - node.now.size() : 0;
  if (grows > free_bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat(file.path_, ": no space left"));
  }
  const absl::Status status = Do({Op::kWrite, file.path_, offset, bytes}, [&] {
    Node::Change change{false, offset, std::string(bytes)};
    Apply(change, &node.now);
    node.pending.push_back(std::move(change));
  });
  if (status.ok()) free_bytes_ -= grows;
  return status;
}

absl::Status CrashDisk::Truncate(const File& file, uint64_t size) {
  MutexLock lock(&mutex_);
  if (absl::Status status = Check(file.generation_); !status.ok()) return status;
  Node& node = *file.node_;
  const uint64_t frees = size < node.now.size() ? node.now.size() - size : 0;
  const absl::Status status = Do({Op::kTruncate, file.path_, size, ""}, [&] {
    node.pending.push_back({true, size, ""});
    node.now.resize(size);
  });
  if (status.ok()) free_bytes_ += frees;
  return status;
}

absl::Status CrashDisk::Sync(const File& file) {
  MutexLock lock(&mutex_);
  if (absl::Status status = Check(file.generation_); !status.ok()) return status;
  Node& node = *file.node_;
  const bool lost = Planted(Plant::kLostSync, file.path_);
  const bool swapped = Planted(Plant::kSwappedWrite, file.path_);
  const absl::Status status = Do({Op::kSync, file.path_, 0, ""}, [&] {
    if (lost) return;
    const size_t late = swapped && !node.pending.empty() ? 1 : 0;
    for (size_t i = 0; i + late < node.pending.size(); ++i) Apply(node.pending[i], &node.durable);
    node.pending.erase(node.pending.begin(), node.pending.end() - late);
  });
  // As on Linux (Documentation/filesystems/vfs.rst, errors during writeback): what could not be
  // written counts as clean, no later sync writes it, and each that has the file open is told once.
  if (!status.ok() && !cut_) node.pending.clear();
  if (!status.ok() && !cut_) ++node.sync_errors;
  const bool is_told = std::exchange(*file.told_errors_, node.sync_errors) == node.sync_errors;
  return is_told || !status.ok() ? status : absl::UnavailableError(file.path_ + ": error before");
}

uint64_t CrashDisk::SizeOf(const File& file) const {
  MutexLock lock(&mutex_);
  return file.node_->now.size();
}

absl::Status CrashDisk::Remove(const std::string& path) {
  MutexLock lock(&mutex_);
  if (cut_ || ended_) return PowerIsCut();
  const NodePtr node = Find(path);
  if (node == nullptr || node->directory) return NoSuchFile(path);
  const NodePtr directory = Find(ParentOf(path));
  const absl::Status status = Do({Op::kRemove, path, 0, ""}, [&] {
    Change({NameOf(path), "", nullptr}, directory.get());
  });
  if (status.ok()) free_bytes_ += node->now.size();
  return status;
}

absl::Status CrashDisk::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(&mutex_);
  if (cut_ || ended_) return PowerIsCut();
  const NodePtr node = Find(from);
  REMORA_CHECK(ParentOf(from) == ParentOf(to), "a new name in the same directory");
  if (node == nullptr) return NoSuchFile(from);
  const NodePtr directory = Find(ParentOf(from));
  const NodePtr replaced = Find(to);
  const absl::Status status = Do({Op::kRename, from, 0, ""}, [&] {
    Change({NameOf(from), NameOf(to), node}, directory.get());
  });
  if (status.ok() && replaced != nullptr) free_bytes_ += replaced->now.size();
  return status;
}

absl::Status CrashDisk::MakeDirectory(const std::string& path) {
  MutexLock lock(&mutex_);
  NodePtr directory = root_;
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    NodePtr node = Find(part);
    if (node == nullptr) {
      node = std::make_shared<Node>(true);
      const absl::Status status = Do({Op::kMakeDirectory, part, 0, ""}, [&] {
        Change({"", NameOf(part), node}, directory.get());
      });
      if (!status.ok()) return status;
    }
    if (!node->directory) return absl::UnavailableError(absl::StrCat(part, ": is a file"));
    directory = node;
    if (end == std::string::npos || end + 1 == path.size()) return absl::OkStatus();
  }
}

absl::Status CrashDisk::SyncDirectory(const std::string& path) {
  MutexLock lock(&mutex_);
  if (cut_ || ended_) return PowerIsCut();
  const NodePtr directory = Find(path);
  if (directory == nullptr || !directory->directory) return NoSuchFile(path);
  const bool lost = Planted(Plant::kLostDirectorySync, path);
  return Do({Op::kSyncDirectory, path, 0, ""}, [&] {
    if (lost) return;
    directory->durable_names = directory->names;
    directory->pending_names.clear();
  });
}

absl::StatusOr<std::vector<std::string>> CrashDisk::List(const std::string& path) const {
  MutexLock lock(&mutex_);
  if (cut_ || ended_) return PowerIsCut();
  const NodePtr directory = Find(path);
  if (directory == nullptr || !directory->directory) return NoSuchFile(path);
  std::vector<std::string> names;
  for (const auto& [name, node] : directory->names) names.push_back(name);
  return names;
}

bool CrashDisk::Exists(const std::string& path) const {
  MutexLock lock(&mutex_);
  return Find(path) != nullptr;
}

void CrashDisk::EndProgram() {
  MutexLock lock(&mutex_);
  ended_ = true;
  ++generation_;
}

void CrashDisk::StartProgram() {
  MutexLock lock(&mutex_);
  ended_ = false;
}

bool CrashDisk::is_cut() const {
  MutexLock lock(&mutex_);
  return cut_;
}

std::unique_ptr<CrashDisk> CrashDisk::AfterCut(Remains remains, Random& random) const {
  auto after = std::make_unique<CrashDisk>("/");
  MutexLock lock(&mutex_);
  MutexLock after_lock(&after->mutex_);
  after->root_ = NodeAfterCut(*root_, remains, random);
  const uint64_t total = free_bytes_ + BytesIn(*root_);
  const uint64_t used = BytesIn(*after->root_);
  after->free_bytes_ = total > used ? total - used : 0;
  return after;
}

void CrashDisk::FlipBit(const std::string& path, uint64_t offset, int bit) {
  MutexLock lock(&mutex_);
  const NodePtr node = Find(path);
  REMORA_CHECK(node != nullptr && offset < node->durable.size(), "the bit is there");
  for (std::string* contents : {&node->now, &node->durable}) {
    (*contents)[offset] = static_cast<char>((*contents)[offset] ^ (1 << bit));
  }
}

}  // namespace remora
