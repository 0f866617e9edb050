#pragma once

// A participant that is authenticated and lies: records that are malformed, oversized, forbidden,
// out of order, of a wrong author, of another's origin or case, or under a number that had other
// bytes; messages that are none. Some of what it sends is right, and may be taken. It must harm
// nobody but itself. Sequence-bound to the simulation.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "common/link/stream.h"
#include "common/random.h"
#include "tests/simulation/context.h"

namespace remora::simulation {

class LiarProcess final : public Stream::Listener {
 public:
  struct Plan {
    std::string name;
    v1::Role role = v1::ROLE_NEUROPHYSIOLOGIST;
    CaseId case_id;
    std::string theatre;
    LinkPlan link;
    Duration interval;
    uint64_t seed = 0;
    uint64_t id = 0;
  };

  LiarProcess(Context& context, Plan plan);
  // The counters of its lies.
  static std::vector<std::string> LieNames();

  void Start();
  void Stop();

  void OnMessage(SharedBytes down) override;
  void OnWritable() override {}
  void OnClosed(absl::Status status) override;

 private:
  enum class Lie {
    kRight,
    kTruncated,
    kGarbage,
    kOversized,
    kForbidden,
    kWrongAuthor,
    kReusedNumber,
    kOutOfOrder,
    kWrongOrigin,
    kWrongCase,
    kStamped,
    kRecordsAndControl,
    kSecondHello,
    kWildShown,
    kWildFollow,
    kNoMessage,
    kLies,
  };

  void Dial();
  void Next();
  void Write(std::string up);
  void Greet();
  void SendRecord(const std::string& bytes);
  void TellRecordLie(Lie lie);
  void TellMessageLie(Lie lie);
  v1::Record Body(bool own_name);

  Context& context_;
  const Plan plan_;
  Process process_;
  const std::unique_ptr<Random> random_;
  ClientPort port_;
  OriginId origin_;
  std::unique_ptr<Stream> stream_;
  bool greeted_ = false;
  bool stopped_ = false;
  std::array<uint64_t, 6> next_ = {1, 1, 1, 1, 1, 1};
};

}  // namespace remora::simulation
