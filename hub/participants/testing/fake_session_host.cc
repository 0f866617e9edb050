#include "hub/participants/testing/fake_session_host.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace remora::hub {

class FakeSession final : public Session {
 public:
  FakeSession(FakeSessionHost* host, Peer* peer) : host_(host), peer_(peer) {
    host_->sessions_.insert(this);
    ++host_->open_sessions_;
    ++host_->opened_;
  }
  ~FakeSession() override {
    host_->sessions_.erase(this);
    host_->dirty_.erase(this);
    --host_->open_sessions_;
  }

  void OnMessage(absl::string_view up) override {
    const std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(up, absl::MaxSplits(' ', 1));
    const absl::string_view verb = words.first;
    const absl::string_view rest = words.second;
    int64_t number = 0;
    if (verb == "echo") {
      Offer(SharedBytes(std::string(rest)));
    } else if (verb == "all") {
      host_->Broadcast(SharedBytes{std::string(rest)});
    } else if (verb == "large" && absl::SimpleAtoi(rest, &number)) {
      Offer(SharedBytes(std::string(number, 'L')));
    } else if (verb == "bulk" && absl::SimpleAtoi(rest, &number)) {
      for (int i = 0; i < number; ++i) Offer(SharedBytes(std::string(1024, 'B')));
    } else if (verb == "close" && absl::SimpleAtoi(rest, &number)) {
      peer_->CloseAfterWrites(
          absl::Status(static_cast<absl::StatusCode>(number), "closed by test"));
    } else {
      Offer(SharedBytes(absl::StrCat("unknown: ", up.substr(0, 40))));
    }
  }

  WriteBatch TakeBatch(size_t max_bytes) override {
    WriteBatch batch;
    while (!queue_.empty() &&
           (batch.slices.empty() || batch.bytes + queue_.front().size() <= max_bytes)) {
      batch.bytes += queue_.front().size();
      host_->most_owners_ =
          std::max(host_->most_owners_.load(), queue_.front().owner().use_count());
      batch.slices.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    host_->bytes_taken_ += batch.bytes;
    batch.more = !queue_.empty();
    asked_ = batch.more;  // the transport comes again by itself
    return batch;
  }

  void AskForWrite() {
    if (asked_ || queue_.empty()) return;
    asked_ = true;
    peer_->WantWrite();
  }

  void Offer(SharedBytes bytes) {
    queue_.push_back(std::move(bytes));
    host_->dirty_.insert(this);
  }

 private:
  FakeSessionHost* host_;
  Peer* peer_;
  std::deque<SharedBytes> queue_;
  bool asked_ = false;
};

FakeSessionHost::FakeSessionHost() = default;
FakeSessionHost::~FakeSessionHost() = default;

std::unique_ptr<Session> FakeSessionHost::Open(const Identity&, Peer* peer) {
  return std::make_unique<FakeSession>(this, peer);
}

void FakeSessionHost::Broadcast(const SharedBytes& bytes) {
  for (FakeSession* session : sessions_) session->Offer(bytes);
}

void FakeSessionHost::EndOfDrain() {
  const std::set<FakeSession*> dirty = std::move(dirty_);
  dirty_.clear();
  for (FakeSession* session : dirty) session->AskForWrite();
}

absl::StatusOr<Identity> FakeAuthenticator::Authenticate(absl::string_view token) {
  if (!absl::ConsumePrefix(&token, "token-") || token.empty() || token == "nobody") {
    return absl::UnauthenticatedError("this token is not known here");
  }
  Identity identity;
  identity.name = std::string(token);
  identity.display_name = absl::StrCat("The ", token);
  identity.role = absl::StartsWith(token, "agent") ? v1::ROLE_AGENT : v1::ROLE_NEUROPHYSIOLOGIST;
  return identity;
}

}  // namespace remora::hub
