#include "tests/integration/case_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/status_macros.h"
#include "tests/integration/journal_reader.h"

namespace remora::testing {
namespace {

constexpr Duration kCaseAppears = Duration::Seconds(30);
constexpr Duration kQuiet = Duration::Milliseconds(500);
constexpr Duration kAnswer = Duration::Seconds(10);

using Counts = std::map<uint32_t, uint64_t>;

// A source is analysed once, however many runs there are of it.
absl::StatusOr<Counts> Made(const std::string& source, const std::string& plan) {
  static auto& known = *new std::map<std::pair<std::string, std::string>, Counts>;
  const auto found = known.find({source, plan});
  if (found != known.end()) return found->second;
  ASSIGN_OR_RETURN(Counts made, RecordsMadeOf(source, plan));
  return known[{source, plan}] = std::move(made);
}

}  // namespace

void CaseRun::StartAgent() {
  std::vector<std::string> more = plan_.more;
  more.insert(more.end(), {"--speed", absl::StrCat(plan_.speed)});
  rig_.StartAgent(plan_.theatre, plan_.source, plan_.plan, more);
}

absl::Status CaseRun::Begin() {
  reader::ClientOptions options = rig_.Identity("reader");
  if (!plan_.follower_hub.empty()) options.hub = plan_.follower_hub;
  ASSIGN_OR_RETURN(client_, reader::Client::Connect(options, &follower_));
  StartAgent();
  const std::string theatre = absl::StrCat("OR ", plan_.theatre);
  std::string id;
  if (!Eventually(kCaseAppears, [&] {
        const auto found = client_->FindCase(theatre, kAnswer);
        if (found.ok()) id = found->case_id();
        return found.ok();
      })) {
    return absl::DeadlineExceededError(absl::StrCat("no case in ", theatre, ":\n", agent().Log()));
  }
  case_id_ = CaseId::FromBytes(id);
  return FollowCompletely(*client_, id);
}

absl::Status CaseRun::Finish(Duration timeout) {
  const absl::StatusOr<int> ended = agent().Wait(timeout);
  if (!ended.ok() || *ended != 0) {
    return absl::InternalError(
        absl::StrCat("the agent ", ended.ok() ? absl::StrCat("ended with ", *ended) : "goes on",
                     ":\n", agent().Log()));
  }
  // The record is whole when the case has been quiet for a while: presence and link states follow
  // the agent's leaving.
  if (!Eventually(timeout, [&] {
        const auto found = client_->FindCase(case_id_.Hex(), kAnswer);
        if (!found.ok()) return false;
        const bool quiet = found->head_seq() == head_ && follower_.last_seq() == head_;
        head_ = found->head_seq();
        SleepFor(kQuiet);
        return quiet && head_ > 0;
      })) {
    return absl::DeadlineExceededError(
        absl::StrCat("head ", head_, ", follower ", follower_.last_seq(), "\n", rig_.hub().Log()));
  }
  return absl::OkStatus();
}

absl::Status CaseRun::FinishWhole(Duration timeout) {
  RETURN_IF_ERROR(Finish(timeout));
  EndFollower();
  RETURN_IF_ERROR(rig_.StopHub().status());
  return CheckRecord();
}

// The agent's numbers begin with 1, have no hole, and end where they should: by a dry run, to the
// record in lanes 2 to 5; lanes 0 and 1 also tell of what befell it.
absl::Status CaseRun::CheckAgainstWhatIsMade() const {
  ASSIGN_OR_RETURN(const Counts made, Made(plan_.source, plan_.plan));
  if (!made.contains(3)) return absl::InternalError("no sweeps: what is an agent's is not known");
  std::map<OriginId, std::map<uint32_t, uint64_t>> last;
  for (const auto& [origin_lane, held] : HeldNumbers(journal_)) {
    const auto& [origin, lane] = origin_lane;
    if (held.contiguous() != held.largest()) {
      return absl::DataLossError(absl::StrCat("lane ", lane, " has no number ",
                                              held.contiguous() + 1, " of ", held.largest()));
    }
    last[origin][lane] = held.largest();
  }
  int agents = 0;
  for (const auto& [origin, lanes] : last) {
    if (!lanes.contains(3)) continue;
    ++agents;
    for (const auto& [lane, count] : made) {
      const uint64_t on_record = lanes.contains(lane) ? lanes.at(lane) : 0;
      if (on_record < count || (lane >= 2 && on_record > count)) {
        return absl::DataLossError(absl::StrCat("lane ", lane, ": ", on_record, " on record of ",
                                                count, " that are made"));
      }
    }
  }
  if (agents != 1) return absl::InternalError(absl::StrCat(agents, " origins made sweeps"));
  return absl::OkStatus();
}

absl::Status CaseRun::CheckFollower() const {
  const std::map<uint64_t, std::string> followed = follower_.records();
  if (follower_.duplicates() + follower_.disorder() + follower_.gaps() > 0) {
    return absl::InternalError(absl::StrCat("the follower had ", follower_.duplicates(), " twice, ",
                                            follower_.disorder(), " out of order, ",
                                            follower_.gaps(), " in gaps"));
  }
  if (followed.size() < head_ || followed.rbegin()->first != followed.size()) {
    return absl::DataLossError(
        absl::StrCat("the follower has ", followed.size(), " records of ", head_));
  }
  for (const auto& [seq, bytes] : followed) {
    if (bytes != journal_.at(seq)) {
      return absl::DataLossError(absl::StrCat("seq ", seq, " was shown as it is not on record"));
    }
  }
  return absl::OkStatus();
}

absl::Status CaseRun::CheckRecord() {
  ASSIGN_OR_RETURN(journal_, ReadJournal(rig_.journal_path(), case_id_));
  if (journal_.empty() || journal_.rbegin()->first != journal_.size()) {
    return absl::DataLossError("seq is not dense");
  }
  if (const uint64_t doubled = DoubledIds(journal_); doubled > 0) {
    return absl::InternalError(absl::StrCat(doubled, " ids stand on record twice"));
  }
  RETURN_IF_ERROR(CheckAgainstWhatIsMade());
  return CheckFollower();
}

std::vector<v1::Record> RecordsOfKind(const std::map<uint64_t, std::string>& journal,
                                      v1::Record::BodyCase kind) {
  std::vector<v1::Record> found;
  for (const auto& [seq, bytes] : journal) {
    v1::Record record;
    if (record.ParseFromString(bytes) && record.body_case() == kind) {
      found.push_back(std::move(record));
    }
  }
  return found;
}

}  // namespace remora::testing
